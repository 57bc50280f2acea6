"""The server is killed (kill -9) under load, over and over, and nothing that it promised is lost.

Ten kills by default. The long run, and the repetition of one whose seed was printed:

    QUICCHAT_KILLS=200 python3 -m unittest discover -s tests -p test_crash.py
    QUICCHAT_SEED=1234 python3 -m unittest discover -s tests -p test_crash.py

The seed repeats the choices of this program (who writes what, when to kill), not the scheduling of
the operating system. A kill takes the program away, not the power: what fsync is for is not tested
here.
"""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

from _support import ACCOUNTS, PATIENCE, Case, environment, quicchat

KILLS = int(os.environ.get("QUICCHAT_KILLS", "10"))
ROOMS = ("#lobby", "#side")
DEVICES = ("ada", "ada", "bob", "bob", "eve")  # accounts; two devices of one are two clients
MOMENT_MAX = 0.5  # seconds after the first answer of a server, until it is killed
ONLINE_MIN = 4  # so many clients are connected then
PENDING_MAX = 4  # messages of one client without an answer


class Rows:
    """What the database holds, and whether it is sound in itself."""

    def __init__(self, case, path):
        self.records = {}  # (room, offset) -> (id, author, text)
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            case.assertEqual(database.execute("PRAGMA quick_check").fetchall(), [("ok",)])
            rooms = {key: (name, epoch, first, head) for key, name, epoch, first, head in
                     database.execute("SELECT id, name, epoch, first, head FROM room")}
            names = set()
            for key, offset, id, device, author, text in database.execute(
                    "SELECT room, offset, record.id, device, author, text FROM record "
                    "JOIN room ON room.id = room WHERE offset >= first ORDER BY room, offset"):
                name = (key, author, device, id)
                case.assertNotIn(name, names, "a message is stored twice")
                names.add(name)
                self.records[rooms[key][0], offset] = (id, author, text)
        for name, _, first, head in rooms.values():
            offsets = [offset for room, offset in self.records if room == name]
            case.assertEqual(offsets, list(range(first, head + 1)), f"{name} has a hole")
        self.heads = {name: head for name, _, _, head in rooms.values()}


class Writer:
    """One client: writes to the rooms, notes what was acknowledged and what it saw."""

    def __init__(self, number, account, port):
        self.number = number
        self.account = account
        self.port = port
        self.sent = dict.fromkeys(ROOMS, 0)
        self.acked = {}  # (room, offset) -> (id, author, text)
        self.seen = {}
        self.seen_to = dict.fromkeys(ROOMS, 0)
        self.problems = []
        self.reconnections = 0
        self.away = []  # seconds from each loss to the next Online

    async def begin(self):
        reconnect = quicchat.Reconnect(delay_min=0.5, delay_max=0.5)
        self.chat = await quicchat.connect("127.0.0.1", self.port, user=self.account,
                                           password=ACCOUNTS[self.account], reconnect=reconnect)
        self.rooms = [await self.chat.join(room) for room in ROOMS]
        self.reading = asyncio.create_task(self.read())

    async def read(self):
        lost = 0.0
        async for event in self.chat:
            match event:
                case quicchat.Message(room=room, offset=offset):
                    if offset != self.seen_to[room] + 1:
                        self.problems.append(f"{offset} of {room} after {self.seen_to[room]}")
                    self.seen_to[room] = offset
                    self.seen[room, offset] = (event.id, event.sender, event.text)
                case quicchat.Gap():
                    self.problems.append(f"a gap: {event}")
                case quicchat.Reconnecting():
                    lost = lost or time.monotonic()
                case quicchat.Online():
                    self.away.append(time.monotonic() - lost)
                    lost = 0.0

    async def write(self, stop, choices, acknowledged):
        pending = set()
        while not stop.is_set():
            room = choices.choice(self.rooms)
            self.sent[room.name] += 1
            text = f"{self.number} {self.sent[room.name]} {'x' * choices.randrange(200)}"
            pending.add(asyncio.create_task(self.send(room, text, acknowledged)))
            if len(pending) >= PENDING_MAX:
                done, pending = await asyncio.wait(pending,
                                                   return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            await asyncio.sleep(choices.random() * 0.01)
        await asyncio.gather(*pending)

    async def send(self, room, text, acknowledged):
        receipt = await room.send(text)
        if receipt.durability != "fsync":
            self.problems.append(f"acknowledged with durability {receipt.durability}")
        self.acked[room.name, receipt.offset] = (receipt.id, self.account, text)
        acknowledged.set()


@unittest.skipUnless(sqlite3.sqlite_version_info >= (3, 37), "this Python's SQLite is too old")
class Crashes(Case):
    def start(self, port):
        """Starts a server process. Does not wait for it."""
        with (self.folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "quicchat", "serve", "--quiet", "--config", self.path,
                 "--port", str(port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env=environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def check(self, writers, rows):
        """The database against what the clients were told."""
        for writer in writers:
            self.assertEqual(writer.problems, [])
            for what, told in (("acknowledged", writer.acked), ("seen", writer.seen)):
                for place, message in told.items():
                    if rows.records.get(place) != message:  # a diff of all would be long
                        self.fail(f"{place} was {what} by client {writer.number} as {message}, "
                                  f"and is {rows.records.get(place)}")
        newest = {}
        for (room, offset), (_, _, text) in rows.records.items():
            client, number, _ = text.split(" ")
            self.assertEqual(int(number), newest.get((room, client), 0) + 1,
                             f"client {client} at {offset} of {room}: not its own order")
            newest[room, client] = int(number)
        return newest

    def test_nothing_acknowledged_is_lost_and_nothing_comes_twice(self):
        seed = int(os.environ.get("QUICCHAT_SEED") or random.SystemRandom().randrange(1 << 32))
        print(f"\ntest_crash: QUICCHAT_SEED={seed} QUICCHAT_KILLS={KILLS}", flush=True)
        self.choices = random.Random(seed)
        keep_all = {"room_log_records_max": 10_000_000, "room_log_bytes_max": 1 << 36}
        self.path = self.write_config(rooms=list(ROOMS), limits={"drain_timeout": 0.2, **keep_all})
        first = self.start_server(config=self.path)
        self.port = first.port
        first.stop()

        async def bounded():
            async with asyncio.timeout(PATIENCE + 10 * KILLS):
                await self.crash_and_check()

        asyncio.run(bounded())

    async def kill_under_load(self, process, writers, acknowledged):
        """Kills it at a random moment: mostly under load, sometimes while it starts."""
        if self.choices.random() < 0.8:
            acknowledged.clear()
            while not (acknowledged.is_set()
                       and sum(w.chat.is_online for w in writers) >= ONLINE_MIN):
                self.assertIsNone(process.poll(), "the server ended by itself:\n"
                                  + (self.folder / "server.log").read_text())
                await asyncio.sleep(0.01)
        await asyncio.sleep(self.choices.random() * MOMENT_MAX)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(await asyncio.to_thread(process.wait), -signal.SIGKILL)

    async def crash_and_check(self):
        begin = time.monotonic()
        process = self.start(self.port)
        writers = [Writer(n, account, self.port) for n, account in enumerate(DEVICES)]
        for writer in writers:
            await self.connect(writer)
        stop, acknowledged = asyncio.Event(), asyncio.Event()
        writing = [asyncio.create_task(
            writer.write(stop, random.Random(self.choices.random()), acknowledged))
            for writer in writers]
        for _ in range(KILLS):
            await self.kill_under_load(process, writers, acknowledged)
            self.check(writers, Rows(self, self.folder / "quicchat.db"))
            process = self.start(self.port)
        stop.set()
        await asyncio.gather(*writing)
        await self.check_the_end(writers)
        for writer in writers:
            await writer.chat.close()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(await asyncio.to_thread(process.wait), 0)

        away = [seconds for writer in writers for seconds in writer.away]
        print(f"test_crash: {KILLS} kills in {time.monotonic() - begin:.1f} s, "
              f"{sum(len(w.acked) for w in writers)} messages, {len(away)} reconnections, "
              f"{sum(away) / len(away):.2f} s away on average, {max(away):.2f} s at most",
              flush=True)

    async def connect(self, writer):
        """The first connection is tried once, and the server may not be there yet."""
        while True:
            try:
                return await writer.begin()
            except quicchat.Unreachable:
                await asyncio.sleep(0.05)

    async def check_the_end(self, writers):
        path = self.folder / "quicchat.db"
        heads = Rows(self, path).heads
        while any(writer.seen_to != heads for writer in writers):
            for writer in writers:
                self.assertFalse(writer.reading.done() and writer.reading.result())
            await asyncio.sleep(0.05)
        rows = Rows(self, path)
        newest = self.check(writers, rows)
        for writer in writers:
            self.assertEqual(writer.seen, rows.records)
            for room in ROOMS:
                self.assertEqual(newest.get((room, str(writer.number)), 0), writer.sent[room])
        self.assertEqual(sum(len(writer.acked) for writer in writers), len(rows.records))


if __name__ == "__main__":
    unittest.main()
