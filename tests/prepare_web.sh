#!/bin/sh
# Gets what the tests of the web page need beside the Python package. `--help` says more.
set -u

usage() {
    cat <<'EOF'
usage: tests/prepare_web.sh PYTHON

Builds the page into build/web, puts playwright into PYTHON's environment and TypeScript into
build/web-tools, and installs Debian's Chromium if that is missing and may be done (as root, where
apt-get is). With QUICCHAT_LONG=1, or without Chromium, it also builds the server as WebAssembly
into build/web-test. What cannot be had is said in words, and the tests that need it are skipped.
The exit status is 1 if our own code does not compile, and 0 otherwise, but 3 if there is no
compiler for it.

Afterwards: QUICCHAT_WEB_TESTS=1 PYTHON -m unittest discover -s tests -p 'test_web*.py'
EOF
}

case ${1-} in
--help | -h) usage && exit 0 ;;
-* | '') usage >&2 && exit 64 ;;
esac
python=$1
cd "$(dirname "$0")/.." || exit 1

# What comes over the network must not hold up everything else: so many seconds for each.
net() {
    timeout -k 10 "${QUICCHAT_NET_SECONDS:-300}" "$@"
}

has_chromium() {
    [ -n "${CHROMIUM-}" ] || command -v chromium >/dev/null 2>&1
}

get_chromium() {
    has_chromium && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "no Chromium, and it cannot be installed here (Debian: apt-get install chromium)"
        return
    fi
    echo "installing Chromium"
    # Only what the network does has a limit: packages that are half installed help nobody.
    net apt-get update -q -q || echo "apt-get update failed; trying with the lists there are"
    net apt-get install -q -q -y --no-install-recommends --download-only chromium &&
        DEBIAN_FRONTEND=noninteractive apt-get install -q -q -y --no-install-recommends \
            --no-download chromium >/dev/null
    has_chromium || echo "Chromium could not be installed"
}

get_playwright() {
    net "$python" -m pip --disable-pip-version-check install --quiet 'playwright>=1.49,<2' ||
        echo "playwright could not be installed"
}

get_typescript() {
    [ -e build/web-tools/node_modules/.bin/tsc ] && return
    command -v npm >/dev/null 2>&1 || return
    mkdir -p build/web-tools
    net npm install --silent --no-audit --no-fund --prefix build/web-tools typescript@5 ||
        echo "TypeScript could not be installed"
}

get_chromium
get_playwright
get_typescript
if ! net sh bindings/web/build.sh --tools; then
    echo "the compiler for WebAssembly (ziglang) could not be installed"
    exit 3
fi
sh bindings/web/build.sh || exit 1
# The server takes as long as all else: in a short run a browser does what it is for.
if [ -n "${QUICCHAT_LONG-}" ] || ! has_chromium; then
    QUICCHAT_WEB_SOURCE=tests/web/served.cpp OPTIMISE=-O1 sh bindings/web/build.sh build/web-test ||
        exit 1
fi
