"""Rooms with several readers, and rooms joined twice."""

import asyncio
import gc
import unittest

from _in_memory import FAST, InMemory, behind, drained, kinds, texts
from _support import quicchat

class Views(InMemory):
    def test_each_reader_of_a_room_gets_everything(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, tea = await ada.join("#lobby"), await bob.join("#lobby")
            views = [tea.events(), tea.events()]
            await room.send("one")
            views.append(tea.events())  # from now on
            await room.send("two")
            found = [texts(await drained(net, view)) for view in views]
            self.assertEqual(found, [["one", "two"], ["one", "two"], ["two"]])

        self.on(scenario)

    def test_the_first_one_has_what_came_since_the_join(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await room.send("before")
            tea = await bob.join("#lobby", last=5)
            await room.send("after")
            self.assertEqual(texts(await drained(net, tea.events())), ["before", "after"])
            self.assertEqual(await net.received(bob), [])

        self.on(scenario)

    def test_rooms_are_apart_and_the_chat_has_all(self):
        async def scenario(net):
            bob = await net.connect("bob")
            await bob.create_room("#tea")
            lobby, tea = await bob.join("#lobby"), await bob.join("#tea")
            self.assertEqual(kinds([await anext(bob), await anext(bob)]), ["Joined", "Joined"])
            of_lobby, of_tea = lobby.events(), tea.events()
            await lobby.send("in the lobby")
            await tea.send("at tea")
            self.assertEqual(texts(await drained(net, of_lobby)), ["in the lobby"])
            self.assertEqual(texts(await drained(net, of_tea)), ["at tea"])
            self.assertEqual(texts(await net.received(bob)), ["in the lobby", "at tea"])

        self.on(scenario)

    def test_a_slow_reader_gets_all_of_it_from_the_history(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, slow = await ada.join("#lobby"), (await bob.join("#lobby")).events()
            for n in range(3000):
                await room.send(str(n))
            await net.settle()
            self.assertLessEqual(slow.waiting, 1024)
            found = []
            while len(found) < 3000:
                event = await anext(slow)
                if isinstance(event, quicchat.Message):
                    found.append(event.text)
                if len(found) == 2000:
                    await room.send("3000")
            self.assertEqual(found, [str(n) for n in range(3000)])
            self.assertEqual((await anext(slow)).text, "3000")
            await room.send("live again")
            self.assertEqual((await anext(slow)).text, "live again")

        self.on(scenario, **FAST)

    def test_what_the_room_does_not_keep_is_a_gap_for_it(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, slow = await ada.join("#lobby"), (await bob.join("#lobby")).events()
            for n in range(6000):
                await room.send(str(n))
            numbers, gaps = [], []
            while not numbers or numbers[-1] < 5999:
                event = await anext(slow)
                if isinstance(event, quicchat.Gap):
                    gaps.append((event.first, event.last))
                elif isinstance(event, quicchat.Message):
                    numbers.append(int(event.text))
            missing = sorted(set(range(6000)) - set(numbers))
            self.assertEqual(gaps, [(missing[0] + 1, missing[-1] + 1)])
            self.assertEqual(numbers, sorted(set(numbers)))

        self.on(scenario, **FAST)

    def test_what_comes_while_it_catches_up_is_behind_it(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, slow = await ada.join("#lobby"), (await bob.join("#lobby")).events()
            for n in range(1200):
                await room.send(str(n))
            await net.settle()
            found, sent, number = [], [], 1200

            async def read():
                async for event in slow:
                    if isinstance(event, quicchat.Message):
                        found.append(int(event.text))

            net.delay = 1
            reading = asyncio.create_task(read())
            for _ in range(30):
                sent.append(asyncio.create_task(room.send(str(number))))
                number += 1
                await net.advance(0.5)
            await net.advance(10)
            await asyncio.gather(*sent)
            reading.cancel()
            self.assertEqual(found, list(range(number)))

        self.on(scenario, **FAST)

    async def read_to(self, view, last):
        found = []
        while not found or found[-1] != last:
            event = await anext(view)
            self.assertNotIsInstance(event, quicchat.Gap)
            if isinstance(event, quicchat.Message):
                found.append(int(event.text))
        return found

    def test_a_reader_that_is_cancelled_while_it_catches_up_misses_nothing(self):
        async def scenario(net):
            _, room, slow = await behind(net)
            found = await self.read_to(slow, 1024 - 2)
            net.delay = 1
            reading = asyncio.create_task(anext(slow))
            await asyncio.sleep(0)
            sent = asyncio.create_task(room.send("1200"))
            await net.advance(0.5)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            net.delay = 0
            await net.advance(5)
            await sent
            found += await self.read_to(slow, 1200)
            self.assertEqual(found, list(range(1201)))

        self.on(scenario, **FAST)

    def test_the_connection_may_be_lost_while_it_catches_up(self):
        async def scenario(net):
            bob, room, slow = await behind(net)
            found = await self.read_to(slow, 1024 - 2)
            net.cut(bob)
            reading = asyncio.create_task(self.read_to(slow, 1200))
            await asyncio.sleep(0)
            await room.send("1200")
            await net.advance(30)
            self.assertEqual(found + await reading, list(range(1201)))

        self.on(scenario, **FAST)

    def test_who_is_out_while_it_catches_up_comes_to_an_end(self):
        async def scenario(net):
            bob, room, slow = await behind(net, 1500)
            await self.read_to(slow, 1024 - 2)
            net.delay = 1
            reading = asyncio.create_task(self.all_of(slow))
            await asyncio.sleep(0)
            leaving = asyncio.create_task(bob.room("#lobby").leave())
            await net.advance(30)
            await leaving
            self.assertTrue(reading.done())
            self.assertEqual(kinds(await reading)[-1], "RoomLeft")

        self.on(scenario, **FAST)

    def test_one_that_begins_now_never_reads_what_was_before(self):
        async def scenario(net):
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            await room.send("old")
            await net.received(ada)
            view = room.events()
            for _ in range(1100):  # no records, and too many
                view.offer(quicchat.Typing("#lobby", "bob", True))
            await room.send("new")
            await net.settle()
            found = [await anext(view) for _ in range(1025)]
            self.assertEqual(texts(found), ["new"])

        self.on(scenario)

    def test_a_slow_reader_holds_up_nobody(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, tea = await ada.join("#lobby"), await bob.join("#lobby")
            slow, quick = tea.events(), tea.events()
            for n in range(5000):
                await room.send(str(n))
                while quick.waiting:
                    await anext(quick)
            await room.send("the last")
            self.assertEqual(texts(await drained(net, quick))[-1], "the last")
            del slow

        self.on(scenario, **FAST)

    def test_it_goes_on_over_a_reconnection(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, view = await ada.join("#lobby"), (await bob.join("#lobby")).events()
            await room.send("one")
            net.cut(bob)
            await room.send("two")
            await net.advance(5)
            self.assertEqual(texts(await drained(net, view)), ["one", "two"])

        self.on(scenario)

    def test_it_ends_with_the_membership_and_with_the_chat(self):
        async def scenario(net):
            bob = await net.connect("bob")
            await bob.create_room("#tea")
            tea, lobby = await bob.join("#tea"), await bob.join("#lobby")
            view, other = tea.events(), lobby.events()
            await tea.leave()
            self.assertEqual(kinds([event async for event in view])[-1], "RoomLeft")
            waiting = asyncio.create_task(self.all_of(other))
            await net.settle()
            await bob.close()
            self.assertEqual(kinds(await waiting), ["Joined", "MemberJoined"][:1])

        self.on(scenario)

    @staticmethod
    async def all_of(view):
        return [event async for event in view]

    def test_readers_that_are_gone_leave_the_events_to_the_chat(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room, tea = await ada.join("#lobby"), await bob.join("#lobby")
            view = tea.events()
            await room.send("one")
            await drained(net, view)
            del view
            gc.collect()
            await room.send("two")
            self.assertEqual(texts(await net.received(bob)), ["two"])

        self.on(scenario)

    def test_a_chat_without_events_has_no_readers(self):
        async def scenario(net):
            bob = await net.connect("bob", events=False)
            with self.assertRaises(ValueError):
                (await bob.join("#lobby")).events()

        self.on(scenario)


class Rooms(InMemory):
    def test_joining_twice_gives_the_same_room(self):
        async def scenario(net):
            bob = await net.connect("bob")
            one, two = await asyncio.gather(bob.join("#lobby"), bob.join("#Lobby"))
            self.assertIs(one, two)
            self.assertIs(await bob.join("#LOBBY", last=5), one)
            self.assertIs(bob.room("#lobby"), one)
            await one.leave()
            with self.assertRaises(quicchat.RequestError) as caught:
                bob.room("#lobby")
            self.assertEqual(caught.exception.name, "not_in_room")
            again = await bob.join("#lobby")
            await again.send("hello")

        self.on(scenario)

    def test_all_who_wait_for_a_join_hear_that_it_is_refused(self):
        async def scenario(net):
            bob = await net.connect("bob")
            found = await asyncio.gather(*(bob.join("#nowhere") for _ in range(3)),
                                         return_exceptions=True)
            self.assertEqual([error.name for error in found], ["no_such_room"] * 3)
            await bob.create_room("#nowhere")
            await bob.join("#nowhere")

        self.on(scenario)

    def test_a_join_that_was_cancelled_is_found_again(self):
        async def scenario(net):
            bob = await net.connect("bob")
            net.delay = 1
            first = asyncio.create_task(bob.join("#lobby"))
            await net.settle()
            first.cancel()
            second = asyncio.create_task(bob.join("#lobby"))
            await net.advance(3)
            self.assertIs(bob.room("#lobby"), await second)

        self.on(scenario)

    def test_leaving_and_joining_at_once(self):
        async def scenario(net):
            bob = await net.connect("bob")
            room = await bob.join("#lobby")
            _, one, two = await asyncio.gather(room.leave(), bob.join("#lobby"),
                                               bob.join("#lobby"))
            self.assertIs(one, two)
            await one.send("here")

        self.on(scenario)


if __name__ == "__main__":
    unittest.main()
