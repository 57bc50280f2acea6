#!/usr/bin/env python3
"""Measures builds of quicchat and what people would take in its place in turn, A B A B, and prints
medians and their ratio to one of them.

    cmake --preset release
    cmake --build --preset release --target bench_qc_server bench_qc_load bench_peer_load
    python3 tests/bench/compare.py [--build NAME=FOLDER ...] [--peers nats,mosquitto] [--rounds 5]
                                   [--members 10,100,1000,4000] [--modes b1,b30,s256]
                                   [--parts flood,idle,handshakes,acks,rooms,shards,loss]
                                   [--out FIGURES.jsonl]
    python3 tests/bench/compare.py --table FIGURES.jsonl
    python3 tests/bench/plots.py FIGURES.jsonl PICTURE.svg

A build is a folder with `qc_server` and `qc_load`; without --build it is
build/release/tests/bench alone. Peers are those of nats-server and mosquitto that are installed
(Debian's packages), with TLS 1.3, driven by `peer_load` of the first build; OpenSSL's headers
(libssl-dev) are needed for that. Each server is a process of its own, on core 1 where there are
two, and the clients are another, on core 0. Times are the server's CPU: b1 is one message at a time
to all members, b30 bursts of 30, s256 a stream with 256 under way. Memory is what an idle
connection in a room adds; a handshake has a login, at quicchat; acks is from publish to
acknowledgement, by level of the log, and what the disk alone takes for a commit; rooms is b1 where
each of 100 members is in 100 rooms; shards is 1000 members in 10 rooms by one thread, and by two
beside that of the chat, on both cores.
loss (by request only, and as root: see lossy_link.py) is 50 messages a second to 20 members over a
link that takes 20 ms and loses 3 % each way: how late they come, in one room, over 8 rooms, and in
7 quiet rooms (10 a second) beside a busy one (200), with another seed of the link each round.

"others" is what else ran meanwhile, in percent of one core: figures beside much of that compare
badly. The other two columns are how busy the server and the clients were.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from lossy_link import LossyLink

ROOT = pathlib.Path(__file__).resolve().parents[2]
DELIVERIES = {"b1": 100_000, "b30": 900_000, "s256": 900_000}
PEERS = {"nats": "nats-server", "mosquitto": "mosquitto"}
PATIENCE = 10 * float(os.environ.get("QUICCHAT_TEST_TIMEOUT_SCALE", "1"))


def on_core(number):
    if (os.cpu_count() or 1) > 1 and shutil.which("taskset"):
        return ["taskset", "-c", str(number)]
    return []


def host_of(link):
    return link.address if link is not None else "127.0.0.1"


def at_server(link):
    return link.at_server if link is not None else []


def at_client(link):
    return link.at_client if link is not None else []


class Build:
    """A build of quicchat, in a folder."""

    parts = ("flood", "idle", "handshakes", "acks", "rooms", "shards", "loss")

    def __init__(self, folder, port):
        self.folder, self.port = folder, port

    @contextlib.contextmanager
    def server(self, *options, pinned=True, link=None):
        """Yields the process's number."""
        command = [*(on_core(1) if pinned else []), *at_server(link), self.folder / "qc_server",
                   "--host", host_of(link), "--port", str(self.port), *map(str, options)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout.readline() != "ready\n":
                sys.exit(f"{self.folder}/qc_server did not start")
            yield process
        finally:
            process.terminate()
            self.said = process.stdout.read()
            process.wait()

    def load(self, process, *options, pinned=True, link=None):
        return run_load([*(on_core(0) if pinned else []), *at_client(link), self.folder / "qc_load",
                         "--host", host_of(link), "--port", self.port, "--pid", process.pid,
                         *options])


class Peer:
    """Another server, driven by `peer_load`."""

    parts = ("flood", "idle", "handshakes", "rooms", "loss")

    def __init__(self, name, loader, port):
        self.name, self.loader, self.port = name, loader, port

    @contextlib.contextmanager
    def server(self, *_, pinned=True, link=None):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            command = [*on_core(1), *at_server(link), PEERS[self.name], "-c",
                       self.configure(folder, host_of(link))]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                self.wait(process, link)
                yield process
            finally:
                process.terminate()
                process.wait()

    def configure(self, folder, host):
        """Writes a certificate and a configuration; returns the latter's path."""
        pair = [folder / "server.crt", folder / "server.key"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=localhost", "-out", pair[0], "-keyout", pair[1]],
            check=True, capture_output=True)
        pair[1].chmod(0o644)
        path = folder / "server.conf"
        if self.name == "nats":
            path.write_text(
                f"listen: {host}:{self.port}\nmax_connections: 60000\nmax_pending: 268435456\n"
                f'write_deadline: "30s"\ntls {{ cert_file: "{pair[0]}", key_file: "{pair[1]}", '
                "timeout: 30 }\n")
        else:
            path.write_text(
                f"listener {self.port} {host}\nallow_anonymous true\ncertfile {pair[0]}\n"
                f"keyfile {pair[1]}\ntls_version tlsv1.3\nset_tcp_nodelay true\n"
                f"max_queued_messages 100000\nlog_type error\n")
        return path

    def wait(self, process, link):
        """Until it listens."""
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            if self.is_listening(link):
                return
            time.sleep(0.05)
        sys.exit(f"{PEERS[self.name]} did not start")

    def is_listening(self, link):
        if link is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return True
            return False
        found = subprocess.run([*link.at_server, "ss", "-Hlnt", f"sport = :{self.port}"],
                               capture_output=True, check=True)
        return bool(found.stdout)

    def load(self, process, *options, pinned=True, link=None):
        protocol = {"nats": "nats", "mosquitto": "mqtt"}[self.name]
        return run_load([*on_core(0), *at_client(link), self.loader, "--proto", protocol,
                         "--host", host_of(link), "--port", self.port, "--pid", process.pid,
                         *options])


def run_load(command):
    """The fields that a load client prints: {"p50": 320.0, ...}."""
    run = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with status {run.returncode}")
    line = run.stdout.strip().splitlines()[-1]
    return {key: float(value) for key, value in re.findall(r"([\w./>]+)=(-?[\d.]+)", line)}


def flood_options(mode, members):
    count = max(DELIVERIES[mode] // members // (2 if members < 50 else 1), 1)
    if mode == "b1":
        return ["--flood", count, "--burst", 1]
    if mode == "b30":
        return ["--flood", -(-count // 30) * 30, "--burst", 30]
    return ["--flood", max(count, 512), "--window", 256]


def delivery(row, fields):
    if fields["lost"] or fields["gaps"]:
        sys.exit(f"{row}: {fields['lost']} lost, {fields['gaps']} gaps")
    return {"row": row, "figure": fields["server_cpu_s/M"], "unit": "us/delivery",
            "others": fields["others"], "server": fields["server_util"],
            "clients": fields["client_util"]}


def measure_sync(folder, commits=500):
    """What the disk alone takes of a commit in a WAL, which grows as one does; p50 in us."""
    frame = bytes(24 + 4096)
    times = []
    with open(pathlib.Path(folder) / "sync", "wb", buffering=0) as file:
        for _ in range(commits):
            begin = time.perf_counter()
            file.write(frame)
            file.write(frame)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return 1e6 * statistics.median(times)


def measure_shards(system):
    """What two shards cost, and that each has its half."""
    for shards in (0, 2):
        options = ["--rooms", 10, *(["--shards", shards] if shards else [])]
        with system.server(*options, pinned=False) as process:
            fields = system.load(process, "--subs", 1000, "--rooms", 10, "--flood", 600,
                                 "--burst", 1, pinned=False)
        name = f"by {shards} shards" if shards else "by one thread"
        yield delivery(f"b1, 1000 members of 10 rooms, {name}", fields)
        times = [float(time) for time in re.findall(r"shard ([\d.]+) s", system.said)]
        if times:
            yield {"row": "share of the busier shard", "figure": 100 * max(times) / sum(times),
                   "unit": "%"}


def measure_loss(system, seed):
    """How late messages come where packets are lost."""
    scenes = {"one room": (["--rate", 50], []), "8 rooms": (["--rate", 50], ["--rooms", 8])}
    if isinstance(system, Build):
        scenes["7 quiet rooms beside a busy one"] = (["--rate", 10, "--busy", 200], ["--rooms", 8])
    for name, (rates, rooms) in scenes.items():
        with LossyLink(delay=0.020, loss=0.03, seed=seed) as link, \
                system.server(*rooms, link=link) as process:
            fields = system.load(process, "--subs", 20, "--conc", 8, "--secs", 20, "--base", 55,
                                 *rates, *rooms, link=link)
        yield {"row": f"3 % loss, {name}: p99", "figure": fields["p99"] / 1000, "unit": "ms"}
        yield {"row": f"3 % loss, {name}: later than 55 ms", "figure": fields["delayed>55ms"],
               "unit": "%"}


def measure(system, options, seed):
    """Yields the figures of one round of one system."""
    parts = [part for part in options.parts.split(",") if part in system.parts]
    if "flood" in parts:
        for count in map(int, options.members.split(",")):
            for mode in options.modes.split(","):
                with system.server() as process:
                    fields = system.load(process, "--subs", count, *flood_options(mode, count))
                yield delivery(f"{mode}, {count} members", fields)
    if "idle" in parts:
        with system.server() as process:
            fields = system.load(process, "--subs", options.idle, "--idle", 1, "--conc", 32)
            yield {"row": f"idle, {options.idle} connections", "figure": fields["KiB/conn"],
                   "unit": "KiB"}
    if "handshakes" in parts:
        with system.server() as process:
            fields = system.load(process, "--handshakes", 800)
            yield {"row": "handshake", "figure": fields["server_cpu_ms/conn"], "unit": "ms"}
    if "acks" in parts:
        for level in ("memory", "process", "fsync"):
            with tempfile.TemporaryDirectory() as database, \
                    system.server("--log", level, "--path", f"{database}/chat.db") as process:
                fields = system.load(process, "--subs", 1, "--acks", 2000, "--window", 1)
                if level == "fsync":
                    yield {"row": "two frames of a WAL and their sync", "unit": "us",
                           "figure": measure_sync(database)}
            yield {"row": f"publish to Ack, {level}", "figure": fields["p50"], "unit": "us"}
    if "rooms" in parts:
        for rooms in (1, 100):
            with system.server(*(["--rooms", rooms] if rooms > 1 else [])) as process:
                fields = system.load(process, "--subs", 100, "--rooms", rooms,
                                     *flood_options("b1", 100))
            yield delivery(f"b1, 100 members of {rooms} room{'s' * (rooms > 1)}", fields)
    if "shards" in parts:
        yield from measure_shards(system)
    if "loss" in parts:
        yield from measure_loss(system, seed)


def print_table(figures, base):
    rows = {}
    for figure in figures:
        of_row = rows.setdefault((figure["row"], figure["unit"]), {})
        of_row.setdefault(figure["system"], []).append(figure)

    def median(of_system, key):
        values = [figure[key] for figure in of_system if key in figure]
        return statistics.median(values) if values else None

    print(f"| what | system | median (least to most) | unit | ratio to {base} "
          "| server % | clients % | others % |")
    print("|---|---|---|---|---|---|---|---|")
    for (row, unit), systems in rows.items():
        to = median(systems[base], "figure") if base in systems else None
        for name, of_system in systems.items():
            values = [figure["figure"] for figure in of_system]
            middle = statistics.median(values)
            spread = f"{middle:.4g} ({min(values):.4g} to {max(values):.4g})"
            ratio = f"{middle / to:.2f}" if to else ""
            rest = [median(of_system, key) for key in ("server", "clients", "others")]
            print(f"| {row} | {name} | {spread} | {unit} | {ratio} | "
                  + " | ".join("" if value is None else f"{value:.0f}" for value in rest) + " |")


def make_systems(options, parser):
    builds = dict(build.split("=", 1) for build in options.build) or {
        "quicchat": ROOT / "build/release/tests/bench"}
    systems = {name: Build(pathlib.Path(folder), options.port) for name, folder in builds.items()}
    for build in systems.values():
        if not (build.folder / "qc_load").exists():
            parser.error(f"{build.folder} has no qc_load: see --help")
    loader = next(iter(systems.values())).folder / "peer_load"
    wanted = options.peers.split(",") if options.peers is not None else [
        name for name, program in PEERS.items() if shutil.which(program) and loader.exists()]
    for number, name in enumerate(filter(None, wanted)):
        if name not in PEERS:
            parser.error(f"{name} is none of {', '.join(PEERS)}")
        if not shutil.which(PEERS[name]) or not loader.exists():
            parser.error(f"{name} needs {PEERS[name]} and {loader}: see --help")
        systems[name] = Peer(name, loader, options.port + 1 + number)
    return systems


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--peers", help='"": none; default: all that are installed')
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", default="10,100,1000,4000")
    parser.add_argument("--modes", default="b1,b30,s256")
    parser.add_argument("--parts", default="flood,idle,handshakes,acks,rooms,shards")
    parser.add_argument("--idle", type=int, default=2000, help="how many idle connections")
    parser.add_argument("--port", type=int, default=21600)
    parser.add_argument("--base", help="what ratios are to; default: nats, or the first build")
    parser.add_argument("--out", type=pathlib.Path, help="keeps each figure, a line of JSON each")
    parser.add_argument("--table", type=pathlib.Path, help="prints the table of such a file")
    options = parser.parse_args()
    if options.table is not None:
        figures = [json.loads(line) for line in options.table.read_text().splitlines()]
    else:
        systems = make_systems(options, parser)
        figures = []
        for number in range(options.rounds):
            for name, system in systems.items():
                if sys.stderr.isatty():
                    print(f"\r\033[Kround {number + 1} of {options.rounds}: {name}", end="",
                          file=sys.stderr, flush=True)
                for figure in measure(system, options, seed=number + 1):
                    figures.append({"system": name, "round": number, **figure})
                    if options.out is not None:
                        with options.out.open("a") as file:
                            print(json.dumps(figures[-1]), file=file)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
    names = list(dict.fromkeys(figure["system"] for figure in figures))
    print_table(figures, options.base or ("nats" if "nats" in names else names[0]))


if __name__ == "__main__":
    main()
