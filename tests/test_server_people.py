"""Who comes on line and who goes, for the server's own program."""

import asyncio
import gc
import unittest

from _in_memory import InMemory
from _support import quicchat


async def given(net, view):
    """What it gives now: names, and whether they are here."""
    found = []
    while True:
        reading = asyncio.create_task(anext(view))
        await net.settle()
        if not reading.done():
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            return found
        person = reading.result()
        found.append((person.user, person.is_online))


class ComingAndGoing(InMemory):
    def test_it_begins_with_who_is_here(self):
        async def scenario(net):
            ada = await net.connect("ada")
            await net.connect("bob")
            view = net.server.people()
            self.assertEqual(await given(net, view), [("ada", True), ("bob", True)])
            await net.connect("eve")
            await ada.close()
            self.assertEqual(await given(net, view), [("eve", True), ("ada", False)])

        self.on(scenario)

    def test_a_reader_that_has_not_begun_keeps_nothing(self):
        async def scenario(net):
            view = net.server.people()
            for number in range(5):
                await (await net.connect(f"guest{number}")).close()
            await net.connect("ada")
            await net.settle()
            self.assertEqual(view._changed, {})
            reading = asyncio.create_task(anext(view))
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await (await net.connect("eve")).close()
            await net.settle()
            self.assertEqual(view._changed, {})
            self.assertEqual(await given(net, view), [("ada", True)])

        self.on(scenario)

    def test_only_the_first_device_and_the_last_count(self):
        async def scenario(net):
            view = net.server.people()
            self.assertEqual(await given(net, view), [])
            first, second = await net.connect("ada"), await net.connect("ada")
            self.assertEqual(await given(net, view), [("ada", True)])
            await first.close()
            self.assertEqual(await given(net, view), [])
            await second.close()
            self.assertEqual(await given(net, view), [("ada", False)])

        self.on(scenario)

    def test_a_slow_reader_costs_an_entry_for_each_account(self):
        async def scenario(net):
            view = net.server.people()
            self.assertEqual(await given(net, view), [])
            stays = await net.connect("bob")
            for _ in range(20):
                ada = await net.connect("ada")
                await ada.close()
            await net.settle()
            self.assertEqual(len(view._changed), 1)  # and ada is as she was
            self.assertEqual(await given(net, view), [("bob", True)])
            await stays.close()
            await net.connect("bob")
            self.assertEqual(await given(net, view), [])

        self.on(scenario)

    def test_who_goes_before_the_first_is_read(self):
        async def scenario(net):
            ada = await net.connect("ada")
            view = net.server.people()
            await ada.close()
            await net.connect("bob")
            self.assertEqual(await given(net, view), [("bob", True)])

        self.on(scenario)

    def test_each_reader_gets_all_of_it_and_it_ends_with_the_server(self):
        async def scenario(net):
            views = [net.server.people(), net.server.people()]
            await net.connect("ada")
            for view in views:
                self.assertEqual(await given(net, view), [("ada", True)])
            reading = asyncio.create_task(anext(views[0], None))
            await net.server.close()
            await net.settle()
            last = await reading
            while last is not None:  # ada goes, too
                last = await anext(views[0], None)
            with self.assertRaises(quicchat.ServerShutdown):
                net.server.people()

        self.on(scenario)

    def test_two_tasks_read_one_view_and_one_is_cancelled(self):
        async def scenario(net):
            view = net.server.people()
            first = asyncio.create_task(anext(view))
            second = asyncio.create_task(anext(view))
            await asyncio.sleep(0)
            first.cancel()
            await net.settle()
            await net.connect("ada")
            await net.settle()
            self.assertEqual((await second).user, "ada")

        self.on(scenario)

    def test_names_are_as_the_account_is_spelled(self):
        async def scenario(net):
            await net.server.set_display_name("Ada L.", user="ada")
            view = net.server.people()
            self.assertEqual(await given(net, view), [])
            await net.connect("ada")
            person = await anext(view)
            self.assertEqual(person, quicchat.Person("ada", "Ada L.", 1))

        self.on(scenario)

    def test_the_core_is_quiet_when_nobody_reads_any_more(self):
        async def scenario(net):
            view = net.server.people()
            self.assertEqual(await given(net, view), [])
            del view
            gc.collect()
            program = net.server._program()
            await net.connect("ada")  # the core says it once more
            await net.settle()
            told = []
            program.take_person = told.append
            await net.connect("bob")
            await net.settle()
            self.assertEqual(told, [])

        self.on(scenario)


if __name__ == "__main__":
    unittest.main()
