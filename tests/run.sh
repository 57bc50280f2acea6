#!/bin/sh
# Builds everything and runs every suite. `tests/run.sh --help` says more.
set -u

usage() {
    cat <<'END'
usage: tests/run.sh [--long] [--help]

Builds everything and runs every suite: Catch2 by ctest, pytest, unittest, and the fuzzers for a
moment where clang is. The last line is "N passed, N failed", with ", N skipped" if there are any;
before it stands what failed. The exit status is 0 only if nothing failed and every suite ran at
least one test. Works in build/; needs no terminal and no input.

The Python package is built and tested beside the C++ part, with the library that this has compiled;
what it says is shown when it has ended.

  --long   also: many more seeds of the simulations and kills of a server, a million inputs for each
           fuzzer (a tenth for slow ones; tests/fuzz/long.sh tries more), the Python package as pip
           builds it without a word more, each header alone, all
           examples at -O3, all C++ tests with the sanitizers, mypy, pyright and ruff, and the site
           of the documentation without a warning. Takes hours.

environment:
  QUICCHAT_PRESET              another CMake preset than "dev"
  JOBS                         how many compilers and tests run at once; 1 also runs the Python part
                               after the C++ part and not beside it
  QUICCHAT_TEST_AGAIN=1        what failed runs once more, when others have ended; what passes only
                               then counts as passed, and is named at the end. For CI on machines
                               that others use as well
  QUICCHAT_TEST_TIMEOUT_SCALE  every deadline of every test is so many times as long; without it,
                               each part measures how slow the machine is when it begins
END
}

long=
for option in "$@"; do
    case $option in
    --long) long=1 ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
    esac
done

exec </dev/null
cd "$(dirname "$0")/.." || exit 1

preset=${QUICCHAT_PRESET:-dev}
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
results=build/results
mkdir -p "$results"
rm -rf "${results:?}"/*
begin=$(date +%s)

if [ -n "$long" ]; then
    export QUICCHAT_SIM_SEEDS="${QUICCHAT_SIM_SEEDS:-20000}"
    export QUICCHAT_KILLS="${QUICCHAT_KILLS:-200}"
    export QUICCHAT_LONG=1
    # So many seeds take longer, and sanitizers make everything slow.
    export QUICCHAT_TEST_TIMEOUT_SCALE="${QUICCHAT_TEST_TIMEOUT_SCALE:-10}"
fi

passed=0
failed=0
skipped=0

heading() {
    printf '\n=== %s (after %s s)\n' "$*" "$(($(date +%s) - begin))"
}

# A failure that is no test's, such as one of a build.
#   fail WORDS
fail() {
    echo "$1"
    echo "$1" >>"$results/failed.txt"
    failed=$((failed + 1))
}

finish() {
    # Whoever sees the end only, as a CI may show it, sees what failed.
    if [ -s "$results/again.txt" ]; then
        heading "what passed only when it ran again"
        cat "$results/again.txt"
    fi
    if [ -s "$results/failed.txt" ]; then
        heading "what failed"
        cat "$results/failed.txt"
    fi
    skipped_note=
    [ "$skipped" -eq 0 ] || skipped_note=", $skipped skipped"
    printf '\n%s passed, %s failed%s\n' "$passed" "$failed" "$skipped_note"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit $?
}

# Adds one suite's results. A suite that ran nothing has failed: something is wrong with the set-up.
#   count SUITE KIND FILE STATUS
count() {
    numbers=$(python3 tests/count_results.py "$2" "$3" 2>/dev/null) || numbers="0 1 0"
    python3 tests/count_results.py --failed "$2" "$3" 2>/dev/null |
        sed "s/^[^ ]/$1: &/" >>"$results/failed.txt"
    # shellcheck disable=SC2086 # three numbers, to be split
    set -- "$1" "$4" $numbers
    echo "$1: $3 passed, $4 failed, $5 skipped"
    passed=$((passed + $3))
    failed=$((failed + $4))
    skipped=$((skipped + $5))
    if [ "$4" -eq 0 ] && { [ "$2" -ne 0 ] || [ $(($3 + $5)) -eq 0 ]; }; then
        fail "$1: ended with status $2 and ran $(($3 + $5)) tests; counted as a failure"
    fi
}

# --- What has to be on the machine ---------------------------------------------------------------

missing_packages() {
    for pair in setsid:util-linux cmake:cmake ninja:ninja-build c++:g++ pkg-config:pkg-config python3:python3 \
        openssl:openssl; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair#*:}"
    done
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || echo python3-venv
    python3 -c 'import os, sysconfig
os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' >/dev/null 2>&1 ||
        echo python3-dev
    pkg-config --exists nlohmann_json 2>/dev/null || echo nlohmann-json3-dev
    [ -e /usr/include/sqlite3.h ] || echo libsqlite3-dev
    command -v valgrind >/dev/null 2>&1 || echo valgrind
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
# The build brings nlohmann-json along where the system has none; without valgrind one test is skipped.
essential=$(echo "$missing" | tr ' ' '\n' | grep -v -x -e nlohmann-json3-dev -e valgrind -e '' | tr '\n' ' ')
if [ -n "$essential" ]; then
    echo "These packages are missing (names as in Debian): $essential"
    echo "Install them: apt-get install $essential"
    failed=1
    finish
fi
cmake --version | head -n 1
c++ --version | head -n 1
python3 --version

# --- Python, beside the rest ---------------------------------------------------------------------

start_python() {
    # In a session of its own, so that all of it can be stopped together.
    setsid sh tests/run_python.sh "$results" "$((jobs + 1))" "$library" \
        >"$results/python.txt" 2>&1 &
    python_process=$!
    trap 'kill -- "-$python_process" 2>/dev/null' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# The first configuration builds ngtcp2 and wolfSSL, which both parts need. In a short run both take
# the library of the C++ part, too: its flags are good for the Python module as well.
library=
[ -n "$long" ] || [ "$preset" != dev ] || library="build/$preset/libquicchat_compiled.a"
configured=1
heading "configuration (preset $preset)"
cmake --preset "$preset" "-DQUICCHAT_LONG_TESTS=$([ -n "$long" ] && echo ON || echo OFF)" ||
    configured=
[ "$jobs" -gt 1 ] && start_python

# --- C++ -----------------------------------------------------------------------------------------

# run_ctest SUITE PRESET
# One more at a time than there are processors: some tests wait for a lock or a disk.
run_ctest() {
    scale=${QUICCHAT_TEST_TIMEOUT_SCALE:-$(python3 tests/timeout_scale.py "$((2 * jobs))")}
    QUICCHAT_TEST_TIMEOUT_SCALE="$scale" \
        ctest --preset "$2" --parallel "$((jobs + 1))" --output-junit "$PWD/$results/$1.xml"
    status=$?
    if [ "$status" -ne 0 ] && [ "${QUICCHAT_TEST_AGAIN:-}" = 1 ]; then
        echo "$1: what failed runs again"
        QUICCHAT_TEST_TIMEOUT_SCALE="$scale" \
            ctest --preset "$2" --rerun-failed --output-junit "$PWD/$results/$1_again.xml"
        status=$?
        python3 tests/count_results.py --merge "$results/$1.xml" "$results/$1_again.xml" |
            sed "s/^/$1: /" >>"$results/again.txt"
    fi
    count "$1" junit "$results/$1.xml" "$status"
}

heading "C++ build"
[ -z "$configured" ] ||
    cmake --build --preset "$preset" --parallel "$jobs" --target quicchat_compiled
echo $? >"$results/library.status"
if [ -n "$configured" ] && cmake --build --preset "$preset" --parallel "$jobs"; then
    heading "ctest"
    run_ctest ctest "$preset"
else
    fail "ctest: the C++ build failed"
fi

# clang without its runtime compiles, and does not link.
has_fuzzer() {
    printf '#include <cstddef>\n#include <cstdint>\n%s\n' \
        'extern "C" int LLVMFuzzerTestOneInput(const uint8_t*, size_t) { return 0; }' |
        clang++ -x c++ -fsanitize=fuzzer,address,undefined - -o build/has_fuzzer >/dev/null 2>&1
}

# For so few inputs as in the short run it takes longer to optimise the programs than to run them,
# and a check of each address's alignment takes two fifths of compiling them.
if [ -n "$long" ]; then
    set -- -DQUICCHAT_FUZZ_RUNS=1000000 -DQUICCHAT_FUZZ_OPTIONS=
else
    set -- -DQUICCHAT_FUZZ_RUNS=1000 "-DCMAKE_CXX_FLAGS_DEBUG=-g1 -O0" \
        -DQUICCHAT_FUZZ_OPTIONS=-fno-sanitize=alignment
fi
heading "fuzzers"
if ! has_fuzzer; then
    echo "fuzzers: skipped: no clang with libFuzzer (Debian: clang, libclang-rt-14-dev)"
    skipped=$((skipped + 1))
elif cmake --preset fuzz "$@" &&
    cmake --build --preset fuzz --parallel "$jobs"; then
    run_ctest fuzzers fuzz
else
    fail "fuzzers: the build failed"
fi

if [ -n "$long" ]; then
    unset QUICCHAT_SIM_SEEDS  # as many as usual are enough for the sanitizers
    for sanitizer in asan tsan; do
        heading "$sanitizer"
        if cmake --preset "$sanitizer" && cmake --build --preset "$sanitizer" --parallel "$jobs"
        then
            run_ctest "$sanitizer" "$sanitizer"
        else
            fail "$sanitizer: the build failed"
        fi
    done
fi

# --- What Python said ----------------------------------------------------------------------------

[ "$jobs" -gt 1 ] || start_python
heading "Python: waiting for the end"
wait "$python_process"
trap - EXIT
cat "$results/python.txt"
heading "results of Python"
for suite in pytest unittest; do
    if [ -e "$results/$suite.status" ]; then
        read -r status <"$results/$suite.status"
        case $suite in
        pytest) count pytest junit "$results/pytest.xml" "$status" ;;
        unittest)
            sed -n 's/^passed only when it ran again, alone: /unittest: /p' \
                "$results/unittest.txt" >>"$results/again.txt"
            count unittest unittest "$results/unittest.txt" "$status"
            ;;
        esac
    else
        fail "$suite: did not run, see above"
    fi
done

if [ -n "$long" ]; then
    # Each with its settings in pyproject.toml.
    heading "mypy, pyright and ruff"
    if python3 -m venv --clear build/checkers &&
        build/checkers/bin/python -m pip install --quiet mypy pyright ruff prompt_toolkit textual \
            prometheus_client pytest; then
        for checker in "mypy --strict python/quicchat" \
            "pyright --pythonpath build/checkers/bin/python" "ruff check python/quicchat examples"
        do
            # shellcheck disable=SC2086 # words, to be split
            if build/checkers/bin/python -m $checker; then
                passed=$((passed + 1))
            else
                fail "$checker: it found something, see above"
            fi
        done
    else
        fail "mypy, pyright and ruff: they could not be installed"
    fi

    heading "documentation"
    if ! command -v doxygen >/dev/null 2>&1; then
        echo "documentation: skipped: no doxygen (Debian: doxygen)"
        skipped=$((skipped + 1))
    elif PYTHON="$PWD/build/venv/bin/python" sh examples/guides/build_site.sh; then
        passed=$((passed + 1))
    else
        fail "documentation: it has warnings, see above"
    fi
fi

finish
