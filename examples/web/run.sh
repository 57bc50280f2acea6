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

if ! "$python" -c 'import quicchat.web' 2>/dev/null; then
    echo "building the Python package into .venv ..."
    [ -x "$python" ] || python3 -m venv "$venv"
    "$python" -m pip install --quiet .
fi
if [ ! -e build/web/quicchat/quicchat.wasm ] ||
    [ -n "$(find bindings/web include -newer build/web/quicchat/quicchat.wasm -type f | head -n 1)" ]; then
    echo "building the page into build/web ..."
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
