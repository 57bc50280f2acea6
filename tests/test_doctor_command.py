"""`quicchat doctor` on the command line."""

import json
import subprocess
import sys
import unittest
from unittest import mock

from _doctor import STEPS, Doctor
from _support import PATIENCE, Terminal, environment, quicchat


class Command(Doctor):
    def doctor(self, *arguments, input=b""):
        return self.command("doctor", *arguments, input=input)

    def test_json_and_statuses(self):
        server = self.start_server()
        place = f"127.0.0.1:{server.port}"
        for status, input, arguments in (
                (0, b"", (place,)), (0, b"correct horse\n", (place, "--user", "ada")),
                (77, b"wrong\n", (place, "--user", "ada")),
                (77, b"", (place, "--pin", "sha256:" + "0" * 64)),
                (1, b"", (place, "--insecure")),
                (69, b"", ("nobody.invalid",)), (69, b"", ("127.0.0.1:1",))):
            with self.subTest(arguments):
                result = self.doctor(*arguments, "--json", input=input)
                self.assertEqual(result.returncode, status, result.stdout + result.stderr)
                found = json.loads(result.stdout)
                self.assertEqual(tuple(step["name"] for step in found["steps"]), STEPS)
                self.assertEqual(found["ok"], status == 0)
                self.assertNotIn(b"correct horse", result.stdout + result.stderr)
                text = self.doctor(*arguments, input=input)
                self.assertEqual(text.returncode, status)
                self.assertNotIn(b"\x1b", text.stdout)
                for step in found["steps"]:
                    self.assertIn(step["name"].encode(), text.stdout)
                    if step["fix"]:
                        self.assertIn(f"fix: {step['fix'][:20]}".encode(), text.stdout)

    def test_mistakes_on_the_command_line(self):
        for arguments in (("a:b",), ("host:99999",), ("host:0",), ("[::1",), ("",), ("h", "x"),
                          ("127.0.0.1", "--timeout", "0"), ("bad host",)):
            with self.subTest(arguments):
                result = self.doctor(*arguments)
                self.assertIn(result.returncode, (64, 78), result.stderr)
                self.assertIn(b"[E-", result.stderr)
        self.assert_words(self.doctor("127.0.0.1", "--user", "ada"), 64, "[E-USAGE]", "password")

    def test_places(self):
        from quicchat.cli.doctor import _place

        self.assertEqual(_place("chat.example"), ("chat.example", 12345))
        self.assertEqual(_place("chat.example:7"), ("chat.example", 7))
        self.assertEqual(_place("[::1]:7"), ("::1", 7))
        self.assertEqual(_place("[::1]"), ("::1", 12345))
        self.assertEqual(_place("fe80::1%eth0"), ("fe80::1%eth0", 12345))
        self.assertEqual(_place("münchen.example"), ("xn--mnchen-3ya.example", 12345))

    def test_help_teaches(self):
        text = self.doctor("--help").stdout.decode()
        for word in (*STEPS, "Status:", "--json", "examples:"):
            self.assertIn(word, text)

    def test_colours_on_a_terminal_only(self):
        arguments = (sys.executable, "-m", "quicchat", "doctor", "127.0.0.1:1")
        terminal = Terminal(self, arguments, TERM="xterm", NO_COLOR="")
        self.assertEqual(terminal.wait(), 69)
        self.assertIn("\x1b[31mfailed  \x1b[0mudp", terminal.seen)
        result = subprocess.run(arguments, capture_output=True, timeout=PATIENCE,
                                env=environment(TERM="xterm", NO_COLOR=""))
        self.assertEqual(result.returncode, 69)
        self.assertNotIn(b"\x1b", result.stdout)

    def test_what_a_server_says_cannot_steer_the_terminal(self):
        port = self.raw_server(*quicchat._core.make_self_signed(["127.0.0.1"], 30))
        facts = {"names": ["\x1b[2J\u202eevil"], "subject": "", "issuer": "/CN=\x1b]0;x\x07",
                 "self_signed": False, "begin": 0, "end": 4e12}
        with mock.patch("quicchat.doctor._case.Case.connect", self._connect_with(facts)):
            step = self.examine("127.0.0.1", port)["certificate"]
        self.assertIn("\x1b", step.text)  # raw for programs
        shown = self.python(f"""
from quicchat.cli.doctor import _show
from quicchat.doctor import Step
_show(Step("certificate", "ok", {step.text!r}, why={step.text!r}, fix={step.text!r}))
""").stdout.decode()
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\u202e", shown)
        self.assertEqual(len(shown.splitlines()), 3)

    @staticmethod
    def _connect_with(facts):
        connect = __import__("quicchat.doctor._case", fromlist=["Case"]).Case.connect

        def connected(self, *arguments, **options):
            probe, found = connect(self, *arguments, **options)
            return probe, {**found, "certificate": facts}

        return connected


if __name__ == "__main__":
    unittest.main()
