#!/bin/sh
# Builds and runs the consumer programs with the flags that pkg-config gives, and nothing else.
#   pkg_config_consumer.sh PKG_CONFIG PC_DIRECTORY COMPILER SOURCES ALL_HEADERS OUTPUT
set -eu
pkg_config=$1
compiler=$3
sources=$4
all_headers=$5
output=$6
export PKG_CONFIG_PATH="$2${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"

mkdir -p "$output"
for package in quicchat quicchat-quic quicchat-sqlite; do
    case $package in
    quicchat) program=core ;;
    quicchat-quic) program=quic ;;
    quicchat-sqlite) program=sqlite ;;
    esac
    # shellcheck disable=SC2046 # the flags are meant to be split
    "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
        -DQUICCHAT_ONE_FILE "-I$all_headers" $("$pkg_config" --cflags "$package") \
        "$sources/${program}_main.cpp" "$sources/${program}_other.cpp" \
        -o "$output/$program" $("$pkg_config" --libs "$package")
    "$output/$program"
done
