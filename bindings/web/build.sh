#!/bin/sh
# Builds the web client. `bindings/web/build.sh --help` says more.
set -eu

usage() {
    cat <<'END'
usage: bindings/web/build.sh [DIRECTORY]
       bindings/web/build.sh --tools

Compiles the client to WebAssembly and puts what a web server serves into DIRECTORY (default:
build/web): the chat page, and in quicchat/ the JavaScript package with the module.

The compiler is the one of the PyPI package ziglang, which is put into build/web-tools at first;
--tools does that and nothing else.

environment:
  QUICCHAT_ZIG   a python with ziglang, in place of the one in build/web-tools
  EMXX           Emscripten's em++, in place of ziglang: the module is a third smaller
  JSON_INCLUDE   the folder that has nlohmann/json.hpp, if it is not found
  OPTIMISE       -Oz if it is not set; -O1 builds faster
  ZIG_GLOBAL_CACHE_DIR
                 where zig keeps C's and C++'s libraries once it has compiled them, which takes
                 about a minute: its own cache, ~/.cache/zig, if it is not set
END
}

tools_only=
case ${1-} in
--help | -h) usage && exit 0 ;;
--tools) tools_only=1 && shift ;;
-*) usage >&2 && exit 64 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$root/build/web}
tools=$root/build/web-tools
zig_version=0.17.1
mkdir -p "$tools"

get_zig() {
    zig=${QUICCHAT_ZIG:-$tools/venv/bin/python}
    if [ -z "${QUICCHAT_ZIG-}${EMXX-}" ] &&
        ! "$zig" -m ziglang version 2>/dev/null | grep -q -x -F "$zig_version"; then
        python3 -m venv "$tools/venv"
        "$zig" -m pip --disable-pip-version-check install --quiet "ziglang==$zig_version"
    fi
}

get_zig
[ -z "$tools_only" ] || exit 0
mkdir -p "$out"
out=$(cd "$out" && pwd)

# The system's other headers are not for WebAssembly, so only this one gets into the path.
find_json() {
    for folder in "${JSON_INCLUDE-}" /usr/include /usr/local/include \
        "${XDG_CACHE_HOME:-$HOME/.cache}"/quicchat/nlohmann_json-*/include; do
        if [ -n "$folder" ] && [ -e "$folder/nlohmann/json.hpp" ]; then
            echo "$folder/nlohmann"
            return
        fi
    done
    echo "nlohmann/json.hpp was not found: install nlohmann-json3-dev, or name its folder in" \
        "JSON_INCLUDE" >&2
    exit 1
}

json=$(find_json)
mkdir -p "$tools/include"
ln -sfn "$json" "$tools/include/nlohmann"

# Zig compiles the libraries of C and C++ for WebAssembly, most of the work, and keeps them in its own
# cache for all checkouts; who has no home has them here.
[ -w "${XDG_CACHE_HOME:-${HOME:-/nonexistent}}" ] ||
    export ZIG_GLOBAL_CACHE_DIR="${ZIG_GLOBAL_CACHE_DIR:-$tools/cache}"

# compile SOURCE MODULE
compile() {
    set -- "$1" "$2" -std=c++20 "${OPTIMISE:--Oz}" -flto -fno-exceptions -fno-rtti \
        -DNDEBUG -DJSON_NOEXCEPTION -Wall -Wextra -Werror -Wl,--strip-all \
        "-I$root/include" "-I$here/cpp" -isystem "$tools/include"
    source=$1
    module=$2
    shift 2
    if [ -n "${EMXX-}" ]; then
        "$EMXX" "$@" --no-entry -sSTANDALONE_WASM -sALLOW_MEMORY_GROWTH "$source" -o "$module.new"
    else
        ZIG_LOCAL_CACHE_DIR=${ZIG_LOCAL_CACHE_DIR:-$tools/cache} \
            "$zig" -m ziglang c++ -target wasm32-wasi -mexec-model=reactor "$@" "$source" \
            -o "$module.new"
    fi
    chmod 644 "$module.new"
    mv "$module.new" "$module"
}

if [ -n "${QUICCHAT_WEB_SOURCE-}" ]; then # a test's own module
    compile "$QUICCHAT_WEB_SOURCE" "$out/$(basename "$QUICCHAT_WEB_SOURCE" .cpp).wasm"
    exit
fi
mkdir -p "$out/quicchat"
compile "$here/cpp/page_client.cpp" "$out/quicchat/quicchat.wasm"
cp "$here"/src/* "$out/quicchat/"
cp "$here"/page/* "$out/"
echo "built $out: $(wc -c <"$out/quicchat/quicchat.wasm") bytes of WebAssembly"
