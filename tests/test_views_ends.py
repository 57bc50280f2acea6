"""How readers of a room come to its end, and past what they do not know."""

import contextlib
import sqlite3
import unittest
from unittest import mock

from _in_memory import FAST, InMemory, behind, drained, kinds, texts
from _support import Case, quicchat


def a_version_without_edits():
    """One to which they are something of a later version."""
    known = quicchat.records.record_of
    return mock.patch("quicchat.records.record_of", lambda kind, fields: (
        None if kind == "edited" else known(kind, fields)))


async def all_of(view):
    return [event async for event in view]


class Ends(InMemory):
    def test_who_comes_out_of_a_room_gets_all_that_was_before(self):
        async def scenario(net):
            bob, room, slow = await behind(net, 1500)
            await bob.room("#lobby").leave()
            await room.send("not ours")
            found = await all_of(slow)
            self.assertEqual(texts(found), [str(n) for n in range(1500)])
            self.assertEqual(kinds(found)[-1], "RoomLeft")
            self.assertNotIn("Gap", kinds(found))
            self.assertEqual(slow.waiting, 0)

        self.on(scenario, **FAST)

    def test_who_may_not_read_it_any_more_is_told_what_is_missing(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await ada.create_room("#tea", access=quicchat.Access.INVITATION)
            room = await ada.join("#tea")
            await room.invite("bob")
            slow = (await bob.join("#tea")).events()
            for n in range(1500):
                sent = await room.send(str(n))
            await net.settle()
            await room.kick("bob")
            await net.settle()
            *found, gap, last = await all_of(slow)
            said = texts(found)
            self.assertEqual(said, [str(n) for n in range(len(said))])
            self.assertEqual((type(gap), gap.cause), (quicchat.Gap, "left"))
            self.assertEqual(gap.first, found[-1].offset + 1)
            self.assertIn(gap.last - sent.offset, (0, 1))  # the kick itself may be among it
            self.assertEqual((type(last), last.error), (quicchat.RoomLeft, "removed"))

        self.on(scenario, **FAST)

    def test_a_log_that_is_gone_when_we_come_out(self):
        async def scenario(net):
            bob, _, slow = await behind(net)
            await bob.room("#lobby").leave()
            await net.server.remove_room("#lobby")
            await net.server.create_room("#lobby")
            await net.server.send("#lobby", "not ours")
            found = await all_of(slow)
            self.assertEqual(len(texts(found)), len(set(texts(found))))
            self.assertNotIn("not ours", texts(found))
            self.assertEqual(kinds(found)[-2:], ["Gap", "RoomLeft"])

        self.on(scenario, **FAST)

    def test_a_reader_of_a_room_joined_again_begins_there(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, before = await ada.join("#lobby"), await bob.join("#lobby")
            await room.send("one")
            await net.settle()
            await before.leave()
            view = (await bob.join("#lobby")).events()
            await room.send("two")
            self.assertEqual(texts(await drained(net, view)), ["two"])

        self.on(scenario)


class Unknown(InMemory):
    """More than a page of records of a kind that this version does not know."""

    async def fill(self, room):
        message = await room.send("to edit")
        for number in range(250):
            await room.edit(message, f"to edit {number}")
        return await room.send("the last")

    def test_a_reader_that_is_behind_passes_them(self):
        async def scenario(net):
            bob, room, slow = await behind(net)
            await self.fill(room)
            await net.settle()
            await bob.room("#lobby").leave()
            found = await all_of(slow)
            self.assertEqual(texts(found)[-2:], ["to edit 249", "the last"])
            self.assertNotIn("Gap", kinds(found))

        with a_version_without_edits():
            self.on(scenario, **FAST)

    def test_a_reader_at_the_server_passes_them(self):
        async def scenario(net):
            room = net.server.room("#lobby", user="ada")
            view = room.records(after=0)
            await self.fill(room)
            found = [await anext(view) for _ in range(2)]
            self.assertEqual(texts(found), ["to edit 249", "the last"])

        with a_version_without_edits():
            self.on(scenario, **FAST)

    def test_pages_say_where_they_end(self):
        async def scenario(net):
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            last = await self.fill(room)
            for where in (room, net.server.room("#lobby")):
                page = await where.history(before=last, limit=50)
                self.assertEqual((page.records, page.first, page.last),
                                 ((), last.offset - 50, last.offset - 1))
                self.assertEqual((page.reaches_start, page.reaches_head), (False, False))
                self.assertEqual(page.to_dict()["first"], page.first)

        with a_version_without_edits():
            self.on(scenario, **FAST)


class LaterVersion(Case):
    """It knew a role that this one does not know."""

    def test_what_it_stored_has_its_place(self):
        async def fill(connect, server):
            await server.send("#lobby", "one")
            await server.room("#lobby").set_role("bob", quicchat.Role.MEMBER)
            await server.send("#lobby", "three")

        async def read(connect, server):
            room = server.room("#lobby")
            view = room.records(after=0)
            self.assertEqual(texts([await anext(view) for _ in range(2)]), ["one", "three"])
            page = await room.history(limit=2)
            self.assertEqual((texts(page.records), page.first, page.last), (["three"], 2, 3))
            page = await room.history(before=3, limit=1)
            self.assertEqual((page.records, page.first, page.last), ((), 2, 2))

        self.talk(fill)
        with contextlib.closing(sqlite3.connect(self.folder / "quicchat.db")) as database, database:
            database.execute("UPDATE record SET value = 77 WHERE offset = 2")
        self.talk(read)


if __name__ == "__main__":
    unittest.main()
