"""SIGHUP: certificate, accounts and limits change, and nobody is cut."""

import asyncio
import signal
import sqlite3
import sys
import time
import unittest

from _support import (ACCOUNTS, ITERATIONS, PATIENCE, Case, Terminal, account, next_of, quicchat,
                      scaled)


def users(**changes):
    """The `auth` of a configuration: the usual accounts, with others, or without some."""
    passwords = {**ACCOUNTS, **changes}
    return {"iterations": ITERATIONS,
            "users": [{"username": name, "password": password}
                      for name, password in passwords.items() if password is not None]}


class Reloads(Case):
    def make_pair(self, name="server", write=True):
        """A new pair in the place of the files of that name; returns its fingerprint."""
        certificate, key = quicchat._core.make_self_signed(["127.0.0.1"], 30)
        for suffix, text in (("crt", certificate), ("key", key)):
            path = self.folder / f"{name}.{suffix}"
            path.write_text(text)
            path.chmod(0o600)
        return quicchat._core.fingerprint(certificate)


class Signals(Reloads):
    """`quicchat serve` as a process."""

    def setUp(self):
        super().setUp()
        self.server = self.start_server("--port", 0)

    def hang_up(self, count=1):
        """Sends SIGHUP and returns what the server says to it."""
        before = len(self.server.log)
        self.server.process.send_signal(signal.SIGHUP)
        return self.wait_for("reloaded", before, count)

    def wait_for(self, words, before, count=1):
        """What the server has said, when these words are in it so often and their line is whole."""
        deadline = time.monotonic() + PATIENCE
        while True:
            said = self.server.log[before:]
            if said.count(words) >= count and "\n" in said.rpartition(words)[2]:
                return said
            self.assertIsNone(self.server.process.poll(), said)
            self.assertLess(time.monotonic(), deadline, said)
            time.sleep(0.02)

    def connect(self, name="ada", **options):
        return quicchat.connect("127.0.0.1", self.server.port, **{**account(name), **options})

    def with_chat(self, scenario):
        """`scenario(chat, room)` while ada chats; her connection must last to the end."""

        async def main():
            async with self.connect() as chat:
                room = await chat.join("#lobby")
                await room.send("before")
                first = await next_of(chat, quicchat.Message, text="before")
                await scenario(chat, room)
                receipt = await room.send("after")
                self.assertGreater(receipt.offset, first.offset)
                async for event in chat:
                    self.assertNotIsInstance(event, quicchat.Reconnecting)
                    if isinstance(event, quicchat.Message) and event.text == "after":
                        break

        self.run_async(main)

    async def refused(self, name, **options):
        with self.assertRaises(quicchat.AuthError):
            async with self.connect(name, **options):
                pass

    def test_a_new_certificate_is_for_those_who_come(self):
        async def scenario(chat, room):
            old = quicchat._core.fingerprint((self.folder / "server.crt").read_text())
            new = self.make_pair()
            said = await asyncio.to_thread(self.hang_up)
            self.assertEqual(said.splitlines()[-1], f"reloaded config.json: certificate {new}")
            async with self.connect("bob", tls=quicchat.TLS.pin(new)) as bob:
                await (await bob.join("#lobby")).send("by the new key")
            await next_of(chat, quicchat.Message, text="by the new key")
            with self.assertRaises(quicchat.CertificateError):
                async with self.connect("bob", tls=quicchat.TLS.pin(old)):
                    pass

        self.with_chat(scenario)

    def test_accounts_come_and_go_in_memory(self):
        self.server.stop()
        self.server = self.start_server(config=self.write_config(database=None))

        async def scenario(chat, room):
            async with self.connect("eve") as eve:
                self.write_config(database=None,
                                  auth=users(eve=None, bob="other", zoe="new here"))
                said = await asyncio.to_thread(self.hang_up)
                self.assertIn("reloaded config.json: 3 accounts\n", said)
                await (await eve.join("#lobby")).send("I am still here")
            await next_of(chat, quicchat.Message, text="I am still here")
            async with self.connect("bob", password="other"):
                pass
            async with quicchat.connect("127.0.0.1", self.server.port, user="zoe",
                                        password="new here"):
                pass
            await self.refused("eve")
            await self.refused("bob")

        self.with_chat(scenario)

    def test_accounts_of_a_database_are_added_and_replaced(self):
        async def scenario(chat, room):
            self.write_config(auth=users(eve=None, bob="other", zoe="new here"))
            said = await asyncio.to_thread(self.hang_up)
            self.assertIn("reloaded config.json: 3 accounts\n", said)
            self.assertIn("quicchat user remove eve", said)
            self.assertIn("bob has another password", said)
            async with self.connect("eve"), self.connect("bob", password="other"):
                pass
            async with quicchat.connect("127.0.0.1", self.server.port, user="zoe",
                                        password="new here"):
                pass
            await self.refused("bob")
            said = await asyncio.to_thread(self.hang_up)
            self.assertIn("reloaded config.json: nothing has changed\n", said)
            self.assertNotIn("warning", said)

        self.with_chat(scenario)

    def test_limits_operators_and_rooms(self):
        async def scenario(chat, room):
            self.write_config(rooms=["#lobby", "#tea"], operators=["ada"],
                              anybody_makes_rooms=False, limits={"message_bytes_max": 100})
            said = await asyncio.to_thread(self.hang_up)
            self.assertEqual(said.splitlines()[-1], "reloaded config.json: limits, operators, "
                                                    "anybody_makes_rooms, rooms")
            await chat.join("#tea")
            await self.assert_refused("message_too_long", room.send("x" * 101))
            await chat.create_room("#ada")
            async with self.connect("bob") as bob:
                await self.assert_refused("forbidden", bob.create_room("#bob"))

        self.with_chat(scenario)

    def test_what_needs_a_restart_is_said(self):
        self.write_config(port=1, host="127.0.0.2", durability="process", rooms=["#tea"],
                          database="other.db", limits={"room_log_records_max": 7,
                                                       "idle_timeout": 30})
        said = self.hang_up()
        for word in ("host", "database", "durability"):
            self.assertIn(f"warning: {word}: takes effect at the next start\n", said)
        self.assertNotIn("port:", said)  # the command line says which
        self.assertIn("room_log_records_max: for new rooms", said)
        self.assertIn("idle_timeout: for new connections", said)
        self.assertIn("#lobby stays, though", said)
        self.assertIn("reloaded config.json: limits, rooms\n", said)
        self.assertFalse((self.folder / "other.db").exists())
        self.assertIn("host: takes effect", self.hang_up())  # as long as it is so

    def test_mistakes_change_nothing(self):
        config = self.folder / "config.json"
        good = config.read_text()

        def wrong_pair():
            self.make_pair("other")
            self.write_config(keyfile="other.key", limits={"message_bytes_max": 1})

        def no_pair():
            self.write_config(certfile="none.crt", keyfile="none.key")

        mistakes = {
            "[E-CONFIG-JSON]": lambda: config.write_text(good[:-9]),
            "[E-CONFIG]": lambda: self.write_config(limits={"message_bytes_max": -1}),
            "[E-CERT-MISMATCH]": wrong_pair,
            "[E-CERT-MISSING]": no_pair,
            "[E-CONFIG-MISSING]": config.unlink,
        }

        async def scenario(chat, room):
            for code, make in mistakes.items():
                with self.subTest(code):
                    make()
                    said = await asyncio.to_thread(self.hang_up)
                    self.assertIn(code, said)
                    self.assertIn("config.json was not reloaded; the server goes on as before",
                                  said)
                    self.assertNotIn("Traceback", said)
                    self.assertNotIn("cannot start", said)
                    async with self.connect("bob") as bob:
                        await (await bob.join("#lobby")).send("x" * 500)
            self.assertFalse((self.folder / "none.crt").exists())
            config.write_text(good)
            self.assertIn("nothing has changed", await asyncio.to_thread(self.hang_up))

        self.with_chat(scenario)

    def test_too_many_rooms_change_nothing(self):
        async def scenario(chat, room):
            for name in ("#one", "#two"):
                await chat.create_room(name)
            self.make_pair()
            self.write_config(rooms=["#lobby", "#tea"], operators=["bob"],
                              limits={"rooms_max": 3, "message_bytes_max": 1})
            said = await asyncio.to_thread(self.hang_up)
            self.assertIn("more rooms than the configuration allows", said)
            async with self.connect("bob") as bob:  # by the known key
                await self.assert_refused("no_such_room", bob.join("#tea"))

        self.with_chat(scenario)

    def test_a_login_under_way_is_not_disturbed(self):
        async def scenario(chat, room):
            stop = asyncio.Event()

            async def log_in(name):
                while not stop.is_set():
                    async with self.connect(name, tls=quicchat.TLS.insecure()):
                        pass

            logins = [asyncio.create_task(log_in(name)) for name in ("bob", "eve")]
            for number in range(4):
                self.make_pair()
                self.write_config(auth=users(**{f"new{number}": "secret"}))
                await asyncio.to_thread(self.hang_up)
            stop.set()
            await asyncio.gather(*logins)

        self.with_chat(scenario)

    def test_many_signals_in_a_row(self):
        async def scenario(chat, room):
            before = len(self.server.log)
            for number in range(50):
                self.write_config(limits={"members_max": 100 + number})
                self.server.process.send_signal(signal.SIGHUP)
                await room.send(str(number))
            last = self.make_pair()
            self.server.process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(self.wait_for, f"certificate {last}", before)
            said = self.server.log[before:]
            # A file that is read while it is written may be empty: that is said, and no more.
            self.assertNotIn("Traceback", said)
            async with self.connect("bob", tls=quicchat.TLS.pin(last)):
                pass

        self.with_chat(scenario)
        self.assertEqual(self.server.stop(), 0)
        self.assertIn("stopping", self.server.log)

    def test_a_signal_during_a_reload_is_not_lost(self):
        auth = users(**{f"slow{number}": "secret" for number in range(3)})
        self.write_config(auth={**auth, "iterations": 2_000_000})  # some seconds
        before = len(self.server.log)
        self.server.process.send_signal(signal.SIGHUP)
        time.sleep(scaled(0.5))
        last = self.make_pair()
        self.server.process.send_signal(signal.SIGHUP)
        said = self.wait_for("reloaded", before, count=2)
        self.assertRegex(said, rf"reloaded config.json: 6 accounts\n(.*\n)*.*certificate {last}\n")

    def test_a_database_that_cannot_be_written_leaves_all_as_it_was(self):
        async def scenario(chat, room):
            other = sqlite3.connect(self.folder / "quicchat.db", isolation_level=None)
            self.addCleanup(other.close)
            new = self.make_pair()
            self.write_config(auth=users(zoe="new here"), operators=["bob"])
            other.execute("BEGIN IMMEDIATE")
            said = await asyncio.to_thread(self.hang_up)
            other.execute("ROLLBACK")
            self.assertIn("[E-STORAGE]", said)
            self.assertIn("goes on as before", said)
            async with self.connect("bob") as bob:  # by the known key
                self.assertEqual((await bob.join("#lobby")).role, quicchat.Role.MEMBER)
            said = await asyncio.to_thread(self.hang_up)
            self.assertIn(f"certificate {new}, 4 accounts, operators", said)

        self.with_chat(scenario)


class Terminals(Reloads):
    def serve(self, *before):
        terminal = Terminal(self, [*before, sys.executable, "-m", "quicchat", "serve", "--config",
                                   self.write_config()])
        terminal.expect("press Ctrl-C to stop")
        return terminal

    def test_a_signal_reloads_while_the_terminal_is_there(self):
        terminal = self.serve()
        terminal.process.send_signal(signal.SIGHUP)
        terminal.expect("reloaded config.json: nothing has changed")
        terminal.type("\x03")
        self.assertEqual(terminal.wait(), 130)

    def test_a_terminal_that_closes_ends_the_server(self):
        terminal = self.serve()
        terminal.hang_up()
        terminal.process.wait(PATIENCE)


if __name__ == "__main__":
    unittest.main()
