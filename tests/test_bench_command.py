"""`quicchat bench`: what it prints, and what it refuses."""

import json
import sys
import unittest

from _support import Case, Terminal


class Bench(Case):
    def bench(self, *arguments):
        return self.command("bench", *arguments)

    def test_a_server_of_its_own(self):
        result = self.bench("--messages", "50", "--bytes", "20", "--window", "4")
        self.assert_words(result, 0)
        lines = result.stdout.decode().splitlines()
        self.assertEqual(lines[0], "50 messages of 20 bytes, 4 at a time, durability fsync")
        self.assertEqual([line.split()[0] for line in lines[1:4]], ["ms", "stored", "seen"])
        self.assertRegex(lines[4], r"^\d+ messages a second$")
        self.assertEqual(result.stderr, b"")  # no bar where there is no terminal

    def test_nothing_is_left_of_it(self):
        result = self.python("import os, quicchat.cli\nos.environ['TMPDIR'] = os.getcwd()\n"
                             "quicchat.cli.main(['bench', '--messages', '1'])\n"
                             "print(os.listdir())")
        self.assert_words(result, 0)
        self.assertEqual(result.stdout.decode().splitlines()[-1], "[]")

    def test_json(self):
        result = self.bench("--messages", "3", "--durability", "memory", "--json")
        self.assert_words(result, 0)
        found = json.loads(result.stdout)
        self.assertEqual((found["messages"], found["durability"], found["held_up"]),
                         (3, "memory", 0))
        for what in ("stored", "seen"):
            times = [found[f"{what}_{which}"] for which in ("p50", "p99", "max")]
            self.assertEqual(times, sorted(times))
            self.assertGreater(times[0], 0)
        self.assertAlmostEqual(found["per_second"] * found["seconds"], 3)

    def test_who_is_too_fast_is_held_up_and_said_so(self):
        result = self.bench("--messages", "80", "--bytes", "30000", "--durability", "memory")
        self.assert_words(result, 0)
        self.assertRegex(result.stdout.decode(), r"held up \d+ times by the server's rates")

    def test_another_server(self):
        server = self.start_server()
        self.write_password("correct horse")
        result = self.bench("--server", "127.0.0.1", "--port", server.port, "--user", "ada",
                            "--password-file", "password", "--no-save", "--room", "#lobby",
                            "--messages", "10", "--json")
        self.assert_words(result, 0)
        self.assertEqual(json.loads(result.stdout)["messages"], 10)

    def write_password(self, text):
        (self.folder / "password").write_text(text + "\n")

    def test_what_is_refused(self):
        for words, arguments in (
                ("--messages must be from 1", ("--messages", "0")),
                ("cannot be under way", ("--window", "1000", "--bytes", "32768")),
                ("into which room", ("--at", "localhost", "--user", "ada")),
                ("into which room", ("--at", "localhost", "--user", "ada", "--room", "@bob")),
                ("--at SERVER", ("--room", "#lobby")),
                ("--durability is for", ("--at", "localhost", "--user", "ada", "--room", "#x",
                                         "--durability", "fsync"))):
            with self.subTest(arguments):
                self.assert_words(self.bench(*arguments), 64, words)

    def test_a_terminal_sees_how_far_it_is(self):
        terminal = Terminal(self, [sys.executable, "-m", "quicchat", "bench", "--messages", "300"])
        terminal.expect("of 300")
        terminal.expect("messages a second")
        self.assertEqual(terminal.wait(), 0)


if __name__ == "__main__":
    unittest.main()
