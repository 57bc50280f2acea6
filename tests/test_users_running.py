"""`quicchat user` asks a server that runs, and writes the database where none does."""

import asyncio
import json
import os
import socket
import threading
import unittest
from unittest import mock

from _support import ACCOUNTS, account, locked, quicchat
from _users import AccountCase
from quicchat import administration

VERIFIER = quicchat._core.verifier("x", bytes(16), 100_000) if quicchat else ""


class Running(AccountCase):
    def ask(self, **request):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(os.fspath(self.folder / "quicchat.sock"))
            asking.sendall(json.dumps(request).encode() + b"\n")
            with asking.makefile("rb") as lines:
                return [json.loads(line) for line in lines]

    def test_accounts_in_the_memory_of_a_server(self):
        server = self.start_server(config=self.write_config(database=None))
        self.assertEqual(set(self.users()), set(ACCOUNTS))
        self.assertEqual(self.users()["ada"], {"username": "ada", "enabled": True,
                                               "created": None, "devices": None})
        self.assertIn("ada enabled - -", " ".join(self.user("list").stdout.decode().split()))
        self.assert_words(self.user("add", "zoe", password="first"), 0,
                          "keeps accounts in its memory")
        self.log_in(server, "zoe", "first")
        self.assert_words(self.user("add", "ZOE", password="x"), 65, "[E-NAME-TAKEN]")
        self.assert_words(self.user("passwd", "zoe", password="second"), 0)
        with self.assertRaises(quicchat.AuthError):
            self.log_in(server, "zoe", "first")
        self.log_in(server, "zoe", "second")
        self.assert_words(self.user("remove", "zoe"), 0)
        with self.assertRaises(quicchat.AuthError):
            self.log_in(server, "zoe", "second")
        for action in ("passwd", "remove"):
            self.assert_words(self.user(action, "zoe", password="x"), 67, "[E-NO-SUCH-ACCOUNT]")
        for arguments in (("disable", "ada"), ("enable", "ada"), ("devices", "ada"),
                          ("revoke", "ada", "--all")):
            with self.subTest(arguments):
                self.assert_words(self.user(*arguments), 66, "[E-NO-DATABASE]", "in its memory")
        self.log_in(server, "ada", ACCOUNTS["ada"])
        server.stop()
        self.assert_words(self.user("list"), 78, "not in a database")

    def test_the_name_of_the_server_itself_is_taken(self):
        self.start_server()
        self.assert_words(self.user("add", "Server", password="x"), 65, "[E-NAME-TAKEN]")
        self.assertNotIn("Server", self.users())

    def test_connections_are_ended(self):
        server = self.start_server()

        async def scenario():
            async with quicchat.connect("127.0.0.1", server.port, **account()) as ada:
                await ada.join("#lobby")
                ended = await asyncio.to_thread(self.user, "disconnect", "ADA")
                self.assertEqual(ended.stdout, b"ended 1 connection(s) of ADA\n")
                with self.assertRaises(quicchat.Kicked):
                    async for _ in ada:
                        pass

        self.run_async(scenario)
        self.assertIn(b"ended 0", self.user("disconnect", "ada").stdout)
        server.stop()
        self.assert_words(self.user("disconnect", "ada"), 69, "[E-NO-SERVER]")

    def test_what_a_server_left_is_no_server(self):
        server = self.start_server()
        server.process.kill()
        server.process.wait()
        self.assertTrue((self.folder / "quicchat.sock").exists())
        self.assert_words(self.user("add", "zoe", password="first"), 0)
        self.assertIn("zoe", self.users())

    def test_a_server_of_an_older_version_is_not_asked(self):
        self.write_config()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.fspath(self.folder / "quicchat.sock"))
            listening.listen()

            def refuse():
                while True:
                    try:
                        asking, _ = listening.accept()
                    except OSError:
                        return
                    with asking:
                        asking.recv(4096)
                        asking.sendall(b'{"done": {"version": "0.0.1"}}\n')

            thread = threading.Thread(target=refuse)
            thread.start()
            self.assert_words(self.user("add", "zoe", password="first"), 0)
            self.assertEqual(list(self.users()), ["zoe"])
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()

    def test_a_database_that_is_locked_holds_up_nobody_else(self):
        async def scenario(connect, server):
            async with administration.AdminSocket(server, self.folder / "quicchat.sock"):
                for ask, more in (("disable", {}), ("users", {}), ("remove", {}),
                                  ("add", {"verifier": VERIFIER})):
                    with self.subTest(ask), locked(server.config.database) as let_go:
                        asking = asyncio.create_task(asyncio.to_thread(
                            self.ask, ask=ask, user="ada", **more))
                        for _ in range(30):  # in which the lock is let go, if the loop runs
                            await asyncio.sleep(0.01)
                        let_go()
                        self.assertIn("done", (await asking)[-1])

        self.talk(scenario)

    def test_a_change_is_one_request_to_the_database(self):
        opened = []

        def count(path):
            opened.append(path)
            return accounts(path)

        async def scenario(connect, server):
            async with administration.AdminSocket(server, self.folder / "quicchat.sock"):
                with mock.patch.object(quicchat._core, "Accounts", count):
                    for ask, user, changed in (("add", "zoe", True), ("add", "ZOE", False),
                                               ("add", "server", False), ("passwd", "zoe", True),
                                               ("passwd", "none", False), ("remove", "zoe", True),
                                               ("remove", "zoe", False)):
                        with self.subTest(ask, user=user):
                            opened.clear()
                            answer = await asyncio.to_thread(self.ask, ask=ask, user=user,
                                                             verifier=VERIFIER)
                            self.assertEqual(answer, [{"done": {"changed": changed}}])
                            self.assertLessEqual(len(opened), 1)
                    opened.clear()
                    await server.accounts.add(quicchat.Account("zoe", verifier=VERIFIER))
                    self.assertEqual(len(opened), 1)
                with self.assertRaises(quicchat.ConfigError):
                    await server.accounts.add(quicchat.Account("Zoe", verifier=VERIFIER))

        accounts = quicchat._core.Accounts
        self.talk(scenario)

    def test_requests_that_are_none(self):
        self.start_server()
        for request in ({"ask": "add"}, {"ask": "add", "user": "a b", "verifier": VERIFIER},
                        {"ask": "add", "user": "zoe"}, {"ask": "passwd", "user": "ada",
                                                        "verifier": "x"},
                        {"ask": "revoke", "user": "ada", "device": "12"},
                        {"ask": "disconnect", "user": 7}, {"ask": ["users"]}):
            with self.subTest(request):
                [answer] = self.ask(**request)
                self.assertEqual(answer["error"]["code"], "E-ADMIN-REQUEST")
        self.assertEqual(self.ask(ask="remove", user="nobody"), [{"done": {"changed": False}}])
        self.assertEqual(set(self.users()), set(ACCOUNTS))


if __name__ == "__main__":
    unittest.main()
