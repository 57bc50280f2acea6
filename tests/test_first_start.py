"""A first start with many accounts says how far it is, uses all processors, and is done once."""

import asyncio
import socket
import threading
import unittest
from unittest import mock

from _support import ITERATIONS, Case, quicchat

COUNT = 40


class FirstStart(Case):
    def many(self, count=COUNT, password="a password", **changes):
        users = [{"username": f"User{n}", "password": f"{password} {n}"} for n in range(count)]
        return self.config(auth={"users": users, "iterations": ITERATIONS}, **changes)

    def start(self, config, scenario=None):
        """Starts a server; what it said of its progress, and in how many threads it hashed."""
        said, threads = [], set()
        verifier = quicchat._core.verifier

        def hashed(*arguments):
            threads.add(threading.get_ident())
            return verifier(*arguments)

        async def main():
            server = quicchat.serve(config)
            server.hashing.on_progress = lambda *numbers: said.append(numbers)
            async with server:
                if scenario is not None:
                    await scenario(server)

        with mock.patch.object(quicchat._core, "verifier", hashed), \
                mock.patch("quicchat._hashing._PAUSE", 0), \
                mock.patch("os.cpu_count", lambda: 2):
            self.run_async(main)
        return said, threads

    async def log_in(self, server, number, password="a password"):
        async with quicchat.connect("127.0.0.1", server.address[1], user=f"user{number}",
                                    password=f"{password} {number}") as chat:
            self.assertEqual(chat.user, f"User{number}")

    def test_it_says_how_far_it_is_and_everybody_gets_in(self):
        async def scenario(server):
            for number in (0, 17, COUNT - 1):
                await self.log_in(server, number)
            with self.assertRaises(quicchat.AuthError):
                await self.log_in(server, 3, "another")

        for changes in ({}, {"database": None, "files": None}):
            said, threads = self.start(self.many(**changes), scenario)
            self.assertEqual([numbers[:2] for numbers in said],
                             [(n, COUNT) for n in range(1, COUNT + 1)])
            self.assertTrue(all(left > 0 for *_, left in said[:-1]))
            self.assertEqual(said[-1][2], 0)
            self.assertEqual(len(threads), 2)

    def test_the_next_start_hashes_nothing(self):
        self.start(self.many())
        self.assertEqual(self.start(self.many()), ([], set()))

        async def scenario(server):
            done = await server.reload(self.many(password="another"))
            self.assertEqual(len(done.replaced), COUNT)
            await self.log_in(server, 5, "another")

        self.start(self.many(), scenario)

    def test_only_new_ones_are_hashed(self):
        self.start(self.many(3))
        said, _ = self.start(self.many(COUNT))
        self.assertEqual(said[-1], (COUNT - 3, COUNT - 3, 0))

    def test_a_port_in_use_is_told_before(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            with mock.patch.object(quicchat._core, "verifier", None), \
                    self.assertRaises(quicchat.BindError):
                # The core says it before it hashes anything itself.
                self.start(self.many(port=taken.getsockname()[1]))

    def test_who_waits_no_more_is_not_waited_for(self):
        hashed = []

        def slow(*arguments):
            hashed.append(arguments)
            running.set()
            release.wait()
            return "no verifier"

        running, release = threading.Event(), threading.Event()

        async def main():
            server = quicchat.serve(self.many())
            starting = asyncio.create_task(server.start())
            await asyncio.to_thread(running.wait)
            starting.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await starting
            release.set()

        with mock.patch.object(quicchat._core, "verifier", slow), \
                mock.patch("os.cpu_count", lambda: 2):
            self.run_async(main)
        self.assertLess(len(hashed), COUNT)

    def test_the_command_says_it(self):
        self.many()
        server = self.start_server(config=self.folder / "config.json")
        self.assertIn(f"hashed {COUNT} of {COUNT} new passwords\n", server.log)

    def test_how_long_it_takes(self):
        from quicchat.cli.serve import _hashed

        self.assertEqual([_hashed(10, 20, left) for left in (0.2, 40.4, 90, 600)], [
            f"hashed 10 of 20 new passwords, some {rest} to go"
            for rest in ("1 s", "40 s", "2 min", "10 min")])


if __name__ == "__main__":
    unittest.main()
