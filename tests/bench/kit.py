"""What a test costs in memory, and over loopback with a server of its own: joins, sends, reads.

    python3 tests/bench/kit.py [ROUNDS]
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import quicchat
from quicchat.certificates import make_pair
from quicchat.testing import Network


async def talk(ada, bob):
    room = await ada.join("#lobby")
    await bob.join("#lobby")
    await room.send("hello")
    async for event in bob:
        if isinstance(event, quicchat.Message):
            return


async def in_memory():
    async with Network() as net:
        await talk(await net.connect("ada"), await net.connect("bob"))


def on_loopback(folder):
    make_pair(folder / "server.crt", folder / "server.key", ["127.0.0.1"])
    config = quicchat.ServerConfig(
        "127.0.0.1", 0, folder / "server.crt", folder / "server.key", iterations=100_000,
        accounts=tuple(quicchat.Account(name, "pass word") for name in ("ada", "bob")))

    async def main():
        async with quicchat.serve(config) as server:
            def connect(name):
                return quicchat.connect("127.0.0.1", server.address[1], user=name,
                                        password="pass word",
                                        tls=quicchat.TLS.pin(server.fingerprint))
            async with connect("ada") as ada, connect("bob") as bob:
                await talk(ada, bob)

    return main


def cost(main):
    wall, processor = time.perf_counter(), time.process_time()
    asyncio.run(main())
    return time.perf_counter() - wall, time.process_time() - processor


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        ways = {"in memory": in_memory, "on loopback": on_loopback(Path(folder))}
        found = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                found[name].append(cost(way))
    for name, costs in found.items():
        wall, processor = (sorted(column)[rounds // 2] for column in zip(*costs, strict=True))
        print(f"{name:12} {wall * 1000:8.2f} ms, {processor * 1000:8.2f} ms of processor")


if __name__ == "__main__":
    main()
