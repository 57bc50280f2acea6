#!/bin/sh
# packager.sh CMAKE SOURCES FOLDER [OPTION...]
#
# Configures the sources as a package of a distribution would, says if there is anything to compile
# but the library, and installs without it.
set -eu
cmake=$1
sources=$2
folder=$3
shift 3
rm -rf "$folder"
"$cmake" -S "$sources" -B "$folder" -G Ninja -DBUILD_TESTING=OFF -DQUICCHAT_BUILD_EXAMPLES=OFF "$@"
objects=$(grep '^build .*\.o: ' "$folder/build.ninja" | grep -v quicchat_compiled || true)
[ -z "$objects" ] || {
    echo "this would be compiled:"
    echo "$objects"
    exit 1
}
grep -q '^build .*quicchat_compiled.*\.o: ' "$folder/build.ninja"
"$cmake" --install "$folder" --prefix "$folder/prefix" >/dev/null
[ -e "$folder/prefix/include/quicchat/quicchat.hpp" ]
