#!/usr/bin/env python3
"""Measures quicchat's Python package against `websockets` with TLS, in turn, and prints medians
and ratios.

    pip install . websockets && python3 tests/bench/python_peer.py [--rounds 5] [--readers 1,10]
                                                                   [--base FOLDER]

Both have a server, a publisher and readers, each a process of its own; texts have 100 bytes, each
message is acknowledged, and the log is in memory. The publisher and the readers of `websockets`
speak JSON, which is what a chat upon it would do. "one at a time" sends, awaits and sends again;
"64 under way" has 64 tasks that do so; readers have `async for`. `--base` is a folder with an
earlier build of quicchat, which is measured as well. Wall-clock figures depend on what else the
machine does, seconds of the processor hardly.
"""

import argparse
import asyncio
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXT = "x" * 100
PASSWORD = "pass word"
COUNTS = {1: 2000, 64: 8000}  # what an account may store at once


# The two systems: each has a server, a way to send and await the answer, and events.


async def quicchat_server(folder):
    import quicchat

    names = ["publisher", *(f"reader{i}" for i in range(32))]
    fast, wide = 1_000_000, 1 << 40
    config = quicchat.ServerConfig(
        "127.0.0.1", 0, folder / "server.crt", folder / "server.key", iterations=100_000,
        limits=quicchat.Limits(messages_per_account=fast, messages_per_room=fast,
                               messages_per_prefix=fast, output_bytes_per_account=wide),
        accounts=tuple(quicchat.Account(name, PASSWORD) for name in names))
    async with quicchat.serve(config) as server:
        print(server.address[1], server.fingerprint, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def quicchat_connection(name, port, fingerprint, **options):
    import quicchat

    return quicchat.connect("127.0.0.1", port, user=name, password=PASSWORD,
                            tls=quicchat.TLS.pin(fingerprint), **options)


async def quicchat_publisher(port, fingerprint, _, measure):
    async with quicchat_connection("publisher", port, fingerprint, events=False) as chat:
        room = await chat.join("#lobby")
        await measure(lambda: room.send(TEXT))


async def quicchat_reader(name, port, fingerprint, count, begun, ended):
    async with quicchat_connection(name, port, fingerprint) as chat:
        room = await chat.join("#lobby")
        events = room.events()
        begun()
        import quicchat

        async for event in events:
            if isinstance(event, quicchat.Message) and len(event.text) == len(TEXT):
                count -= 1
                if not count:
                    ended()
                    return


async def websockets_server(folder):
    from websockets.asyncio.server import broadcast, serve

    readers = set()
    offset = 0

    async def handle(connection):
        nonlocal offset
        if await connection.recv() == "read":
            readers.add(connection)
            await connection.send("{}")
            await connection.wait_closed()
            readers.discard(connection)
            return
        async for raw in connection:
            message = json.loads(raw)
            offset += 1
            broadcast(readers, json.dumps({"room": "#lobby", "offset": offset,
                                           "time": time.time(), "sender": "publisher",
                                           "text": message["text"]}))
            await connection.send(json.dumps({"id": message["id"], "offset": offset}))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    async with serve(handle, "127.0.0.1", 0, ssl=context, compression=None) as server:
        print(server.sockets[0].getsockname()[1], "-", flush=True)
        await asyncio.to_thread(sys.stdin.read)


def websockets_connection(port):
    from websockets.asyncio.client import connect

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return connect(f"wss://127.0.0.1:{port}", ssl=context, compression=None)


async def websockets_publisher(port, _, window, measure):
    async with websockets_connection(port) as connection:
        await connection.send("publish")
        waiting = {}
        numbers = iter(range(1 << 62))

        async def take():
            async for raw in connection:
                answer = json.loads(raw)
                waiting.pop(answer["id"]).set_result(answer)

        async def send():
            number = next(numbers)
            future = waiting[number] = asyncio.get_running_loop().create_future()
            await connection.send(json.dumps({"id": number, "text": TEXT}))
            return await future

        async def send_alone():
            await connection.send(json.dumps({"id": next(numbers), "text": TEXT}))
            return json.loads(await connection.recv())

        if window == 1:
            await measure(send_alone)
            return
        reader = asyncio.create_task(take())
        await measure(send)
        reader.cancel()


async def websockets_reader(_, port, __, count, begun, ended):
    async with websockets_connection(port) as connection:
        await connection.send("read")
        await connection.recv()
        begun()
        async for raw in connection:
            if len(json.loads(raw)["text"]) == len(TEXT):
                count -= 1
                if not count:
                    ended()
                    return


# Roles: what runs in a process of its own.


async def publish(kind, port, fingerprint, window, count):
    async def measure(send):
        async def some(number):
            for _ in range(number):
                await send()

        print("ready", flush=True)
        sys.stdin.readline()
        wall, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(window):
                tasks.create_task(some(count // window))
        print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)

    await globals()[f"{kind}_publisher"](port, fingerprint, window, measure)


async def read(kind, name, port, fingerprint, count):
    cpu = end = 0.0

    def begun():
        nonlocal cpu
        print("ready", flush=True)
        cpu = time.process_time()

    def ended():
        nonlocal cpu, end
        cpu, end = time.process_time() - cpu, time.monotonic()

    await globals()[f"{kind}_reader"](name, port, fingerprint, count, begun, ended)
    print(end, cpu, flush=True)


def role(arguments):
    match arguments:
        case ["server", kind, folder]:
            asyncio.run(globals()[f"{kind}_server"](Path(folder)))
        case ["publish", kind, port, key, window, count]:
            asyncio.run(publish(kind, int(port), key, int(window), int(count)))
        case ["read", kind, name, port, key, count]:
            asyncio.run(read(kind, name, int(port), key, int(count)))


# The comparison.


def start(path, *arguments):
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    command = [sys.executable, __file__, "--role", *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env=environment)


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(kind, path, folder, window, readers):
    """{figure: value} of one run."""
    count = COUNTS[window] // window * window
    server = start(path, "server", kind, folder)
    port, key = server.stdout.readline().split()
    others = [start(path, "read", kind, f"reader{i}", port, key, count) for i in range(readers)]
    for other in others:
        assert other.stdout.readline() == "ready\n"
    publisher = start(path, "publish", kind, port, key, window, count)
    assert publisher.stdout.readline() == "ready\n"
    before = cpu_of(server.pid)
    began = time.monotonic()
    publisher.stdin.write("\n")
    publisher.stdin.flush()
    wall, cpu = map(float, publisher.stdout.readline().split())
    ends = [tuple(map(float, other.stdout.readline().split())) for other in others]
    found = {"sends/s": count / wall, "publisher us": cpu / count * 1e6,
             "server us": (cpu_of(server.pid) - before) / count * 1e6}
    if ends:
        found["events/s"] = count / (max(end for end, _ in ends) - began)
        found["reader us"] = statistics.mean(cpu for _, cpu in ends) / count * 1e6
        found["all us"] = (found["publisher us"] + found["server us"]
                           + found["reader us"] * readers)
    for process in (publisher, *others, server):
        process.communicate("")
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--readers", default="1,10")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        role(options.role)
        return
    systems = {"quicchat": ("quicchat", None), "websockets": ("websockets", None)}
    if options.base:
        systems["base"] = ("quicchat", options.base.resolve())
    from quicchat.certificates import make_pair

    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        make_pair(Path(folder, "server.crt"), Path(folder, "server.key"), ["127.0.0.1"])
        ways = [(1, 1), *((64, int(count)) for count in options.readers.split(","))]
        for number in range(options.rounds):
            for way in ways:
                names = list(systems)
                first = number % len(names)  # who comes first finds another machine
                for name in names[first:] + names[:first]:
                    kind, path = systems[name]
                    print(f"\rround {number + 1}: {name}, {way}   ", end="", file=sys.stderr)
                    for figure, value in run(kind, path, folder, *way).items():
                        rows.setdefault((*way, figure), {}).setdefault(name, []).append(value)
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    print("| under way | readers | figure |", " | ".join(systems), "|",
          " | ".join(f"quicchat / {name}" for name in list(systems)[1:]), "|")
    print("|---" * (2 + 2 * len(systems)) + "|")
    for (window, readers, figure), values in rows.items():
        middle = {name: statistics.median(found) for name, found in values.items()}
        ratios = [statistics.median(a / b for a, b in zip(values["quicchat"], values[name],
                                                          strict=True) if b)
                  for name in list(systems)[1:]]
        print(f"| {window} | {readers} | {figure} |",
              " | ".join(f"{value:.4g}" for value in middle.values()), "|",
              " | ".join(f"{ratio:.2f}" for ratio in ratios), "|")


if __name__ == "__main__":
    main()
