#!/bin/sh
# Fails if an object file defines what another one could not define again: global symbols that are
# not weak, but for `main`.
#   defines_nothing.sh NM OBJECT
set -eu
symbols=$("$1" --defined-only --extern-only -C "$2")
[ -n "$symbols" ] || { echo "$2 has no symbols at all: nothing was looked at"; exit 1; }
strong=$(echo "$symbols" | grep -v -e ' [VWu] ' -e ' T main$' || true)
[ -z "$strong" ] || { printf 'defined without inline:\n%s\n' "$strong"; exit 1; }
