"""`Server.reload` as a program calls it."""

import asyncio
import unittest
from dataclasses import replace
from unittest import mock

from _support import ITERATIONS, quicchat, scaled
from test_reload import Reloads, users


class InTheProgram(Reloads):
    """`await server.reload()`."""

    def test_the_answer_says_what_changed(self):
        async def scenario(connect, server):
            unchanged = await server.reload()
            self.assertEqual((unchanged.changed, unchanged.notices), ((), ()))
            self.assertEqual(str(unchanged), "nothing has changed")
            new = self.make_pair()
            path = self.write_config(auth=users(zoe="new here", bob="other", eve=None),
                                     database=None, port=7)
            done = await server.reload(path)
            self.assertEqual(done.changed, ("certificate", "accounts"))
            self.assertEqual((done.added, done.replaced, done.removed),
                             (("zoe",), ("bob",), ("eve",)))
            self.assertEqual(done.fingerprint, new)
            self.assertEqual(server.fingerprint, new)
            self.assertEqual(done.notices, ("port: takes effect at the next start",))
            self.assertEqual(str(done), f"certificate {new}, 3 accounts")
            self.assertEqual(server.config.port, 0)
            config = quicchat.load_config(path)
            self.assertEqual((await server.reload(config)).changed, ())

        self.talk(scenario, database=None)

    def test_errors_are_the_usual_ones(self):
        async def scenario(connect, server):
            before = server.config
            for wrong, kind in ((self.folder / "none.json", quicchat.ConfigError),
                                (self.config(certfile="none.crt"), quicchat.CertificateError),
                                (self.write_config(auth=users(bob="")), quicchat.ConfigError)):
                with self.assertRaises(kind):
                    await server.reload(wrong)
            self.assertIs(server.config, before)
            async with connect() as chat:
                await chat.join("#lobby")

        self.talk(scenario)

    def test_a_device_keeps_its_token_unless_its_account_changes(self):
        async def scenario(connect, server):
            states = {name: self.folder / f"{name}.state" for name in ("ada", "bob")}
            for name, state in states.items():
                async with connect(name, state=state):
                    await asyncio.sleep(scaled(0.3))  # the token comes a little later
            self.make_pair()
            await server.reload(self.config(database=None, auth=users(bob="other")))
            tls = quicchat.TLS.pin(server.fingerprint)
            address = server.address
            async with quicchat.connect(*address, user="ada", state=states["ada"], tls=tls):
                pass
            with self.assertRaises(quicchat.AuthError):
                async with quicchat.connect(*address, user="bob", state=states["bob"], tls=tls):
                    pass

        self.talk(scenario, database=None)

    def test_a_password_that_is_as_before_is_not_hashed(self):
        hashed = []
        reload_core = quicchat.server.reload_core

        def counted(*arguments):
            changes = reload_core(*arguments)
            hashed.append(changes[3])
            return changes

        for database in (None, "chat.db"):
            async def scenario(connect, server, database=database):
                await server.reload(self.config(database=database))
                await server.reload(self.config(database=database, auth=users(zoe="new here")))
                await server.reload(self.config(database=database, auth=users(zoe="another")))
                await server.reload(self.config(database=database, auth=users(zoe="another")))
                async with connect("ada"):
                    pass

            hashed.clear()
            with self.subTest(database), mock.patch("quicchat.server.reload_core", counted):
                self.talk(scenario, database=database)
                # A password that is another one is compared with the one before.
                self.assertEqual(hashed, [0, 1, 2, 0])

    def test_a_server_that_is_not_there(self):
        async def main():
            server = quicchat.serve(self.config())
            with self.assertRaises(RuntimeError):
                await server.reload()
            async with server:
                reloads = [asyncio.create_task(server.reload()) for _ in range(20)]
                await asyncio.sleep(0)
            ends = await asyncio.gather(*reloads, server.reload(), return_exceptions=True)
            for end in ends:
                self.assertIsInstance(end, quicchat.Reloaded | quicchat.ServerShutdown)
            self.assertIsInstance(ends[-1], quicchat.ServerShutdown)

        self.run_async(main)

    def test_a_configuration_that_was_made_by_hand(self):
        async def main():
            self.make_pair()
            config = quicchat.ServerConfig("127.0.0.1", 0, self.folder / "server.crt",
                                           self.folder / "server.key",
                                           (quicchat.Account("ada", "x"),), iterations=ITERATIONS)
            async with quicchat.serve(config) as server:
                with self.assertRaisesRegex(quicchat.ConfigError, "not read from a file"):
                    await server.reload()
                with self.assertRaisesRegex(quicchat.ConfigError, "cannot reload"):
                    await server.reload(replace(config, rooms=("#tea", "tea")))
                self.assertEqual((await server.reload(replace(config, rooms=("#tea",)))).changed,
                                 ("rooms",))

        self.run_async(main)


if __name__ == "__main__":
    unittest.main()
