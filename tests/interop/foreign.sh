#!/bin/sh
# Clients of quicchat by quic-go and quinn, against a real server: handshake, login, close codes.
#   foreign.sh [PYTHON]
# PYTHON has quicchat; without it, that of build/venv, which run_python.sh makes. Not a part of
# tests/run.sh: it needs go and cargo, and fetches what these want. Whichever is absent is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
python=${1:-build/venv/bin/python}
built="$PWD/build/foreign"
mkdir -p "$built"

programs=
failed=0
if ! command -v go >/dev/null 2>&1; then
    echo "quic-go: skipped: no go"
elif (cd tests/interop/foreign/quic_go && go build -o "$built/quic_go" .); then
    programs="$programs $built/quic_go"
else
    echo "quic-go: does not build"
    failed=1
fi
if ! command -v cargo >/dev/null 2>&1; then
    echo "quinn: skipped: no cargo"
elif cargo build --quiet --manifest-path tests/interop/foreign/quinn/Cargo.toml \
    --target-dir "$built/quinn"; then
    programs="$programs $built/quinn/debug/interop-quinn"
else
    echo "quinn: does not build"
    failed=1
fi

if [ -n "$programs" ]; then
    # shellcheck disable=SC2086 # names of programs, to be split
    "$python" tests/interop/foreign/beside_a_server.py $programs || failed=1
fi
exit "$failed"
