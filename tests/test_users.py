"""`quicchat user`: accounts in the database, also while the server runs."""

import json
import re
import sqlite3
import unittest

from _support import ACCOUNTS, quicchat
from _users import AccountCase


class Users(AccountCase):
    def test_accounts_come_and_go_while_the_server_runs(self):
        server = self.start_server()
        self.assertEqual(set(self.users()), set(ACCOUNTS))
        self.assert_words(self.user("add", "zoe", password="first"), 0)
        self.log_in(server, "zoe", "first")
        self.assertEqual(self.users()["zoe"]["devices"], 1)

        self.assert_words(self.user("passwd", "ZOE", password="second"), 0)
        self.assertEqual(self.users()["zoe"]["devices"], 0)
        with self.assertRaises(quicchat.AuthError):
            self.log_in(server, "zoe", "first")
        self.log_in(server, "zoe", "second")

        self.assert_words(self.user("disable", "zoe"), 0)
        self.assertFalse(self.users()["zoe"]["enabled"])
        with self.assertRaises(quicchat.AuthError):
            self.log_in(server, "zoe", "second")
        self.assert_words(self.user("enable", "zoe"), 0)
        self.log_in(server, "zoe", "second")

        self.assert_words(self.user("remove", "zoe"), 0)
        self.assertNotIn("zoe", self.users())
        with self.assertRaises(quicchat.AuthError):
            self.log_in(server, "zoe", "second")

    def test_devices_are_listed_and_revoked(self):
        server = self.start_server()
        for _ in range(2):
            self.log_in(server, "ada", ACCOUNTS["ada"])
        listed = json.loads(self.user("devices", "ada", "--json").stdout)
        self.assertEqual(len(listed), 2)
        device = listed[0]["device"]
        self.assertRegex(device, r"^[0-9a-f]{32}$")
        self.assertIn(device, self.user("devices", "ada").stdout.decode())
        self.assert_words(self.user("revoke", "ada", device), 0)
        self.assert_words(self.user("revoke", "ada", device), 67, "[E-NO-SUCH-DEVICE]")
        self.assert_words(self.user("revoke", "ada", "12"), 64, "not a device: '12'")
        self.assertEqual(len(json.loads(self.user("devices", "ada", "--json").stdout)), 1)
        self.assert_words(self.user("revoke", "ada", "--all"), 0)
        self.assertIn("no devices", self.user("devices", "ada").stdout.decode())

    def test_a_device_that_was_revoked_needs_the_password(self):
        server = self.start_server()
        state = self.folder / "state"
        for password in (ACCOUNTS["ada"], None):
            with quicchat.sync.connect("127.0.0.1", server.port, user="ada", password=password,
                                       state=state) as chat:
                chat.join("#lobby").send("x")  # the token is here before the answer to this
        self.user("revoke", "ada", "--all")
        with self.assertRaises(quicchat.AuthError):
            quicchat.sync.connect("127.0.0.1", server.port, user="ada", state=state)

    def test_the_first_account_may_be_there_before_the_server(self):
        config = self.write_config()
        self.assert_words(self.user("add", "zoe", "--config", config, password="first"), 0)
        self.assertEqual((self.folder / "quicchat.db").stat().st_mode & 0o777, 0o600)
        server = self.start_server(config=config)
        self.log_in(server, "zoe", "first")
        database = self.folder / "quicchat.db"
        self.assertIn("zoe", self.user("list", "--database", database).stdout.decode())

    def test_a_change_that_the_configuration_undoes_is_told(self):
        config = self.write_config()
        server = self.start_server(config=config)
        result = self.user("passwd", "ada", password="another")
        self.assert_words(result, 0, "config.json names 'ada' as well")
        self.log_in(server, "ada", "another")
        server.stop()
        again = self.start_server("--port", server.port, config=config)
        self.assertIn("the password of 'ada' in config.json is another one", again.log)
        self.log_in(again, "ada", ACCOUNTS["ada"])
        again.stop()
        self.assertNotIn("warning", self.start_server("--port", server.port, config=config).log)

    def test_what_is_wrong_is_said(self):
        self.write_config()
        for action in ("list", "devices ada", "passwd ada", "remove ada"):
            with self.subTest(action):
                self.assert_words(self.user(*action.split(), password="x"), 66,
                                  "[E-NO-DATABASE]", "there is no database at", "fix:")
        self.user("add", "ada", password="x")
        self.assert_words(self.user("add", "Ada", password="x"), 65, "[E-NAME-TAKEN]",
                          "the name 'Ada' is taken")
        for action in ("passwd", "disable", "enable", "remove", "devices"):
            with self.subTest(action):
                self.assert_words(self.user(action, "nobody", password="x"), 67,
                                  "[E-NO-SUCH-ACCOUNT]", "there is no account 'nobody'")
        self.assert_words(self.user("add", "a b", password="x"), 78, "not a user name: 'a b'")
        self.assert_words(self.user("add", "zoe"), 78, "the password must be a text")
        self.assert_words(self.user("add"), 64, "[E-USAGE]")
        self.assert_words(self.user("zoe"), 64, "[E-USAGE]", "entry")
        self.write_config(database=None)
        self.assert_words(self.user("list"), 78, "not in a database", "quicchat user entry NAME")

    def test_a_database_that_cannot_be_used_is_told(self):
        self.write_config()
        database = self.folder / "quicchat.db"
        self.user("add", "ada", password="x")
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        self.assert_words(self.user("disable", "ada"), 74, "[E-STORAGE]",
                          "another program has locked it")
        other.execute("ROLLBACK")
        other.execute("PRAGMA user_version=99")
        other.close()
        self.assert_words(self.user("list"), 74, "[E-STORAGE]", "a newer quicchat wrote it")
        for name in self.folder.glob("quicchat.db-*"):
            name.unlink()
        database.write_bytes(b"not a database at all" * 300)
        self.assert_words(self.user("list"), 74, "[E-STORAGE]", "it is not an SQLite database")

    def test_an_entry_for_the_configuration(self):
        result = self.user("entry", "zoe", password="secret words")
        self.assert_words(result, 0)
        entry = json.loads(re.search(rb"\{.*\}", result.stdout).group())
        self.assertNotIn(b"secret words", result.stdout)
        server = self.start_server(config=self.write_config(auth={"users": [entry]}))
        self.log_in(server, "zoe", "secret words")

    def test_every_action_teaches_with_an_example(self):
        for action in ("add", "passwd", "disable", "enable", "remove", "list", "devices", "revoke",
                       "entry"):
            with self.subTest(action):
                result = self.user(action, "--help")
                self.assert_words(result, 0)
                self.assertIn(b"example:\n  ", result.stdout)


if __name__ == "__main__":
    unittest.main()
