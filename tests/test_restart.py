"""A server goes and comes back: what its clients see, and what it still knows."""

import asyncio
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

from _support import (ACCOUNTS, PATIENCE, Case, Terminal, account, environment, next_of, quicchat,
                      scaled)

FAST = {"drain_timeout": 0.2}  # how long a server waits for clients when it stops


class Restarts(Case):
    def restart(self, server, config, how=signal.SIGKILL):
        server.stop(how)
        return self.start_server("--port", server.port, config=config)


class AsyncClient(Restarts):
    def test_rooms_and_pending_messages_go_on(self):
        async def main():
            config = self.write_config()
            server = self.start_server(config=config)
            async with self.connect(server) as ada, self.connect(server, "bob") as bob:
                room = await ada.join("#lobby")
                await bob.join("#lobby")
                await room.send("line 0")
                server.stop(signal.SIGKILL)
                lost = await next_of(ada, quicchat.Reconnecting)
                self.assertIsInstance(lost.cause, quicchat.Closed | quicchat.ConnectError)
                self.assertEqual((lost.attempt, lost.delay > 0), (1, True))
                self.assertEqual((ada.is_open, ada.is_online), (True, False))
                pending = [asyncio.create_task(room.send(f"line {n}")) for n in range(1, 4)]
                await asyncio.sleep(0.1)
                begin = time.monotonic()
                await asyncio.to_thread(self.restart, server, config)
                receipts = await asyncio.gather(*pending)
                print(f"\ntest_restart: answered {time.monotonic() - begin:.2f} s after the "
                      "server was started")
                self.assertEqual([receipt.offset for receipt in receipts], [2, 3, 4])
                self.assertEqual((await next_of(ada, quicchat.Online)).user, "ada")
                joined = await next_of(ada, quicchat.Joined)
                self.assertEqual((joined.room, joined.epoch, joined.recovered),
                                 ("#lobby", room.epoch, True))
                await room.send("line 4")
                for offset in range(1, 6):
                    seen = await next_of(bob, quicchat.Message)
                    self.assertEqual((seen.offset, seen.text), (offset, f"line {offset - 1}"))
                self.assertTrue(ada.is_online)

        self.run_async(main)

    def test_a_timeout_ends_the_wait_and_not_the_message(self):
        async def main():
            config = self.write_config()
            server = self.start_server(config=config)
            async with self.connect(server) as chat:
                room = await chat.join("#lobby")
                server.stop(signal.SIGKILL)
                await next_of(chat, quicchat.Reconnecting)
                with self.assertRaises(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await room.send("late")
                with self.assertRaises(quicchat.RequestError) as caught:
                    await room.members()
                self.assertEqual(caught.exception.code, "E-NOT-READY")
                await asyncio.to_thread(self.restart, server, config)
                self.assertEqual((await next_of(chat, quicchat.Message)).text, "late")
                self.assertEqual((await room.send("later")).offset, 2)

        self.run_async(main)

    def test_without_reconnection_a_loss_is_the_end(self):
        async def main():
            server = self.start_server()
            for never in (None, False):
                async with self.connect(server, reconnect=never) as chat:
                    await chat.join("#lobby")
            async with self.connect(server, reconnect=never) as chat:
                room = await chat.join("#lobby")
                server.stop(signal.SIGKILL)
                with self.assertRaises(quicchat.Closed):
                    await room.send("x")
                with self.assertRaises(quicchat.Closed):
                    await next_of(chat, quicchat.Message)

        self.run_async(main)

    def test_it_gives_up_after_the_time_that_it_was_given(self):
        async def main():
            server = self.start_server()
            reconnect = quicchat.Reconnect(give_up_after=1)
            async with self.connect(server, reconnect=reconnect) as chat:
                room = await chat.join("#lobby")
                server.stop(signal.SIGKILL)
                begin = time.monotonic()
                with self.assertRaises(quicchat.Unreachable) as caught:
                    await room.send("x")
                self.assertLess(time.monotonic() - begin, scaled(10))
                self.assertEqual(quicchat.exit_status(caught.exception), 69)
                self.assertFalse(chat.is_open)

        self.run_async(main)

    def test_a_password_that_was_changed_meanwhile_is_the_end(self):
        async def main():
            server = self.start_server()
            async with self.connect(server) as chat:
                await chat.join("#lobby")
                users = [{"username": "ada", "password": "another one"}]
                config = self.write_config(auth={"iterations": 100_000, "users": users})
                again = await asyncio.to_thread(self.restart, server, config)
                with self.assertRaises(quicchat.AuthError):
                    await next_of(chat, quicchat.Message)
            self.assertIn("the password of 'ada' in config.json is another one", again.log)

        self.run_async(main)

    def test_rooms_in_memory_are_gone_and_it_is_said(self):
        async def main():
            config = self.write_config(database=None)
            server = self.start_server(config=config)
            self.assertIn("rooms live in memory", server.log)
            async with self.connect(server) as chat:
                room = await chat.join("#lobby")
                self.assertEqual((await room.send("forgotten")).durability, "memory")
                await asyncio.to_thread(self.restart, server, config)
                gap = await next_of(chat, quicchat.Gap)
                self.assertEqual((gap.cause, gap.epoch != room.epoch), ("new_epoch", True))
                self.assertEqual((await room.send("new")).offset, 1)
            self.assertFalse((self.folder / "quicchat.db").exists())

        self.run_async(main)

    def test_a_close_while_there_is_no_connection(self):
        async def main():
            server = self.start_server()
            async with self.connect(server) as chat:
                room = await chat.join("#lobby")
                server.stop(signal.SIGKILL)
                await next_of(chat, quicchat.Reconnecting)
                pending = asyncio.create_task(room.send("x"))
                await asyncio.sleep(0)
                await chat.close()
                with self.assertRaises(quicchat.Closed):
                    await pending
                self.assertEqual([e async for e in chat if isinstance(e, quicchat.Message)], [])

        self.run_async(main)

    def connect(self, server, name="ada", **options):
        # A server that is killed says nothing: it is missed after the idle timeout.
        limits = quicchat.Limits(idle_timeout=scaled(1), keep_alive=scaled(0.5))
        return quicchat.connect("127.0.0.1", server.port, **account(name), limits=limits, **options)

    def test_delays_that_cannot_be(self):
        for wrong in ({"delay_min": 0.1}, {"delay_min": 5, "delay_max": 1}, {"delay_max": "x"},
                      {"give_up_after": -1}):
            with self.subTest(wrong), self.assertRaises(quicchat.ConfigError):
                quicchat.Reconnect(**wrong)
        with self.assertRaises(TypeError):
            quicchat.connect("127.0.0.1", 1, user="a", password="b", reconnect=3)


class Blocking(Restarts):
    def test_the_blocking_client_comes_back_as_well(self):
        config = self.write_config()
        server = self.start_server(config=config)
        with quicchat.sync.connect("127.0.0.1", server.port, **account()) as chat:
            room = chat.join("#lobby")
            room.send("one")
            server = self.restart(server, config)
            self.assertEqual(room.send("two", timeout=scaled(30)).offset, 2)
            kinds = [type(event) for event in chat.events(timeout=scaled(0.5))]
            self.assertLess(kinds.index(quicchat.Reconnecting), kinds.index(quicchat.Online))
            self.assertTrue(chat.is_online)


class WhatIsKept(Restarts):
    def test_rooms_history_and_accounts_are_there_after_a_restart(self):
        config = self.write_config()
        server = self.start_server(config=config)
        self.assert_words(self.chat(server, [f"line {n}" for n in range(5)]), 0)
        self.assert_words(self.command("user", "add", "zoe", input=b"new here\n"), 0)
        for how in (signal.SIGTERM, signal.SIGKILL):
            server = self.restart(server, config, how)
        with quicchat.sync.connect("127.0.0.1", server.port, user="zoe",
                                   password="new here") as zoe:
            room = zoe.join("#lobby", last=3)
            self.assertEqual((room.head, room.next), (5, 3))
            texts = [e.text for e in zoe.events(timeout=scaled(0.5))
                     if isinstance(e, quicchat.Message)]
            self.assertEqual(texts, ["line 2", "line 3", "line 4"])
            self.assertEqual(room.send("six").durability, "fsync")

    def test_durability_is_what_was_configured(self):
        server = self.start_server(config=self.write_config(durability="process"))
        with quicchat.sync.connect("127.0.0.1", server.port, **account()) as chat:
            self.assertEqual(chat.join("#lobby").send("x").durability, "process")

    def test_a_device_needs_no_password_after_a_restart(self):
        questions = []

        def authenticate(question):
            questions.append(question)
            return True

        async def main():
            config = self.config(limits=FAST)
            async with quicchat.serve(config, authenticate=authenticate) as server:
                port = server.address[1]
                chat = await quicchat.connect("127.0.0.1", port, **account())
                room = await chat.join("#lobby")
                await room.send("one")
            config = self.config(limits=FAST, port=port)
            async with quicchat.serve(config, authenticate=authenticate):
                await room.send("two")
                await chat.close()

        self.run_async(main)
        self.assertEqual([q.mechanism for q in questions], ["SCRAM-SHA-256-PLUS", "QUICCHAT-TOKEN"])
        self.assertEqual({(q.user, q.device) for q in questions},
                         {("ada", questions[0].device)})


class StateFiles(Restarts):
    CODE = """
import asyncio, os, quicchat
async def main():
    chat = await quicchat.connect("127.0.0.1", {port}, user="ada", password={password!r},
                                  state="state")
    room = await chat.join("#lobby")
    await room.send("one")
    os.kill({pid}, 9)
    for text in ("two", "three"):
        asyncio.create_task(room.send(text))
    await asyncio.sleep({wait})
    os._exit(3)  # as a crash would
asyncio.run(main())
"""

    def test_unsent_messages_outlive_the_program(self):
        config = self.write_config()
        server = self.start_server(config=config)
        result = self.python(self.CODE.format(
            wait=scaled(0.5), port=server.port, password=ACCOUNTS["ada"], pid=server.process.pid))
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertEqual((self.folder / "state").stat().st_mode & 0o777, 0o600)
        server = self.start_server("--port", server.port, config=config)

        async def main():
            # The token is in the file as well: no password.
            async with quicchat.connect("127.0.0.1", server.port, user="ada",
                                        state=self.folder / "state") as chat:
                await chat.join("#lobby", last=10)
                texts = [(await next_of(chat, quicchat.Message)).text for _ in range(3)]
                self.assertEqual(texts, ["one", "two", "three"])
            async with quicchat.connect("127.0.0.1", server.port, user="ada",
                                        state=self.folder / "state") as chat:
                self.assertEqual((await chat.join("#lobby")).head, 3)  # none came twice

        self.run_async(main)

    def test_one_program_at_a_time_and_only_with_a_token(self):
        server = self.start_server()
        state = self.folder / "state"

        async def main():
            with self.assertRaises(quicchat.AuthError) as caught:
                await quicchat.connect("127.0.0.1", server.port, user="ada", state=state)
            self.assertIn("has no token for 'ada'", str(caught.exception))
            async with quicchat.connect("127.0.0.1", server.port, **account(),
                                        state=state) as chat:
                # The token has come before the answer to this.
                await (await chat.join("#lobby")).send("x")
                with self.assertRaises(quicchat.StorageError) as caught:
                    await quicchat.connect("127.0.0.1", server.port, **account(), state=state)
                self.assertIn("another program", str(caught.exception))
            self.command("user", "revoke", "ada", "--all")
            with self.assertRaises(quicchat.AuthError) as caught:
                await quicchat.connect("127.0.0.1", server.port, user="ada", state=state)
            self.assertIn("stored login", str(caught.exception))
            async with quicchat.connect("127.0.0.1", server.port, **account(), state=state):
                pass

        self.run_async(main)


class StorageProblems(Restarts):
    def serve(self, **config):
        return self.script("server.py", "--config", self.write_config(port=0, **config))

    def test_a_file_that_is_no_database(self):
        (self.folder / "quicchat.db").write_bytes(b"This is a letter to my aunt. " * 200)
        self.assert_words(self.serve(), 74, "[E-STORAGE]", "it is not an SQLite database",
                          "fix: choose another file")

    def test_a_database_of_a_newer_release(self):
        self.start_server().stop()
        with sqlite3.connect(self.folder / "quicchat.db") as database:
            database.execute("PRAGMA user_version=99")
        database.close()
        self.assert_words(self.serve(), 74, "[E-STORAGE]", "a newer quicchat wrote it", "fix:")

    def test_a_second_server_on_the_same_database(self):
        first = self.start_server()
        self.assert_words(self.serve(), 74, "[E-STORAGE]",
                          f"another program (process {first.process.pid}) uses it")

    def test_a_folder_that_is_not_there(self):
        self.assert_words(self.serve(database="nowhere/quicchat.db"), 74, "[E-STORAGE]",
                          "does not exist")

    def test_a_disk_that_fails_ends_the_server_in_words(self):
        server = self.start_server()
        with quicchat.sync.connect("127.0.0.1", server.port, **account(),
                                   reconnect=None) as chat:
            room = chat.join("#lobby")
            room.send("stored")
            # No file may be longer than this. The log of the server stays below it.
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))
            with self.assertRaises(quicchat.QuicChatError):
                for _ in range(200):
                    room.send("x" * 10_000, timeout=scaled(30))
        self.assertEqual(server.process.wait(PATIENCE), 74, server.log)
        self.assertNotIn("Traceback", server.log)
        self.assertIn("[E-STORAGE]", server.log)
        self.assertIn("the disk reports an error", server.log)


class ChatCommand(Restarts):
    def test_lines_typed_while_the_server_is_away_are_sent_later(self):
        config = self.write_config(limits=FAST)
        server = self.start_server(config=config)
        terminal = self.terminal(server)
        server.stop(signal.SIGTERM)
        terminal.expect("* connection lost: ")
        self.assertRegex(terminal.seen, r"trying again in \d+ s")
        terminal.type("written meanwhile\n")
        server = self.start_server("--port", server.port, config=config)
        terminal.expect("* back online")
        terminal.type("and afterwards\n/quit\n")
        self.assertEqual(terminal.wait(), 0, terminal.seen)
        output = self.chat(server, ["/quit"], user="bob").stdout.decode()
        self.assertLess(output.index("<ada> written meanwhile"),
                        output.index("<ada> and afterwards"))
        self.assertEqual(output.count("written meanwhile"), 1)

    def test_quitting_without_a_connection_says_what_was_not_sent(self):
        server = self.start_server(config=self.write_config(limits=FAST))
        terminal = self.terminal(server)
        server.stop(signal.SIGTERM)
        terminal.expect("* connection lost: ")
        terminal.type("lost\n/quit\n")
        self.assertEqual(terminal.wait(), 0, terminal.seen)
        self.assertIn("1 line(s) could not be sent", terminal.seen)

    def test_a_script_gives_up_in_the_end(self):
        server = self.start_server()
        (self.folder / "code.py").write_text(f"""
import functools, sys, quicchat
from quicchat.cli import chat, main
chat._GIVE_UP_AFTER = {scaled(1)}
limits = quicchat.Limits(idle_timeout={scaled(1)}, keep_alive={scaled(0.5)})  # notices a loss soon
chat.connect = functools.partial(chat.connect, limits=limits)
sys.exit(main(["chat", "--port", "{server.port}"]))
""")
        program = subprocess.Popen(["timeout", str(PATIENCE), sys.executable, "code.py"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                   stderr=subprocess.PIPE, env=environment())
        for line in ("ada", ACCOUNTS["ada"], "hello"):
            program.stdin.write(f"{line}\n".encode())
        program.stdin.flush()
        for awaited, then in ((b"<ada> hello", lambda: server.stop(signal.SIGKILL)),
                              (b"* connection lost: ", lambda: None)):
            while (shown := program.stdout.readline()) and awaited not in shown:
                pass
            self.assertIn(awaited, shown)
            then()
        time.sleep(scaled(3))  # its input goes on
        errors = program.communicate(b"too late\n", PATIENCE)[1]
        result = subprocess.CompletedProcess(program.args, program.returncode, b"", errors)
        self.assert_words(result, 69, "[E-UNREACHABLE]", "nothing is listening")

    def terminal(self, server):
        terminal = Terminal(self, [sys.executable, "-m", "quicchat", "chat", "--user", "ada",
                                   "--port", server.port])
        terminal.expect("Enter Password: ")
        terminal.type(ACCOUNTS["ada"] + "\n")
        terminal.expect("connected to")
        return terminal


if __name__ == "__main__":
    unittest.main()
