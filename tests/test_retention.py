"""How much of its history a room keeps: `quicchat room retention`, and the server's own program."""

import argparse
import asyncio
import json
import sqlite3
import time
import unittest
from contextlib import closing
from datetime import timedelta

from _in_memory import InMemory
from _support import PATIENCE, Case, account, quicchat
from quicchat.cli import _amounts

DAY = 86400


class Retention(Case):
    def setUp(self):
        super().setUp()
        self.config_path = self.write_config(rooms=["#lobby", "#tea"])
        self.server = self.start_server(config=self.config_path)

    def room(self, *arguments):
        return self.command("room", *arguments, "--config", self.config_path)

    def kept(self, room="#tea", *arguments):
        done = self.room("retention", room, "--json", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return json.loads(done.stdout)

    def row(self, room="#tea"):
        rows = map(json.loads, self.room("list", "--json").stdout.splitlines())
        return next(row for row in rows if row["room"] == room)

    def wait_for(self, wanted, found):
        """Nothing tells when what is asked of the log is done."""
        end = time.monotonic() + PATIENCE
        while found() != wanted and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(found(), wanted)

    def wait_for_first(self, first, room="#tea"):
        self.wait_for(first, lambda: self.row(room)["first"])
        return self.row(room)

    def say(self, *texts, file=None):
        async def main():
            async with quicchat.connect("127.0.0.1", self.server.port, **account()) as chat:
                room = await chat.join("#tea")
                if file is not None:
                    await room.send_file(file, name="plan.txt")
                for text in texts:
                    await room.send(text)

        self.run_async(main)

    def restart(self):
        self.server.stop()
        self.server = self.start_server(config=self.config_path)

    def age_records(self, days):
        """So old are they when the server runs again: its first records as many days as it says."""
        self.server.stop()
        with closing(sqlite3.connect(self.folder / "quicchat.db")) as database, database:
            for offset, age in enumerate(days, 1):
                database.execute("UPDATE record SET time=? WHERE offset=?",
                                 (int((time.time() - age * DAY) * 1000), offset))
        self.server = self.start_server(config=self.config_path)

    def texts_on_disk(self):
        with closing(sqlite3.connect(self.folder / "quicchat.db")) as database:
            return [text for (text,) in database.execute("SELECT text FROM record")]

    def test_it_shows_what_the_limits_say(self):
        kept = self.kept()
        self.assertEqual((kept["age"], kept["chosen"]), (None, []))
        self.assertEqual(kept, self.row()["retention"])
        done = self.room("retention", "#tea")
        self.assertEqual(done.stdout.decode().splitlines()[0], "#tea keeps at most")
        self.assertEqual(done.stdout.count(b"(default)"), 3)

    def test_records_go_at_once_and_stay_chosen_over_a_restart(self):
        self.say(*"abcde")
        self.assertEqual(self.kept("#tea", "--records", "3")["chosen"], ["records"])
        self.wait_for_first(3)
        self.assertEqual(self.kept("#tea", "--bytes", "2MB")["records"], 3)
        self.restart()
        kept = self.kept()
        self.assertEqual((kept["records"], kept["bytes"], kept["chosen"]),
                         (3, 2_000_000, ["records", "bytes"]))
        self.assertEqual(self.kept("#tea", "--records", "default")["chosen"], ["bytes"])
        self.assertEqual(self.kept("#lobby")["chosen"], [])

    def test_bytes_go_at_once(self):
        self.say(*["x" * 2000] * 5)
        self.kept("#tea", "--bytes", "5kB")
        self.wait_for_first(4)
        self.assertEqual(self.room("retention", "#tea").stdout.decode().splitlines()[2].split(),
                         ["bytes", "5", "kB"])

    def test_what_is_too_old_goes_for_good_with_its_files(self):
        self.say("one", "two", "three", file=b"x" * 100)
        self.assertEqual(len(list((self.folder / "quicchat.files").iterdir())), 1)
        self.assertEqual(self.kept("#tea", "--age", "30d")["age"], 30 * DAY)
        self.age_records([40, 35, 31, 29])
        self.assertEqual(self.wait_for_first(4)["head"], 4)
        self.wait_for(["three"], self.texts_on_disk)
        self.wait_for([], lambda: list((self.folder / "quicchat.files").iterdir()))
        self.assertIn("age      30d\n", self.room("retention", "#tea").stdout.decode())

    def test_the_newest_one_goes_as_well_and_the_room_goes_on(self):
        self.say("one", "two")
        self.kept("#tea", "--age", "1h")
        self.age_records([1, 1])
        self.assertEqual(self.wait_for_first(3)["head"], 2)
        self.wait_for([], self.texts_on_disk)

        async def main():
            async with quicchat.connect("127.0.0.1", self.server.port, **account()) as chat:
                room = await chat.join("#tea", last=10)
                self.assertEqual((await room.history()).records, ())
                self.assertEqual((await room.send("three")).offset, 3)
                return [record.text for record in (await room.history()).records]

        self.assertEqual(self.run_async(main), ["three"])
        self.restart()
        self.assertEqual(self.row()["first"], 3)

    def test_who_was_away_is_told_of_a_gap(self):
        self.say("one", "two", "three")

        async def main():
            async with quicchat.connect("127.0.0.1", self.server.port, **account()) as chat:
                room = await chat.join("#tea")
                first = (await room.history()).records[0]
                await room.leave()
                await asyncio.to_thread(self.kept, "#tea", "--records", "1")
                await asyncio.to_thread(self.wait_for_first, 3)
                # Where it was is gone, so it goes on from now, as PROTOCOL.md has it.
                await chat.join("#tea", after=(first.epoch, first.offset))
                await asyncio.to_thread(self.say, "four")
                seen = []
                async for event in chat:
                    if isinstance(event, quicchat.Gap):
                        seen.append((event.first, event.last, event.cause))
                    if isinstance(event, quicchat.Message):
                        return [*seen, event.text]

        self.assertEqual(self.run_async(main), [(2, 3, "retention"), "four"])

    def test_what_cannot_be(self):
        self.assert_words(self.room("retention", "#tea", "--records", "99999999"), 65,
                          "99999999 records are more than any room may keep", "fix:")
        self.assert_words(self.room("retention", "#tea", "--bytes", "900GB"), 65,
                          "more than any room", "room_log_bytes_max")
        self.assert_words(self.room("retention", "#tea", "--age", "11y"), 64, "30d")
        self.assert_words(self.room("retention", "#tea", "--age", "9999w"), 64, "529w")
        # What the command takes at most, the server takes, too.
        self.assertEqual(self.kept("#tea", "--age", "529w")["age"], 529 * 7 * DAY)
        self.assertEqual(self.kept("#tea", "--age", "default")["chosen"], [])
        self.assert_words(self.room("retention", "#nowhere"), 65, "#nowhere")
        self.assert_words(self.room("retention", "#nowhere", "--age", "30d"), 65, "#nowhere")
        self.assertEqual(self.kept()["chosen"], [])


class Program(InMemory):
    async def first(self, net, room):
        await net.settle()
        report = next(r for r in await net.server.list_rooms() if r.room == room.name)
        return report.first

    def test_the_servers_own_program_says_it(self):
        async def scenario(net):
            server, room = net.server, net.server.room("#lobby")
            for text in "abcde":
                await room.send(text)
            kept = await room.set_retention(records=2, age=timedelta(days=30))
            self.assertEqual((kept.records, kept.age, kept.chosen),
                             (2, timedelta(days=30), ("records", "age")))
            self.assertEqual(kept.to_dict()["age"], 30 * DAY)
            self.assertEqual(await self.first(net, room), 4)
            self.assertEqual((await room.set_retention(age=None)).chosen, ("records",))
            [report] = await server.list_rooms()
            self.assertEqual((report.records_max, report.retention),
                             (2, await room.retention()))
            await self.assert_refused("no_such_room",
                                      server.room("#nowhere").set_retention(records=1))
            await self.assert_refused("no_such_room", server.room("#nowhere").retention())

        self.on(scenario)

    def test_what_is_no_amount_is_refused(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            for text in "abc":
                await room.send(text)
            for wrong in (True, False, "", "x", [], 1.5, float("nan")):
                with self.subTest(wrong), self.assertRaisesRegex(TypeError, "records"):
                    await room.set_retention(records=wrong)
            for wrong in (86_400, True, "1d"):
                with self.subTest(wrong), self.assertRaisesRegex(TypeError, "timedelta"):
                    await room.set_retention(age=wrong)
            for wrong in ({"records": 0}, {"bytes": -1}, {"age": timedelta(seconds=59)}):
                with self.subTest(wrong), self.assertRaises(ValueError):
                    await room.set_retention(**wrong)
            self.assertEqual((await room.retention()).chosen, ())
            self.assertEqual(await self.first(net, room), 1)

        self.on(scenario)

    def test_nothing_is_asked_of_a_server_that_has_ended(self):
        async def scenario(net):
            server, room = net.server, net.server.room("#lobby")
            await server.close()
            for ask in (room.retention, lambda: room.set_retention(records=1), room.remove,
                        lambda: server.remove_room("#lobby"), server.list_rooms):
                with self.assertRaises(quicchat.ServerShutdown):
                    await ask()

        self.on(scenario)

    def test_who_asks_a_server_that_ends_is_told_so(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            asks = [asyncio.create_task(room.retention()) for _ in range(200)]
            await asyncio.sleep(0)  # they have begun; most wait for a thread
            await net.server.close()
            for answer in await asyncio.gather(*asks, return_exceptions=True):
                self.assertIsInstance(answer, quicchat.RoomRetention | quicchat.ServerShutdown)

        self.on(scenario)

    def test_what_has_become_too_old_goes_within_a_minute(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            await room.set_retention(age=timedelta(hours=1))
            for text in "abc":
                await room.send(text)
                await net.advance(1200)
            view = room.records(after=0)
            self.assertEqual(await self.first(net, room), 1)
            await net.advance(61)
            self.assertEqual(await self.first(net, room), 2)
            await net.advance(3600)
            self.assertEqual(await self.first(net, room), 4)
            reading = asyncio.create_task(anext(view))
            await net.settle()
            gap = await reading
            self.assertEqual((type(gap), gap.first, gap.last), (quicchat.Gap, 1, 3))

        self.on(scenario)


class Amounts(unittest.TestCase):
    def test_what_is_typed(self):
        self.assertEqual([_amounts.age(text) for text in ("90m", "12h", "30d", "8w", "default")],
                         [5400, 43200, 30 * DAY, 56 * DAY, 0])
        self.assertEqual([_amounts.size(text) for text in ("7", "7b", "5kB", "2 MB", "1GiB")],
                         [7, 7, 5000, 2_000_000, 1 << 30])
        for text in ("", "0", "-1", "5x", "1.5", "٣", "30", "d", "6M", "530w", "9" * 5000 + "d"):
            with self.assertRaisesRegex(argparse.ArgumentTypeError, "^'.*' is not an age from 1m"):
                _amounts.age(text)
        self.assertEqual(_amounts.age("529w"), 529 * 7 * DAY)
        for read in (_amounts.size, _amounts.count):
            for text in ("0", "-1", "999999999999999999GiB", "9" * 5000):
                with self.assertRaisesRegex(argparse.ArgumentTypeError, "is not a .* 'default'$"):
                    read(text)

    def test_what_is_shown(self):
        self.assertEqual([_amounts.size_text(n) for n in (8 << 20, 5000, 1234, 3 << 30)],
                         ["8 MiB", "5 kB", "1234 bytes", "3 GiB"])
        self.assertEqual([_amounts.age_text(n) for n in (30 * DAY, 5400, 3600, 61)],
                         ["30d", "90m", "1h", "61s"])


if __name__ == "__main__":
    unittest.main()
