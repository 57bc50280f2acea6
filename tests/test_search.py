"""Searching in rooms and being mentioned, over a real server, with asyncio and without."""

import asyncio
import json
import unittest
from datetime import UTC, datetime
from types import SimpleNamespace

from _support import ROOT, Case, next_of, quicchat


class Searching(Case):
    def test_messages_are_found_as_they_are_now(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                first = await room.send("Grüner Tee")
                second = await room.send("tea")
                await room.edit(second, "GRÜNER tee, please")
                await room.delete(await room.send("grüner tee"))
                page = await room.search("TEE grüner")
                self.assertEqual([m.offset for m in page.messages], [second.offset, first.offset])
                self.assertEqual([(m.text, m.edited) for m in page.records],
                                 [("GRÜNER tee, please", True), ("Grüner Tee", False)])
                self.assertEqual((page.room, page.epoch, page.next),
                                 ("#lobby", first.epoch, None))
                # Also of a room that was not joined; a page at a time.
                page = await bob.search("#lobby", "tee", limit=1)
                self.assertEqual(page.next, second.offset)
                page = await bob.search("#lobby", "tee", before=page.next)
                self.assertEqual([m.offset for m in page.messages], [first.offset])
                page = await bob.search("#lobby", "tee", before=page.messages[0])
                self.assertEqual((page.records, page.next), ((), None))

        self.talk(scenario)

    def test_what_two_people_told_each_other_is_found_by_them(self):
        async def scenario(connect, _):
            async with connect("ada") as ada, connect("bob") as bob, connect("eve") as eve:
                await ada.tell("bob", "a secret")
                for chat, name in ((ada, "@bob"), (bob, "@ada")):
                    page = await chat.search(name, "SECRET")
                    self.assertEqual([m.text for m in page.messages], ["a secret"])
                await self.assert_refused("no_such_room", eve.search("@bob", "secret"))
                await ada.create_room("#hidden", access=quicchat.Access.INVITATION)
                await self.assert_refused("no_such_room", eve.search("#hidden", "secret"))

        self.talk(scenario)

    def test_what_cannot_be_searched_for(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                for words in ("", "   "):
                    await self.assert_refused("invalid_request", room.search(words))
                for words in ("x" * 257, "x" * 1_000_000, "x " * 10_000):
                    await self.assert_refused("message_too_long", room.search(words))
                for words in ("\x1b[2J", "\x00", "\x7f", "\udc80"):
                    await self.assert_refused("invalid_text", room.search(words))
                await self.assert_refused("invalid_name", ada.search("lobby", "x"))
                for limit in (0, -1, 101, 1_000_000, 1.5, True):
                    with self.assertRaises(ValueError):
                        await room.search("x", limit=limit)
                for before in ("x", 1.5, True):
                    with self.assertRaises(TypeError):
                        await room.search("x", before=before)
                with self.assertRaises(TypeError):
                    await room.search(b"x")
                self.assertEqual((await room.search("x", before=0)).records, ())

        self.talk(scenario)

    def test_searches_without_asyncio(self):
        server = self.start_server()
        with quicchat.sync.connect("127.0.0.1", server.port, user="ada",
                                   password="correct horse") as ada:
            room = ada.join("#lobby")
            sent = room.send("Hello, @Bob")
            self.assertEqual([m.offset for m in room.search("hello").messages], [sent.offset])
            self.assertEqual(ada.search("#lobby", "hello", before=sent).records, ())
            with self.assertRaises(quicchat.RequestError):
                room.search("")

    def test_many_searches_at_once_are_all_answered(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                room = await ada.join("#lobby")
                await asyncio.gather(*(room.send(f"number {n} of them") for n in range(200)))
                pages = await asyncio.gather(*(room.search(f"NUMBER {n} of") for n in range(30)))
                for n, page in enumerate(pages):
                    self.assertTrue(page.messages)
                    for message in page.messages:
                        self.assertIn(str(n), message.text)

        self.talk(scenario)


class Mentions(Case):
    def test_a_message_knows_whom_it_mentions_as_the_vectors_say(self):
        lines = (ROOT / "tests" / "vectors" / "mentions.txt").read_text().splitlines()
        vectors = [json.loads(line) for line in lines if line and not line.startswith("#")]
        self.assertGreater(len(vectors), 25)
        for vector in vectors:
            with self.subTest(vector["text"]):
                message = quicchat.Message("#a", 1, 1, datetime.now(UTC), bytes(16), "bob",
                                           vector["text"], "{}")
                once = {}
                for name in vector["names"]:
                    once.setdefault(name.lower(), name)
                self.assertEqual(message.mentions, tuple(once.values()))
                for name in vector["names"]:
                    self.assertTrue(message.mentions_user(name.upper()))
                self.assertFalse(message.mentions_user("nobody"))

    def test_a_list_of_rooms_counts_mentions(self):
        async def scenario(connect, server):
            async with connect("ada") as ada, connect("bob") as bob:
                room = await ada.join("#lobby")
                await bob.join("#lobby")
                await room.send("hello @Bob")
                last = await room.send("and @eve")
                await next_of(bob, quicchat.Message, offset=last.offset)
                info, = await bob.rooms()
                self.assertEqual((info.unread, info.mentions), (2, 1))
                bob.mark_read("#lobby")
                info, = await bob.rooms()
                self.assertEqual((info.unread, info.mentions), (0, 0))
                info, = await ada.rooms()
                self.assertEqual(info.mentions, 0)
            result = await asyncio.to_thread(
                self.chat, SimpleNamespace(port=server.address[1]), ["/rooms"], user="eve")
            self.assertIn(b"* #lobby, 2 unread, 1 of them to you", result.stdout)

        self.talk(scenario)


if __name__ == "__main__":
    unittest.main()
