#!/bin/sh
# The Python part of run.sh: installs the package and runs pytest and unittest.
#   run_python.sh RESULTS PROCESSES [LIBRARY]
# With LIBRARY, libquicchat_compiled.a of the preset "dev", the module links it, with its assertions, as
# soon as RESULTS/library.status is there, and is hardly optimised itself: it hands on what that does.
# Leaves in RESULTS how the suites ended, *.status, and what they ran, pytest.xml and unittest.txt.
set -u
results=$1
processes=$2
library=${3-}
begin=$(date +%s)

heading() {
    printf '\n--- %s (after %s s)\n' "$*" "$(($(date +%s) - begin))"
}

heading "the web page"
python3 -m venv --clear build/venv || exit
python="$PWD/build/venv/bin/python"
# It needs nothing of the package, and is built while the C++ part compiles the library.
sh tests/prepare_web.sh "$python"
# Without a compiler the tests that need the page are skipped; a page that cannot be compiled fails.
[ $? -eq 3 ] || export QUICCHAT_WEB_TESTS=1

heading "pip install"
set --
if [ -n "$library" ]; then
    while [ ! -e "$results/library.status" ]; do sleep 1; done
    set -- -C cmake.build-type=Debug -C "cmake.define.CMAKE_CXX_FLAGS_DEBUG=-g0 -Og -DNDEBUG" \
        -C "cmake.define.QUICCHAT_COMPILED_LIBRARY=$PWD/$library"
fi
# One compiler at a time: run.sh uses the others.
CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-1} \
    "$python" -m pip --disable-pip-version-check install "$@" '.[test,metrics]' || exit

scale=${QUICCHAT_TEST_TIMEOUT_SCALE:-$("$python" tests/timeout_scale.py "$processes")}
export QUICCHAT_TEST_TIMEOUT_SCALE="$scale"
echo "deadlines are $scale times as long as on a calm machine"

heading "pytest"
"$python" -m pytest tests/python -p no:cacheprovider --junitxml="$results/pytest.xml"
echo $? >"$results/pytest.status"

heading "unittest"
"$python" tests/side_by_side.py "$processes" >"$results/unittest.txt" 2>&1
echo $? >"$results/unittest.status"
cat "$results/unittest.txt"

heading "end"
