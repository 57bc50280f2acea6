#!/usr/bin/env python3
"""Measures builds of quicchat in turn, A B A B, and prints medians and their ratio to the first
build.

    cmake --preset release && cmake --build --preset release --target bench_qc_server bench_qc_load
    python3 tests/bench/compare.py [--build NAME=FOLDER ...] [--rounds 5] [--members 10,100,1000]
                                   [--modes b1,b30,s256] [--parts flood,idle,handshakes,acks]

A build is a folder with `qc_server` and `qc_load`; without --build it is
build/release/tests/bench alone. Each server is a process of its own, on core 1 where there are
two, and the clients are another, on core 0. Times are the server's CPU: b1 is one message at a
time to all members, b30 bursts of 30, s256 a stream with 256 under way. Memory is what an idle
connection in a room adds; a handshake has a login; acks is from publish to acknowledgement, by
level of the log. "others" is what else ran meanwhile, in percent of one core: figures beside
much of that compare badly.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DELIVERIES = {"b1": 100_000, "b30": 900_000, "s256": 900_000}
IDLE = 2000


def on_core(number):
    if (os.cpu_count() or 1) > 1 and shutil.which("taskset"):
        return ["taskset", "-c", str(number)]
    return []


@contextlib.contextmanager
def server(folder, port, *options):
    command = [*on_core(1), folder / "qc_server", "--port", str(port), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != "ready\n":
            sys.exit(f"{folder}/qc_server did not start")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def load(folder, port, pid, *options):
    """The fields that qc_load prints: {"p50": 320.0, ...}."""
    command = [
        *on_core(0),
        folder / "qc_load",
        "--port",
        str(port),
        "--pid",
        str(pid),
        *map(str, options),
    ]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"qc_load {' '.join(map(str, options))} ended with status {run.returncode}")
    line = run.stdout.strip().splitlines()[-1]
    return {key: float(value) for key, value in re.findall(r"([\w./>]+)=(-?[\d.]+)", line)}


def flood_options(mode, members):
    count = max(DELIVERIES[mode] // members // (2 if members < 50 else 1), 1)
    if mode == "b1":
        return ["--flood", count, "--burst", 1]
    if mode == "b30":
        return ["--flood", -(-count // 30) * 30, "--burst", 30]
    return ["--flood", max(count, 512), "--window", 256]


def measure(parts, members, modes, folder, port):
    """Yields (row, figure, unit, others in percent) of one round of one build."""
    if "flood" in parts:
        for count in members:
            with server(folder, port) as pid:
                for mode in modes:
                    fields = load(folder, port, pid, "--subs", count, *flood_options(mode, count))
                    if fields["lost"] or fields["gaps"]:
                        sys.exit(
                            f"{mode}, {count} members: {fields['lost']} lost, {fields['gaps']} gaps"
                        )
                    yield (
                        f"{mode}, {count} members",
                        fields["server_cpu_s/M"],
                        "us/delivery",
                        fields["others"],
                    )
    if "idle" in parts:
        with server(folder, port) as pid:
            fields = load(folder, port, pid, "--subs", IDLE, "--idle", 1, "--conc", 32)
            yield f"idle, {IDLE} connections", fields["KiB/conn"], "KiB", 0
    if "handshakes" in parts:
        with server(folder, port) as pid:
            fields = load(folder, port, pid, "--handshakes", 800)
            yield "handshake with login", fields["server_cpu_ms/conn"], "ms", 0
    if "acks" in parts:
        for level in ("memory", "process", "fsync"):
            with tempfile.TemporaryDirectory() as database:
                with server(folder, port, "--log", level, "--path", f"{database}/chat.db") as pid:
                    fields = load(folder, port, pid, "--subs", 1, "--acks", 2000, "--window", 1)
            yield f"publish to Ack, {level}", fields["p50"], "us", 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", default="10,100,1000")
    parser.add_argument("--modes", default="b1,b30,s256")
    parser.add_argument("--parts", default="flood,idle,handshakes,acks")
    parser.add_argument("--port", type=int, default=21600)
    options = parser.parse_args()
    builds = dict(build.split("=", 1) for build in options.build) or {
        "now": ROOT / "build/release/tests/bench"
    }
    builds = {name: pathlib.Path(folder) for name, folder in builds.items()}
    for folder in builds.values():
        if not (folder / "qc_load").exists():
            parser.error(f"{folder} has no qc_load: see --help")
    members = [int(count) for count in options.members.split(",")]

    rows, noise = {}, {}
    for number in range(options.rounds):
        for name, folder in builds.items():
            print(
                f"\rround {number + 1} of {options.rounds}: {name}   ",
                end="",
                file=sys.stderr,
                flush=True,
            )
            parts = options.parts.split(",")
            for row, figure, unit, others in measure(
                parts, members, options.modes.split(","), folder, options.port
            ):
                rows.setdefault((row, unit), {}).setdefault(name, []).append(figure)
                noise.setdefault((row, unit), []).append(others)
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)

    first = next(iter(builds))
    print("| what | build | median (least to most) | unit | ratio | others % |")
    print("|---|---|---|---|---|---|")
    for (row, unit), figures in rows.items():
        base = statistics.median(figures[first])
        others = statistics.median(noise[row, unit])
        for name, values in figures.items():
            middle = statistics.median(values)
            spread = f"{middle:.4g} ({min(values):.4g} to {max(values):.4g})"
            print(f"| {row} | {name} | {spread} | {unit} | {middle / base:.2f} | {others:.0f} |")


if __name__ == "__main__":
    main()
