#!/bin/sh
# The chat page in Firefox. `tests/firefox.sh --help` says more.
set -eu

usage() {
    cat <<'EOF'
usage: tests/firefox.sh [PYTHON]

Opens the chat page in Firefox: two people chat, a file is sent, the server is killed and started
again, a page is closed, a network is cut, a ticket logs in. Needs node and npm, and a PYTHON
(default: build/venv/bin/python, else python3) that has quicchat. Builds the page; puts
puppeteer-core into build/web-tools; installs Debian's firefox-esr where Firefox is missing, as
root. No part of tests/run.sh.

environment:
  FIREFOX   the browser, in place of firefox-esr or firefox in the path
EOF
}

case ${1-} in
--help | -h) usage && exit 0 ;;
-*) usage >&2 && exit 64 ;;
esac
cd "$(dirname "$0")/.."
python=${1:-build/venv/bin/python}
[ $# -gt 0 ] || [ -x "$python" ] || python=python3
python=$(command -v "$python") || { echo "no such program: ${1-python3}" >&2 && exit 69; }
"$python" -c 'import quicchat.web' ||
    { echo "$python has no quicchat: pip install ." >&2 && exit 69; }

find_firefox() {
    [ -n "${FIREFOX-}" ] && command -v "$FIREFOX" || command -v firefox-esr || command -v firefox
}

if ! find_firefox >/dev/null && [ "$(id -u)" -eq 0 ]; then
    apt-get update -q -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -q -y --no-install-recommends firefox-esr
fi
firefox=$(find_firefox) || { echo "no Firefox (Debian: firefox-esr)" >&2 && exit 69; }
sh bindings/web/build.sh
[ -e build/web-tools/node_modules/puppeteer-core ] ||
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix build/web-tools \
        puppeteer-core@24
case $python in /*) ;; *) python=$PWD/$python ;; esac
exec node tests/web/firefox.mjs "$python" "$firefox"
