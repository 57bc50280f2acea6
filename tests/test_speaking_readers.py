"""Readers and accounts of a server's program: what comes between, and who asks much."""

import asyncio
import unittest

from _in_memory import InMemory
from _support import Case, quicchat


class Readers(InMemory):
    def test_a_reader_that_is_cancelled_misses_nothing(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            view, other = room.records(), room.records()
            for n in range(3):
                reading = [asyncio.create_task(anext(v)) for v in (view, other)]
                await asyncio.sleep(0)
                for task in reading:
                    task.cancel()
                await asyncio.gather(*reading, return_exceptions=True)
                await room.send(str(n))
            for v in (view, other):
                self.assertEqual([(await anext(v)).text for _ in range(3)], ["0", "1", "2"])

        self.on(scenario)

    def test_each_of_several_readers_is_woken(self):
        async def scenario(net):
            room = net.server.room("#lobby")
            waiting = []
            for n in range(5):
                waiting.append(asyncio.create_task(anext(room.records())))
                await net.settle()
            await room.send("now")
            self.assertEqual([r.text for r in await asyncio.gather(*waiting)], ["now"] * 5)

        self.on(scenario)

    def test_a_room_that_was_made_anew_is_another_one(self):
        async def scenario(net):
            server = net.server
            await server.create_room("#tea")
            tea = server.room("#tea")
            old = await tea.send("old")
            await server.remove_room("#tea")
            await server.create_room("#tea")
            await tea.send("new")
            for act in (tea.delete(old), tea.edit(old, "x"), tea.react(old, "x"),
                        tea.send("x", reply_to=old)):
                await self.assert_refused("no_such_message", act)
            view = tea.records(after=old)
            gap = await anext(view)
            self.assertEqual((type(gap), gap.cause), (quicchat.Gap, "new_epoch"))
            self.assertEqual([type(await anext(view)).__name__ for _ in range(2)],
                             ["RoomCreated", "Message"])

        self.on(scenario)

    def test_answers_that_nobody_takes_do_not_pile_up(self):
        async def scenario(net):
            room, core = net.server.room("#lobby"), net.server._program().core
            for _ in range(100):
                await room.send("x" * 20_000)
            await net.settle()
            asked = [room._begin_page(0, 100) for _ in range(50)]  # 2 MB each
            taken = [len(core.drain(1000)) for _ in range(40)]
            self.assertLess(max(taken), 8)
            self.assertEqual(sum(taken), len(asked))
            for future in asked:  # whose answers were taken here
                future.cancel()

        self.on(scenario, limits=quicchat.Limits(message_bytes_max=30_000) if quicchat else None)


class Accounts(Case):
    def test_several_changes_at_once_are_all_made(self):
        async def scenario(connect, server):
            names = ["zoe", "max", "kim"]
            await asyncio.gather(*(server.accounts.add(quicchat.Account(name, "long enough"))
                                   for name in names))
            self.assertEqual(await server.accounts.list(), sorted(["ada", "bob", "eve", *names]))
            await asyncio.gather(*(server.accounts.remove(name) for name in names))
            self.assertEqual(await server.accounts.list(), ["ada", "bob", "eve"])
            await server.reload()  # of the file

        self.talk(scenario, database=None)


if __name__ == "__main__":
    unittest.main()
