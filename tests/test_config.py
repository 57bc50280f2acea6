"""Configuration files: what is taken, and what is said about what is not."""

import dataclasses
import json
import os
import unittest

from _support import ROOT, Case, quicchat

GOOD = {
    "host": "127.0.0.1", "port": 12345, "certfile": "server.crt", "keyfile": "server.key",
    "auth": {"username": "user", "password": "password"},
}


class Config(Case):
    def load(self, value):
        path = self.folder / "config.json"
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        return quicchat.load_config(path)

    def problems(self, value):
        with self.assertRaises(quicchat.ConfigError) as caught:
            self.load(value)
        self.assertEqual(caught.exception.code, "E-CONFIG")
        self.assertEqual(quicchat.exit_status(caught.exception), 78)
        return caught.exception.problems

    def json_error(self, text):
        with self.assertRaises(quicchat.ConfigError) as caught:
            self.load(text.encode() if isinstance(text, str) else text)
        self.assertEqual(caught.exception.code, "E-CONFIG-JSON")
        self.assertEqual(quicchat.exit_status(caught.exception), 65)
        return caught.exception

    def test_the_first_release_s_file(self):
        config = self.load(GOOD)
        self.assertEqual((config.host, config.port), ("127.0.0.1", 12345))
        self.assertEqual(config.certfile, self.folder / "server.crt")
        self.assertEqual([a.username for a in config.accounts], ["user"])
        self.assertEqual(config.rooms, ("#lobby",))
        self.assertNotIn("password='password'", repr(config))

    def test_everything_that_may_be_said(self):
        verifier = quicchat._core.verifier("pw", b"0123456789abcdef", 100_000)
        config = self.load({**GOOD, "rooms": ["#a", "#b"], "version": 1, "x-note": "free",
                            "$schema": "s", "limits": {"idle_timeout": 30, "members_max": 5},
                            "auth": {"username": "a", "password": "b", "iterations": 100_000,
                                     "users": [{"username": "c", "verifier": verifier}]}})
        self.assertEqual(config.rooms, ("#a", "#b"))
        self.assertEqual(config.iterations, 100_000)
        self.assertEqual(config.limits.chosen(), {"idle_timeout": 30, "members_max": 5})
        self.assertEqual(config.accounts[1].verifier, verifier)

    def test_pages_that_may_come(self):
        self.assertIsNone(self.load(GOOD).web)
        origins = ["https://chat.example", "http://127.0.0.1:8000", "https://[::1]:1", "*"]
        config = self.load({**GOOD, "web": {"origins": origins}})
        self.assertEqual(config.web, quicchat.Web(tuple(origins), "/quicchat"))
        config = self.load({**GOOD, "web": {"origins": ["*"], "path": "/a/b-c_d~e.f"}})
        self.assertEqual(config.web.path, "/a/b-c_d~e.f")
        for wrong, word in (({}, "web.origins"), ({"origins": []}, "web.origins"),
                            ({"origins": "*"}, "web.origins"), ([], '"web" must be'),
                            ({"origins": ["https://chat.example/"]}, "nothing behind"),
                            ({"origins": ["https://Chat.example"]}, "lower case"),
                            ({"origins": ["chat.example"]}, "must look like"),
                            ({"origins": ["https://chat.example:443"]}, "leave out 443"),
                            ({"origins": [7]}, "must be a text"),
                            ({"origins": ["*"], "path": "quicchat"}, "web.path"),
                            ({"origins": ["*"], "path": "/a?b"}, "web.path"),
                            ({"origins": ["*"], "paths": "/"}, 'did you mean "path"')):
            with self.subTest(wrong):
                self.assertIn(word, " ".join(self.problems({**GOOD, "web": wrong})))
        for wrong in (("https://chat.example/",), (), "*"):
            with self.subTest(wrong), self.assertRaises(quicchat.ConfigError):
                quicchat.Web(wrong)

    def test_who_runs_the_rooms(self):
        config = self.load(GOOD)
        self.assertEqual((config.operators, config.anybody_makes_rooms), ((), True))
        config = self.load({**GOOD, "operators": ["ada", "Bob"], "anybody_makes_rooms": False})
        self.assertEqual((config.operators, config.anybody_makes_rooms), (("ada", "Bob"), False))
        for speaker in (None, "", "house"):
            self.assertEqual(self.load({**GOOD, "speaker": speaker}).speaker, speaker)
        self.assertIsNone(config.speaker)
        for wrong in ("ada", ["no name"], [1]):
            with self.subTest(wrong), self.assertRaises(quicchat.ConfigError):
                dataclasses.replace(config, operators=wrong)

    def test_where_rooms_and_accounts_are_kept(self):
        config = self.load(GOOD)
        self.assertEqual((config.database, config.durability, config.stores),
                         (self.folder / "quicchat.db", "fsync", True))
        config = self.load({**GOOD, "database": "/srv/chat.db", "durability": "process"})
        self.assertEqual((str(config.database), config.durability), ("/srv/chat.db", "process"))
        self.assertFalse(self.load({**GOOD, "database": None}).stores)
        self.assertFalse(self.load({**GOOD, "durability": "memory"}).stores)
        self.assertEqual(self.load({**GOOD, "auth": {"users": []}}).accounts, ())
        self.assertIn("names nobody", self.problems(
            {**GOOD, "auth": {"users": []}, "database": None})[0])
        by_hand = quicchat.ServerConfig("h", 1, config.certfile, config.keyfile, ())
        self.assertFalse(by_hand.stores)
        with self.assertRaises(quicchat.ConfigError):
            quicchat.ServerConfig("h", 1, config.certfile, config.keyfile, (), durability="x")

    def test_all_problems_at_once(self):
        problems = self.problems({"host": "", "port": 70000, "certfle": "x", "keyfile": 3,
                                  "auth": {"username": "a b", "password": ""}})
        self.assertEqual(len(problems), 7, problems)

    def test_each_mistake_has_its_sentence(self):
        for change, words in (
            ({"port": "4433"}, '"port" must be an integer from 0 to 65535, got the string "4433"'),
            ({"port": True}, '"port" must be an integer from 0 to 65535, got true'),
            ({"certfle": "x"}, 'unknown key "certfle" - did you mean "certfile"?'),
            ({"zzz": 1}, 'unknown key "zzz"; known are host, port'),
            ({"database": 3}, '"database" must be the path of a file, or null'),
            ({"durability": "disk"}, '"durability" must be "fsync", "process" or "memory", got'),
            ({"auth": 3}, '"auth" must be an object'),
            ({"auth": {}}, '"auth" names nobody who may log in'),
            ({"auth": {"username": "a"}}, '"auth" needs a "password"'),
            ({"auth": {"password": "a"}}, '"auth.username" is missing'),
            ({"auth": {"users": [{"username": "a", "password": "b"},
                                 {"username": "A", "password": "b"}]}},
             'the user name "a" is given twice'),
            ({"auth": {"users": [{"username": "a", "verifier": "md5"}]}}, "SCRAM-SHA-256$"),
            ({"auth": {"username": "a", "password": "b", "iterations": 10}},
             '"iterations" must be an integer from 100000'),
            ({"rooms": ["lobby"]}, '"rooms" must be names of \'#\''),
            ({"rooms": []}, '"rooms" must be a list of names'),
            ({"operators": "ada"}, '"operators" must be a list of user names'),
            ({"operators": ["ada", 7]}, '"operators" must be names of 1 to 32'),
            ({"operator": ["ada"]}, 'did you mean "operators"?'),
            ({"anybody_makes_rooms": "no"}, '"anybody_makes_rooms" must be true or false'),
            ({"speaker": "the house"}, '"speaker" must be a user name, "" for none, or null, got'),
            ({"speaker": 0}, '"speaker" must be a user name'),
            ({"limits": {"idle_timeout": 0}}, 'limit "idle_timeout" must be a number of seconds'),
            ({"limits": {"idel_timeout": 9}}, 'did you mean "idle_timeout"?'),
            ({"version": 2}, '"version" must be 1'),
        ):
            with self.subTest(words):
                self.assertIn(words, " | ".join(self.problems({**GOOD, **change})))

    def test_broken_json(self):
        for text, place, words in (
            ('{"a": 1,\n "b": 2,\n}', ":2:8:", "remove this comma"),
            ('{"a": 1\n "b": 2}', ":2:2:", "expected ','"),
            ('{"a" 1}', ":1:6:", "expected ':'"),
            ("", ":1:1:", "the file is empty"),
            ('{"a": 1, // why\n}', ":1:10:", "JSON has no comments"),
            ("{'a': 1}", ":1:2:", "double quotes"),
            ('{"a": True}', ":1:7:", "write true instead of True"),
            ('{"a":', ":1:6:", "ends too early"),
            ('{"a": "x\n"}', ":1:9:", "over the end of the line"),
            ('{"a": 1} x', ":1:10:", "expected the end of the file"),
            (b'{\n"a": "\xff"}', ":2:7:", "not UTF-8"),
        ):
            with self.subTest(text):
                error = self.json_error(text)
                self.assertIn("config.json" + place, str(error))
                self.assertIn(words, str(error))

    def test_the_caret_stands_below_the_mistake(self):
        first, second = self.json_error('{"a": 1\n\t"b": 2}').excerpt.splitlines()
        self.assertEqual(first[second.index("^")], '"')

    def test_double_keys_nan_and_depth(self):
        self.assertIn("given twice", str(self.json_error('{"a": 1, "a": 2}')))
        self.assertIn("NaN", str(self.json_error('{"a": NaN}')))
        self.json_error("[" * 100_000)

    def test_a_byte_order_mark_is_taken(self):
        self.load(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())

    def test_paths_begin_at_the_file_then_at_the_current_folder(self):
        other = self.folder / "elsewhere"
        other.mkdir()
        (other / "server.crt").write_text("x")
        before = os.getcwd()
        os.chdir(other)
        try:
            config = self.load(GOOD)
        finally:
            os.chdir(before)
        self.assertEqual(config.certfile, other / "server.crt")
        self.assertEqual(config.keyfile, self.folder / "server.key")
        self.assertIn('"certfile"', config.notices[0])

    def test_a_path_that_no_system_takes_is_as_one_that_is_not_there(self):
        name = "x" * 300
        config = self.load({**GOOD, "certfile": name, "keyfile": name})
        self.assertEqual(config.certfile, self.folder / name)
        result = self.command("serve", "--config", self.folder / "config.json")
        self.assert_words(result, 77, "cannot write", "file name too long")

    def test_no_file(self):
        with self.assertRaises(quicchat.ConfigError) as caught:
            quicchat.load_config(self.folder / "none.json")
        self.assertEqual(caught.exception.code, "E-CONFIG-MISSING")
        self.assertEqual(quicchat.exit_status(caught.exception), 66)

    def test_the_verifier_from_the_command_line_can_be_used(self):
        result = self.command("user", "entry", "zoe", input=b"a secret\n")
        self.assert_words(result, 0)
        entry = json.loads(result.stdout.decode().splitlines()[-1])
        self.load({**GOOD, "auth": {"users": [entry]}})
        self.assertTrue(entry["verifier"].startswith("SCRAM-SHA-256$600000:"))

    def test_limits_are_checked_when_they_are_made(self):
        with self.assertRaises(quicchat.ConfigError):
            quicchat.Limits(idle_timeout=-1)


class Words(Case):
    def test_every_error_of_the_protocol_has_words(self):
        from quicchat._failures import Peer, connect_error, request_error
        from quicchat.events import Disconnected

        peer = Peer("localhost", 1, "127.0.0.1:1", "ada")
        for number, name, _, text in quicchat._core.error_table():
            with self.subTest(name):
                self.assertTrue(text)
                if number >= 64 and number != 256:
                    error = request_error(name, 1.0, "", "#lobby")
                else:
                    error = connect_error(Disconnected(name, True, "", 0, 0, ""), peer)
                self.assertNotIn(str(number), error.code)
                self.assertRegex(quicchat.explain(error), r"^quicchat: .+ \[E-[A-Z-]+\]")

    def test_what_a_peer_says_is_cleaned_in_errors(self):
        error = quicchat.Closed("ended", reason="\x1b[2J\u202e")
        self.assertNotIn("\x1b", quicchat.explain(error))

    def test_errors_are_of_the_natural_kinds(self):
        self.assertTrue(issubclass(quicchat.AuthError, PermissionError))
        self.assertTrue(issubclass(quicchat.HandshakeTimeout, TimeoutError))
        self.assertTrue(issubclass(quicchat.Unreachable, ConnectionError))
        self.assertTrue(issubclass(quicchat.BindError, OSError))
        self.assertTrue(issubclass(quicchat.ConfigError, ValueError))

    def test_clean_text(self):
        clean = quicchat.clean_text
        self.assertEqual(clean("tab\tand\nline, é, 日本, 👩‍💻"), "tab\tand\nline, é, 日本, 👩‍💻")
        self.assertEqual(clean("\x1b[31m"), "␛[31m")
        self.assertEqual(clean("\x9b"), "<U+009B>")
        self.assertEqual(clean("\u202e"), "<U+202E>")
        self.assertEqual(clean("\r"), "␍")
        self.assertEqual(quicchat.clean_line("a\nb"), "a␊b")
        self.assertLess(len(clean("e" + "\u0301" * 1000)), 20)

    def test_the_package_is_where_it_was_installed(self):
        self.assertNotIn(str(ROOT / "tests"), quicchat.__file__)


if __name__ == "__main__":
    unittest.main()
