#!/bin/sh
# A chat in the browser, on this computer alone:  sh examples/web/run.sh [PORT]
#
# Builds what is needed into .venv and build/web (minutes at first), starts a server with the chat
# page, and prints the page's address and who may log in. Ctrl-C stops it. What it keeps is in
# build/web-example.
set -eu
cd "$(dirname "$0")/../.."
venv=$PWD/.venv
python=$venv/bin/python
home=$PWD/build/web-example

# Whether sources are newer than what was built of them.
is_old() {
    built=$1
    shift
    [ ! -e "$built" ] || [ -n "$(find "$@" -newer "$built" -type f | head -n 1)" ]
}

if ! "$python" -c 'import quicchat.web' 2>/dev/null ||
    is_old "$venv/quicchat-built" CMakeLists.txt bindings/*pp include python; then
    if [ ! -x "$python" ]; then
        python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
            { echo "this needs Python 3.11 or newer, as python3" >&2 && exit 69; }
        python3 -m venv "$venv"
    fi
    echo "building the Python package into .venv, which takes some minutes ..."
    "$python" -m pip install --quiet .
    touch "$venv/quicchat-built"
fi
if is_old build/web/quicchat/quicchat.wasm bindings/web include; then
    echo "building the page into build/web, which takes a minute or two ..."
    sh bindings/web/build.sh
fi

mkdir -p "$home"
if [ ! -e "$home/config.json" ]; then
    (umask 077 && cat >"$home/config.json" <<'END'
{
    "host": "127.0.0.1",
    "port": 12345,
    "certfile": "server.crt",
    "keyfile": "server.key",
    "auth": {"users": [
        {"username": "ada", "password": "correct horse"},
        {"username": "bob", "password": "battery staple"}
    ]},
    "rooms": ["#lobby", "#tea"]
}
END
    )
fi
echo 'log in as ada with "correct horse", or in another window as bob with "battery staple"'
exec "$python" -m quicchat serve --config "$home/config.json" --web build/web ${1:+--port "$1"}
