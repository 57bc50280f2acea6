"""`quicchat.testing`: faults of its network, and programs that connect by themselves."""

import asyncio
import unittest

from _in_memory import InMemory, Network, kinds, texts
from _support import quicchat


class Faults(InMemory):
    def test_a_delay_holds_everything_back_for_so_long(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            await net.received(bob)
            net.delay = 3
            sent = asyncio.create_task(room.send("slow"))
            await net.advance(5)
            self.assertEqual((sent.done(), texts(await net.received(bob))), (False, []))
            await net.advance(1)
            self.assertTrue(sent.done())
            self.assertEqual(texts(await net.received(bob)), ["slow"])

        self.on(scenario)

    def test_a_refused_dial_and_one_without_answer(self):
        async def scenario(net):
            net.set_dialling("refused")
            with self.assertRaises(quicchat.Unreachable):
                await net.connect("ada")
            net.set_dialling("unanswered")
            dialling = asyncio.create_task(net.connect("ada"))
            await net.settle()
            self.assertFalse(dialling.done())
            await net.advance(60)
            with self.assertRaises(quicchat.HandshakeTimeout):
                await dialling
            net.set_dialling("answered")
            await net.connect("ada")

        self.on(scenario)

    def test_a_cut_in_the_middle_of_a_file(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            data = bytes(range(256)) * 1000
            net.cut(ada, after=100_000)
            sent = asyncio.create_task(room.send_file(data, name="big.bin"))
            while not sent.done():
                await asyncio.sleep(0.001)  # its bytes are read in a thread
                await net.advance(1)
            self.assertIn("Reconnecting", kinds(await net.received(ada)))
            self.assertEqual(await bob.read_file("#lobby", await sent), data)

        self.on(scenario)

    def test_what_is_stalled_arrives_later_or_is_given_up(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            await net.received(bob)
            net.stall(bob)
            await room.send("late")
            self.assertEqual(texts(await net.received(bob)), [])
            net.resume(bob)
            self.assertEqual(texts(await net.received(bob)), ["late"])
            net.stall(bob)
            await net.advance(3600)
            self.assertIn("Reconnecting", kinds(await net.received(bob)))

        self.on(scenario)

    def test_the_server_goes_away_in_peace(self):
        async def scenario(net):
            ada = await net.connect("ada")
            await net.server.close()
            self.assertIn("GoingAway", kinds(await net.received(ada)))
            self.assertFalse(ada.is_online)

        self.on(scenario)

    def test_what_cannot_be_is_said(self):
        async def scenario(net):
            for wrong in (-1, (2, 1), float("inf")):
                with self.assertRaises(ValueError):
                    net.delay = wrong
            with self.assertRaises(ValueError):
                net.set_dialling("perhaps")
            with self.assertRaises(quicchat.AuthError):
                await net.connect("no such name!")
            with self.assertRaises(quicchat.ConfigError):
                await net.server.reload()

        self.on(scenario)


class Programs(InMemory):
    def test_a_program_that_connects_by_itself_is_given_the_network(self):
        async def program():
            async with quicchat.connect("chat.example.org", 4433, user="bot",
                                        password="secret") as chat:
                room = await chat.join("#lobby")
                async for event in chat:
                    if isinstance(event, quicchat.Message) and event.text == "ping":
                        await room.send("pong")
                        return

        async def scenario(net):
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            with net.stands_in():
                bot = asyncio.create_task(program())
            await net.settle()
            await room.send("ping")
            await bot
            self.assertEqual(texts(await net.received(ada)), ["ping", "pong"])

        self.on(scenario)

    def test_the_blocking_client_as_well(self):
        async def scenario(net):
            ada = await net.connect("ada")
            await ada.join("#lobby")
            with net.stands_in(), quicchat.sync.connect("x", 1, user="bob", password="y") as bob:
                bob.join("#lobby").send("blocking")
            self.assertEqual(texts(await net.received(ada)), ["blocking"])

        self.on(scenario)

    def test_nothing_touches_a_file(self):
        self.assertFalse(any(self.folder.iterdir()))

        async def scenario(net):
            await (await net.connect("ada")).join("#lobby")
            with net.stands_in():
                async with quicchat.connect("x.example", 1, user="bob", password="y"):
                    pass

        self.on(scenario)
        self.assertFalse(any(self.folder.iterdir()))

    def test_it_needs_no_pytest_and_ends_without_a_word(self):
        ended = self.python(
            "import sys, asyncio\n"
            "from quicchat.testing import Network\n"
            "async def main():\n"
            "    net = Network()\n"
            "    await (await net.connect('ada')).join('#lobby')\n"
            "    net.drop()\n"
            "asyncio.run(main())\n"
            "assert 'pytest' not in sys.modules\n", "-X", "dev", "-W", "error")
        self.assertEqual((ended.returncode, ended.stderr), (0, b""))

    def test_run_is_for_tests_without_an_event_loop(self):
        net = Network()

        @net.run
        async def answer():
            return (await net.connect("ada")).user

        self.assertEqual(answer, "ada")


if __name__ == "__main__":
    unittest.main()
