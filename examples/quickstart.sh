#!/bin/sh
# From a fresh checkout to a first conversation:  sh examples/quickstart.sh
#
# Installs what is missing, builds quicchat into .venv, starts a server and two clients on this
# computer, shows what they say to each other, and stops. A second run does not build again.
set -u
exec </dev/null
cd "$(dirname "$0")/.." || exit 1
root=$PWD
venv=$root/.venv
python=$venv/bin/python
scratch=$(mktemp -d) || exit 1
server=
clients=

say() { printf '%s\n' "$*"; }

clean_up() {
    for process in $clients $server; do
        kill "$process" 2>/dev/null
    done
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    say "quickstart: $1" >&2
    if [ -n "${2-}" ] && [ -s "$2" ]; then
        say "--- the end of its log:" >&2
        tail -n 40 "$2" >&2
    fi
    exit 1
}

# Runs a command that takes long; shows that it lives, and its log if it fails.
#   long "what it does" log command...
long() {
    what=$1
    log=$2
    shift 2
    printf '%s ' "$what"
    "$@" >"$log" 2>&1 &
    job=$!
    clients=$job
    seconds=0
    while kill -0 "$job" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        [ $((seconds % 5)) -ne 0 ] || printf '.'
        [ $((seconds % 60)) -ne 0 ] || printf ' %s min ' $((seconds / 60))
    done
    wait "$job"
    status=$?
    clients=
    if [ "$status" -ne 0 ]; then
        say " failed"
        fail "'$what' failed with status $status" "$log"
    fi
    say " done"
}

# Waits until a file has a line with this text.
#   wait_for file text
wait_for() {
    tenths=0
    until grep -q -F -e "$2" "$1" 2>/dev/null; do
        tenths=$((tenths + 1))
        [ "$tenths" -lt 300 ] || fail "waited 30 s in vain for: $2" "$1"
        sleep 0.1
    done
}

# --- 1. What has to be on the machine -------------------------------------------------------------

missing_packages() {
    for pair in c++:g++ cmake:cmake ninja:ninja-build python3:python3 openssl:openssl \
        pkg-config:pkg-config; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair#*:}"
    done
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || printf 'python3-venv '
    python3 -c 'import os, sysconfig
os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' >/dev/null 2>&1 ||
        printf 'python3-dev '
    [ -e /usr/include/nlohmann/json.hpp ] || printf 'nlohmann-json3-dev '
    [ -e /usr/include/sqlite3.h ] || printf 'libsqlite3-dev '
}

# The build brings nlohmann-json along where there is none.
essential() { missing_packages | sed 's/nlohmann-json3-dev //'; }

install_packages() {
    apt-get update -q || say "apt-get update failed; trying with the lists that are here"
    # shellcheck disable=SC2046 # package names, to be split
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(missing_packages)
}

say "== 1. tools"
if [ -n "$(essential)" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    long "installing: $(missing_packages)" "$scratch/apt.log" install_packages
fi
if [ -n "$(essential)" ]; then
    say "These packages are missing: $(essential)" >&2
    say "Install them, then run this again:" >&2
    say "  sudo apt-get install $(missing_packages)" >&2
    exit 69
fi
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed; this is $(python3 --version)"
say "found: $(python3 --version), $(c++ --version | head -n 1)"

# --- 2. The package -------------------------------------------------------------------------------

say "== 2. quicchat"
sources=$(find CMakeLists.txt pyproject.toml cmake include bindings python -type f \
    ! -name '*.pyc' ! -name '*.md' -exec cksum {} + | LC_ALL=C sort | cksum)
stamp=$venv/quicchat-sources
if [ -x "$python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sources" ] &&
    "$python" -c 'import quicchat' 2>/dev/null; then
    say "already built in .venv"
else
    rm -f "$stamp"
    if ! "$python" -c 'import pip' 2>/dev/null; then
        long "making the virtual environment .venv" "$scratch/venv.log" \
            python3 -m venv --clear "$venv"
    fi
    say "building takes some minutes the first time (compiling ngtcp2, wolfSSL and quicchat)"
    long "pip install ." "$scratch/pip.log" \
        "$python" -m pip --disable-pip-version-check install --no-input "$root"
    "$python" -c 'import quicchat' 2>"$scratch/import.log" ||
        fail "quicchat was built but cannot be imported" "$scratch/import.log"
    printf '%s' "$sources" >"$stamp"
fi
"$python" -m quicchat version || fail "the command does not run"

# --- 3. A server ----------------------------------------------------------------------------------

say "== 3. a server, from examples/config.json and a second account"
export QUICCHAT_KNOWN_SERVERS="$scratch/known_servers"
openssl req -x509 -newkey rsa:4096 -keyout "$scratch/server.key" -out "$scratch/server.crt" \
    -days 365 -nodes -subj /CN=localhost -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
    2>"$scratch/openssl.log" || fail "openssl could not make a certificate" "$scratch/openssl.log"
chmod 600 "$scratch/server.key"

"$python" - "$scratch/config.json" <<'PYTHON' || fail "examples/config.json cannot be used"
import json, socket, sys

config = json.load(open("examples/config.json"))
config["auth"]["users"] = [{"username": "friend", "password": "another password"}]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    try:
        probe.bind((config["host"], config["port"]))
    except OSError:
        print(f"port {config['port']} is taken; the system chooses another")
        config["port"] = 0
json.dump(config, open(sys.argv[1], "w"), indent=4)
PYTHON

"$python" examples/server.py --config "$scratch/config.json" >"$scratch/server.log" 2>&1 &
server=$!
tenths=0
until grep -q '^listening on ' "$scratch/server.log"; do
    tenths=$((tenths + 1))
    kill -0 "$server" 2>/dev/null || fail "the server ended at once" "$scratch/server.log"
    [ "$tenths" -lt 300 ] || fail "the server did not start within 30 s" "$scratch/server.log"
    sleep 0.1
done
port=$(sed -n 's/^listening on .*:\([0-9]*\) .*/\1/p' "$scratch/server.log")
sed 's/^/  [server] /' "$scratch/server.log"

# --- 4. Two people --------------------------------------------------------------------------------

say "== 4. two clients: examples/chat_client.py --server-ip 127.0.0.1 --port $port"
start_client() {
    mkfifo "$scratch/$1.in"
    "$python" examples/chat_client.py --server-ip 127.0.0.1 --port "$port" \
        <"$scratch/$1.in" >"$scratch/$1.out" 2>&1 &
    clients="$clients $!"
}
start_client user
exec 3>"$scratch/user.in"
printf 'user\npassword\n' >&3
wait_for "$scratch/user.out" "* connected to"
start_client friend
exec 4>"$scratch/friend.in"
printf 'friend\nanother password\n' >&4
wait_for "$scratch/user.out" "* friend is here"

printf 'Hello, is somebody here?\n' >&3
wait_for "$scratch/friend.out" "<user> Hello"
printf 'Yes! This came over QUIC.\n/who\n' >&4
wait_for "$scratch/user.out" "<friend> Yes!"
wait_for "$scratch/friend.out" "* here: friend, user"
printf '@friend This line is for you alone.\n' >&3
wait_for "$scratch/friend.out" "[from user]"
printf '/quit\n' >&4
wait_for "$scratch/user.out" "* friend has left"
exec 3>&- 4>&- # the end of the input is as good as /quit

for client in $clients; do
    wait "$client" || fail "a client ended with status $?" "$scratch/user.out"
done
clients=
for name in user friend; do
    say "  what '$name' saw:"
    sed "s/^/  [$name] /" "$scratch/$name.out"
done

kill -TERM "$server"
wait "$server" || fail "the server ended with status $?" "$scratch/server.log"
server=

# --- 5. And now -----------------------------------------------------------------------------------

cat <<'TEXT'
== It works. What to type next:
  . .venv/bin/activate
  cd examples
  python3 server.py --config config.json                            in one terminal, then
  python3 chat_client.py --server-ip 127.0.0.1 --port 12345         in others
                                                    (User name: user, Password: password)
  quicchat --help          the command line, with examples for each command
TEXT
