#!/bin/sh
# The Python part of run.sh: installs the package and runs pytest and unittest.
#   run_python.sh RESULTS PROCESSES
# Leaves in RESULTS how the suites ended, *.status, and what they ran, pytest.xml and unittest.txt.
set -u
results=$1
processes=$2
begin=$(date +%s)

heading() {
    printf '\n--- %s (after %s s)\n' "$*" "$(($(date +%s) - begin))"
}

heading "pip install"
python3 -m venv --clear build/venv || exit
python="$PWD/build/venv/bin/python"
# One compiler at a time: run.sh uses the others.
CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-1} \
    "$python" -m pip --disable-pip-version-check install '.[test,metrics]' || exit

# The page takes other tools, and is built meanwhile.
sh tests/prepare_web.sh "$python" >"$results/web.txt" 2>&1 &
web_process=$!

scale=${QUICCHAT_TEST_TIMEOUT_SCALE:-$("$python" tests/timeout_scale.py "$processes")}
export QUICCHAT_TEST_TIMEOUT_SCALE="$scale"
echo "deadlines are $scale times as long as on a calm machine"

heading "pytest"
"$python" -m pytest tests/python -p no:cacheprovider --junitxml="$results/pytest.xml"
echo $? >"$results/pytest.status"

heading "the web page"
wait "$web_process"
web_status=$?
cat "$results/web.txt"
# Without a compiler the tests that need the page are skipped; a page that cannot be compiled fails.
[ "$web_status" -eq 3 ] || export QUICCHAT_WEB_TESTS=1

heading "unittest"
"$python" tests/side_by_side.py "$processes" >"$results/unittest.txt" 2>&1
echo $? >"$results/unittest.status"
cat "$results/unittest.txt"

heading "end"
