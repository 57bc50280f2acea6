#!/usr/bin/env python3
"""Counts what a delivery, a handshake and an idle connection cost the server, and fails if it has
become more.

    measure.py --program build/dev/tests/costs --library LIBWOLFSSL --compiler "gcc 12" [WHAT ...]
    measure.py ... --update     writes what it counted into costs.json

WHAT is single, burst, stream, handshake, rooms_100, pages_100 or idle; all of them by default. All
but idle are instructions that callgrind counts of the server's part of `costs`, whatever machine
runs it, for each delivery or handshake. What the CPU decides is left out: wolfSSL, whose assembly
is chosen at run time, and the C library's copies. "idle" is bytes of memory. "rooms_100" is single
where each member is in a hundred rooms, which take turns. "pages_100" is single at a server for web
pages, of which a hundred are connected; pages_none and pages_1 compare with it. More than 3 % above
what costs.json has for the compiler is a failure; a compiler that it does not have is skipped.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).with_name("costs.json")
TOLERANCE = 1.03
SKIPPED = 4
COUNTED = "*quicchat_count_this*"  # the function in costs.cpp
CHOSEN_BY_CPU = re.compile(r"__(mem|str|wmem|wcs)\w+_(sse|ssse|avx|evex|erms)\w*")


def symbols_of(library):
    """The functions of a static library."""
    listing = subprocess.run(
        ["nm", "--defined-only", library], capture_output=True, text=True, check=True
    ).stdout
    return {line.split()[2] for line in listing.splitlines() if re.match(r"[0-9a-f]+ [tT] ", line)}


def instructions_by_function(profile):
    """Of a callgrind profile: what each function did itself."""
    names, counts, function, skip = {}, {}, None, False
    for line in profile.splitlines():
        if match := re.match(r"(c?fn)=\((\d+)\)(?: (.*))?$", line):
            kind, number, name = match.groups()
            if name is not None:
                names[number] = name
            if kind == "fn":
                function = names[number]
        elif line.startswith("calls="):
            skip = True  # the next line is what the callee did
        elif match := re.match(r"[+\-*\d]\S* (\d+)$", line):
            if not skip and function is not None:
                counts[function] = counts.get(function, 0) + int(match[1])
            skip = False
    return counts


def valgrind_runs():
    """Not on every processor: there are new ones whose instructions it does not know."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def profile_of(program, what, *options):
    """How many deliveries or handshakes there were, and the instructions of each function."""
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder) / "profile"
        run = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                "--collect-atstart=no",
                f"--toggle-collect={COUNTED}",
                f"--callgrind-out-file={profile}",
                *options,
                program,
                what,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            sys.exit(f"costs {what} ended with status {run.returncode}:\n{run.stderr[-2000:]}")
        return int(run.stdout), instructions_by_function(profile.read_text())


def count(program, what, left_out):
    """Instructions for each delivery or handshake."""
    # The program tells callgrind when to begin, if it was built with valgrind's header.
    done, counts = profile_of(program, what, "--instr-atstart=no")
    if not counts:
        done, counts = profile_of(program, what)
    total = sum(counts.values())
    ours = sum(
        n for name, n in counts.items() if name not in left_out and not CHOSEN_BY_CPU.match(name)
    )
    if ours == 0 or ours < total / 20:
        sys.exit(f"costs {what}: {ours} of {total} instructions are ours, which cannot be")
    return round(ours / done)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "what",
        nargs="*",
        default=["single", "burst", "stream", "handshake", "rooms_100", "pages_100", "idle"],
        metavar="WHAT",
    )
    parser.add_argument("--program", required=True, help="the program `costs`")
    parser.add_argument(
        "--library", required=True, help="libwolfssl.a, whose functions are left out"
    )
    parser.add_argument(
        "--compiler", required=True, help="name and main version: its line in costs.json"
    )
    parser.add_argument(
        "--update", action="store_true", help="write what is counted into costs.json"
    )
    options = parser.parse_args()

    if not valgrind_runs():
        print("skipped: valgrind does not run here")
        return SKIPPED
    table = json.loads(TABLE.read_text())
    known = table.setdefault(options.compiler, {})
    left_out = symbols_of(options.library)
    failed = missing = False
    for what in options.what:
        if what == "idle":
            run = subprocess.run(
                [options.program, "idle"], capture_output=True, text=True, check=True
            )
            now, unit = int(run.stdout), "bytes"
        else:
            now, unit = count(options.program, what, left_out), "instructions"
        before = known.get(what)
        if options.update or before is None:
            known[what], verdict = now, "written" if options.update else "nothing to compare with"
            missing |= not options.update
        else:
            failed |= now > before * TOLERANCE
            verdict = f"{now / before:.3f} times the {before} of costs.json"
            if now > before * TOLERANCE:
                verdict += ": too much. What is meant to cost more is written by --update."
        print(f"{what}: {now} {unit}, {verdict}")
    if options.update:
        TABLE.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n")
    if failed:
        return 1
    if missing:
        print(f"skipped: costs.json has no numbers for {options.compiler}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
