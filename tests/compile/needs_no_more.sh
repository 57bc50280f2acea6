#!/bin/sh
# Fails if a program that uses only the core needs SQLite, ngtcp2 or wolfSSL, as a shared library or
# as a part of itself; or if one that uses all does not.
#   needs_no_more.sh READELF NM CORE_PROGRAM WHOLE_PROGRAM
set -eu
used() {
    { "$1" -dW "$3" | grep NEEDED; "$2" "$3"; } | grep -E 'sqlite3|ngtcp2|wolfSSL|wolfssl' || true
}
whole=$(used "$1" "$2" "$4")
for name in sqlite3 ngtcp2 wolf; do
    case $whole in
        *"$name"*) ;;
        *) echo "$4 has no $name: nothing was looked at"; exit 1 ;;
    esac
done
core=$(used "$1" "$2" "$3")
[ -z "$core" ] || { printf '%s needs:\n%s\n' "$3" "$core"; exit 1; }
