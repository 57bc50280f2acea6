#!/bin/sh
# Builds everything and runs every suite: Catch2 by ctest, pytest, unittest.
#
#   tests/run.sh
#
# The last line is "N passed, N failed", with ", N skipped" if there are any. The exit status is 0
# only if nothing failed and every suite ran at least one test. Works in build/; needs no terminal
# and no input. QUICCHAT_PRESET chooses another CMake preset than "dev", JOBS how many compilers run
# at once.
set -u
exec </dev/null
cd "$(dirname "$0")/.." || exit 1

preset=${QUICCHAT_PRESET:-dev}
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
results=build/results
mkdir -p "$results"
rm -f "$results"/*

passed=0
failed=0
skipped=0

heading() {
    printf '\n=== %s\n' "$*"
}

finish() {
    skipped_note=
    [ "$skipped" -eq 0 ] || skipped_note=", $skipped skipped"
    printf '\n%s passed, %s failed%s\n' "$passed" "$failed" "$skipped_note"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit $?
}

# A step without which nothing further makes sense.
require() {
    "$@" && return
    echo "FAILED: $*"
    failed=$((failed + 1))
    finish
}

# Adds one suite's results. A suite that ran nothing has failed: something is wrong with the set-up.
#   count SUITE KIND FILE STATUS
count() {
    numbers=$(python3 tests/count_results.py "$2" "$3" 2>/dev/null) || numbers="0 1 0"
    # shellcheck disable=SC2086 # three numbers, to be split
    set -- "$1" "$4" $numbers
    echo "$1: $3 passed, $4 failed, $5 skipped"
    passed=$((passed + $3))
    failed=$((failed + $4))
    skipped=$((skipped + $5))
    if [ "$4" -eq 0 ] && { [ "$2" -ne 0 ] || [ $(($3 + $5)) -eq 0 ]; }; then
        echo "$1: ended with status $2 and ran $(($3 + $5)) tests; counted as a failure"
        failed=$((failed + 1))
    fi
}

# --- What has to be on the machine ---------------------------------------------------------------

missing_packages() {
    for pair in cmake:cmake ninja:ninja-build c++:g++ pkg-config:pkg-config python3:python3 \
        openssl:openssl; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair#*:}"
    done
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || echo python3-venv
    python3 -c 'import os, sysconfig
os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' >/dev/null 2>&1 ||
        echo python3-dev
    pkg-config --exists nlohmann_json 2>/dev/null || echo nlohmann-json3-dev
    [ -e /usr/include/sqlite3.h ] || echo libsqlite3-dev
}

heading "tools"
missing=$(missing_packages | tr '\n' ' ')
if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing: $missing"
    # Lists may be absent, or too old to still be true.
    apt-get update -q -q || echo "apt-get update failed; trying with the lists there are"
    # shellcheck disable=SC2086 # package names, to be split
    DEBIAN_FRONTEND=noninteractive apt-get install -q -q -y --no-install-recommends $missing ||
        echo "apt-get install failed"
    missing=$(missing_packages | tr '\n' ' ')
fi
# The build brings nlohmann-json along where the system has none.
essential=$(echo "$missing" | tr ' ' '\n' | grep -v -x -e nlohmann-json3-dev -e '' | tr '\n' ' ')
if [ -n "$essential" ]; then
    echo "These packages are missing (names as in Debian): $essential"
    echo "Install them: apt-get install $essential"
    failed=1
    finish
fi
cmake --version | head -n 1
c++ --version | head -n 1
python3 --version

# --- C++ -----------------------------------------------------------------------------------------

heading "C++ (preset $preset)"
if cmake --preset "$preset" && cmake --build --preset "$preset" --parallel "$jobs"; then
    ctest --preset "$preset" --parallel "$jobs" --output-junit "$PWD/$results/ctest.xml"
    status=$?
    count "ctest" junit "$results/ctest.xml" "$status"
else
    echo "ctest: the C++ build failed"
    failed=$((failed + 1))
fi

# --- Python --------------------------------------------------------------------------------------

heading "Python package"
require python3 -m venv --clear build/venv
python="$PWD/build/venv/bin/python"
require "$python" -m pip --disable-pip-version-check install '.[test]'

heading "pytest"
"$python" -m pytest tests/python -p no:cacheprovider --junitxml="$results/pytest.xml"
count "pytest" junit "$results/pytest.xml" $?

heading "unittest"
"$python" -m unittest discover -s tests >"$results/unittest.txt" 2>&1
status=$?
cat "$results/unittest.txt"
count "unittest" unittest "$results/unittest.txt" "$status"

finish
