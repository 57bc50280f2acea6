"""A server's program reads what people tell it, and answers."""

import asyncio
import unittest
from unittest import mock

from _in_memory import InMemory
from _support import Case, quicchat


class Told(InMemory):
    def test_it_hears_everybody_and_answers(self):
        async def scenario(net):
            server = net.server
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await bob.tell("server", "before anybody listened")
            view = server.private_messages()
            first = await anext(view)
            self.assertEqual((first.room, first.sender, first.text),
                             ("@bob", "bob", "before anybody listened"))
            waiting = asyncio.create_task(anext(view))
            await net.settle()
            self.assertFalse(waiting.done())
            await ada.tell("bob", "between us")
            await ada.tell("SERVER", "hello")
            message = await waiting
            self.assertEqual((message.room, message.sender, message.text),
                             ("@ada", "ada", "hello"))
            await server.tell(message.sender, "hello yourself")
            await server.room(message.room).send("once more", reply_to=message)
            told = [e for e in await net.received(ada) if isinstance(e, quicchat.PrivateMessage)]
            self.assertEqual([(e.sender, e.text, e.reply_to) for e in told
                              if e.sender == "server"],
                             [("server", "hello yourself", None),
                              ("server", "once more", message.offset)])
            await bob.tell("server", "last")  # its own answers are nothing that it is told
            self.assertEqual((await anext(view)).text, "last")

        self.on(scenario, accounts=["ada", "bob"])

    def test_another_reader_begins_with_what_was_not_dealt_with(self):
        async def scenario(net):
            bob = await net.connect("bob")
            for n in range(250):
                await bob.tell("server", str(n))
            view = net.server.private_messages()
            self.assertEqual([(await anext(view)).text for _ in range(120)],
                             [str(n) for n in range(120)])
            # The newest of them may not be dealt with yet.
            view = net.server.private_messages()
            self.assertEqual([(await anext(view)).text for _ in range(131)],
                             [str(n) for n in range(119, 250)])
            await bob.tell("server", "end")
            self.assertEqual((await anext(view)).text, "end")

        self.on(scenario, limits=MANY)

    def test_a_reader_that_is_cancelled_misses_nothing(self):
        async def scenario(net):
            bob = await net.connect("bob")
            view = net.server.private_messages()

            async def give_up(after, read=None):
                reading = asyncio.create_task(anext(view) if read is None else read)
                for _ in range(after):
                    await asyncio.sleep(0)
                self.assertFalse(reading.done())
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

            for n in range(4):
                await give_up(n)
                await bob.tell("server", str(n))
                await net.settle()
                await give_up(1)
                await give_up(2)
                if n:  # while it reads a page
                    await give_up(1, view._read("@bob"))
                reading = asyncio.create_task(anext(view))
                await net.settle()
                self.assertTrue(reading.done())
                self.assertEqual(reading.result().text, str(n))

        self.on(scenario)

    def test_behind_a_page_of_its_own_a_reader_that_stops_misses_nothing(self):
        async def scenario(net):
            server, bob = net.server, await net.connect("bob")
            for n in range(100):  # a page
                await server.tell("bob", str(n))
            await bob.tell("server", "an answer")
            view = server.private_messages()
            reading = asyncio.create_task(self.stopped_at_mark(view, stop))
            await net.settle()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            reading = asyncio.create_task(anext(view))
            await net.settle()
            self.assertTrue(reading.done())
            self.assertEqual(reading.result().text, "an answer")

        for stop in ("cancelled", "refused"):
            with self.subTest(stop):
                self.on(scenario, limits=MANY)

    async def stopped_at_mark(self, view, stop):
        program = view._program
        ask = program.ask

        async def ask_or_stop(subject, request, *arguments):
            if request != program.core.mark_read:
                return await ask(subject, request, *arguments)
            if stop == "refused":
                raise quicchat.RequestError("too much at once", name="queue_full")
            return await asyncio.Event().wait()

        with mock.patch.object(program, "ask", ask_or_stop):
            await anext(view)

    def test_what_was_changed_while_nobody_listened_is_given(self):
        async def scenario(net):
            server, bob = net.server, await net.connect("bob")
            first = await bob.tell("server", "helo")
            await bob.tell("server", "last")
            view = server.private_messages()
            self.assertEqual([(await anext(view)).text for _ in range(2)], ["helo", "last"])
            reading = asyncio.create_task(anext(view))  # both count as read
            await net.settle()
            reading.cancel()
            del view
            room = await bob.join("@server")
            await room.edit(first, "hello")
            await room.delete(first)
            view = server.private_messages()
            self.assertEqual([(type(e), e.target) for e in [await anext(view), await anext(view)]],
                             [(quicchat.Edited, first.offset),
                              (quicchat.Deleted, first.offset)])

        self.on(scenario)

    def test_who_writes_much_does_not_hold_up_others(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            view = net.server.private_messages()
            for n in range(300):
                await ada.tell("server", str(n))
            await bob.tell("server", "one")
            senders = [(await anext(view)).sender for _ in range(301)]
            self.assertEqual(senders.index("bob"), 100)  # behind one page of the other
            self.assertEqual(senders.count("ada"), 300)

        self.on(scenario, limits=MANY)

    def test_what_is_not_kept_any_more_is_a_gap(self):
        async def scenario(net):
            for begin in range(0, 4200, 700):  # a room of two keeps 4096
                await asyncio.gather(*(net.server.send("@server", str(n), user="bob")
                                       for n in range(begin, begin + 700)))
            view = net.server.private_messages()
            gap, message = await anext(view), await anext(view)
            self.assertEqual((type(gap), gap.room, gap.first, gap.last + 1),
                             (quicchat.Gap, "@bob", 1, message.offset))
            self.assertGreater(gap.last, 100)

        self.on(scenario)

    def test_the_room_of_two_is_a_room(self):
        async def scenario(net):
            server, bob = net.server, await net.connect("bob")
            await bob.tell("server", "green leaf")
            await server.tell("bob", "thanks")
            room = server.room("@BOB")
            view = room.records(after=0)
            self.assertEqual([(await anext(view)).text for _ in range(2)],
                             ["green leaf", "thanks"])
            self.assertEqual(len((await room.history()).records), 2)
            self.assertEqual(len((await room.search("leaf")).messages), 1)
            await bob.tell("server", "more")
            self.assertEqual((await anext(view)).text, "more")
            [info] = [r for r in await server.rooms_of("server") if r.room == "@bob"]
            self.assertEqual(info.unread, 2)
            await room.mark_read()
            [info] = [r for r in await server.rooms_of("server") if r.room == "@bob"]
            self.assertEqual(info.unread, 0)

        self.on(scenario)

    def test_what_two_others_share_stays_theirs(self):
        async def scenario(net):
            server = net.server
            ada, bob = await net.connect("ada"), await net.connect("bob")
            await ada.tell("bob", "psst")
            await bob.tell("server", "hello")
            for user in ("ada", "bob", "eve"):
                for other in ("@ada", "@bob", "@server"):
                    await self.assert_refused("no_such_room",
                                              server.room(other, user=user).history())
            await self.assert_refused("no_such_room", server.room("@ada").history())
            await self.assert_refused("no_such_room", server.room("@ada,@bob").history())
            await self.assert_refused("no_such_room", server.remove_room("@bob"))

        self.on(scenario)

    def test_it_ends_although_something_is_being_dealt_with(self):
        async def scenario(net):
            bob = await net.connect("bob")
            await bob.tell("server", "one")
            view, unread = net.server.private_messages(), net.server.private_messages()
            self.assertEqual((await anext(view)).text, "one")
            await net.server.close()
            for _ in range(2):
                self.assertIsNone(await anext(view, None))
            self.assertIsNone(await anext(unread, None))

        self.on(scenario)

    def test_it_ends_with_the_server_and_needs_a_name(self):
        async def scenario(net):
            waiting = asyncio.create_task(anext(net.server.private_messages(), None))
            await net.settle()
            await net.server.close()
            self.assertIsNone(await waiting)
            with self.assertRaises(quicchat.ServerShutdown):
                net.server.private_messages()

        async def nameless(net):
            with self.assertRaises(quicchat.ConfigError):
                net.server.private_messages()

        self.on(scenario)
        self.on(nameless, speaker="")


MANY = quicchat.Limits(messages_per_account=1_000_000, messages_per_room=1_000_000,
                       messages_per_prefix=1_000_000) if quicchat else None


class OnADatabase(Case):
    def test_what_was_told_outlives_the_server(self):
        async def scenario(connect, server):
            async with connect("ada") as ada:
                await ada.tell("server", "one")  # who has no account
                view = server.private_messages()
                self.assertEqual((await anext(view)).text, "one")
                await ada.tell("server", "two")
                self.assertEqual((await anext(view)).text, "two")

        async def later(connect, server):
            view = server.private_messages()
            self.assertEqual((await anext(view)).text, "two")  # it may not be dealt with

        self.talk(scenario)
        self.talk(later)


if __name__ == "__main__":
    unittest.main()
