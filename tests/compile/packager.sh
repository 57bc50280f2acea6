#!/bin/sh
# packager.sh CMAKE SOURCES FOLDER [OPTION...]
#
# Configures the sources with tests and then as a package of a distribution would, says if there is
# anything to compile but the library, and installs without it. Ends with 77 where the generator
# among the options does not say what it would compile.
set -eu
cmake=$1
sources=$2
folder=$3
shift 3

to_compile() {
    grep '"file": ' "$folder/compile_commands.json"
}

rm -rf "$folder"
"$cmake" -S "$sources" -B "$folder" -DQUICCHAT_BUILD_EXAMPLES=OFF "$@"
[ -e "$folder/compile_commands.json" ] || exit 77
to_compile | grep -q "$sources/tests/"
"$cmake" -S "$sources" -B "$folder" -DBUILD_TESTING=OFF
to_compile | grep -q quicchat_compiled
others=$(to_compile | grep -v quicchat_compiled || true)
[ -z "$others" ] || {
    echo "this would be compiled:"
    echo "$others"
    exit 1
}
"$cmake" --install "$folder" --prefix "$folder/prefix" >/dev/null
[ -e "$folder/prefix/include/quicchat/quicchat.hpp" ]
