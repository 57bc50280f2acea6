#!/bin/sh
# Many inputs for each fuzzer. `sh tests/fuzz/long.sh --help` says more.
set -u

usage() {
    cat <<'END'
usage: tests/fuzz/long.sh [RUNS] [TARGET...]

Tries so many inputs (1000000) on each target, or on those that are named, as many at once as there
are processors. Goes on from what earlier runs found out, in build/fuzz/known/. Says at the end how
many inputs each target had. An input that fails is put into tests/fuzz/corpus/TARGET/, where every
run of the tests begins: mend what it found, and commit both.

The exit status is 0 only if every target had all its inputs and none failed. JOBS says how many run
at once.
END
}

case ${1:-} in --help | -h) usage && exit 0 ;; esac
runs=1000000
case ${1:-} in [1-9]*) runs=$1 && shift ;; esac

exec </dev/null
cd "$(dirname "$0")/../.." || exit 1
programs=build/fuzz/tests/fuzz
corpus=tests/fuzz/corpus
known=build/fuzz/known
logs=build/fuzz/logs
mkdir -p "$known" "$logs"

# "TARGET PROGRAM" a line.
list_targets() {
    for program in "$programs"/*_fuzz; do
        QUICCHAT_FUZZ_TARGET='' "$program" -runs=0 "-artifact_prefix=$logs/" 2>&1 |
            sed -n 's/.* none of: //p' | tr ' ' '\n' | sed "s|\$| $program|"
    done
}

run_target() {
    found=$corpus/$1/found-
    mkdir -p "$known/$1"
    # Choosing by entropy takes more time than most inputs: up to 6 times as many are tried without.
    # A small quarantine and short stacks of who had memory: half the time for what needs much of it.
    ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=8:malloc_context_size=3} \
    QUICCHAT_FUZZ_TARGET=$1 "$2" "-runs=$runs" -entropic=0 -timeout=300 -report_slow_units=300 \
        -print_funcs=0 -print_final_stats=1 "-artifact_prefix=$found" "$known/$1" "$corpus/$1" \
        >"$logs/$1" 2>&1
    status=$?
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$logs/$1")
    packets=$(sed -n 's/^stat::altered_packets: *\([1-9]\)/, altered packets: \1/p' "$logs/$1")
    if [ $status -eq 0 ]; then
        echo "$1: ${count:-0} inputs$packets, none failed"
    else
        echo "$1: FAILED after ${count:-?} inputs, see $logs/$1 and $(ls -t "$found"* 2>/dev/null |
            head -n 1)"
    fi
    return $status
}

if [ "${QUICCHAT_FUZZ_ONE:-}" ]; then # one of those below
    run_target "$@"
    exit $?
fi

cmake --preset fuzz && cmake --build --preset fuzz || exit 1
targets=$(list_targets)
if [ $# -gt 0 ]; then
    for name in "$@"; do
        echo "$targets" | grep -q "^$name " || { echo "there is no target $name" >&2 && exit 64; }
    done
    targets=$(for name in "$@"; do echo "$targets" | grep "^$name "; done)
fi
echo "$targets" | QUICCHAT_FUZZ_ONE=1 xargs -P "${JOBS:-$(nproc 2>/dev/null || echo 2)}" -L 1 \
    sh tests/fuzz/long.sh "$runs"
