#!/bin/sh
# Builds and runs the consumer programs with the flags that pkg-config gives, and nothing else.
#   pkg_config_consumer.sh PKG_CONFIG PC_DIRECTORY COMPILER SOURCES OUTPUT
set -eu
pkg_config=$1
compiler=$3
sources=$4
output=$5
export PKG_CONFIG_PATH="$2${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"

# build_and_run PROGRAM PACKAGE...
build_and_run() {
    program=$1
    shift
    # shellcheck disable=SC2046 # the flags are meant to be split
    "$compiler" -std=c++20 -O0 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
        $("$pkg_config" --cflags "$@") "$sources/$program.cpp" \
        -o "$output/$program" $("$pkg_config" --libs "$@")
    "$output/$program"
}

mkdir -p "$output"
build_and_run core quicchat
build_and_run links quicchat-quic quicchat-sqlite
