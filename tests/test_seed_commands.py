"""The commands of the first release, word for word, by pipes and on a terminal."""

import json
import signal
import subprocess
import sys
import time
import unittest

from _support import EXAMPLES, ROOT, Case, Terminal, scaled

SEED_CONFIG = {
    "host": "127.0.0.1", "port": 12345, "certfile": "server.crt", "keyfile": "server.key",
    "auth": {"username": "user", "password": "password"},
}


class SeedCommands(Case):
    def test_the_example_configuration_is_the_first_release_s(self):
        self.assertEqual(json.loads((EXAMPLES / "config.json").read_text()), SEED_CONFIG)

    def test_the_first_release_s_configuration_starts_a_server(self):
        config = self.folder / "config.json"
        config.write_text(json.dumps(SEED_CONFIG))
        server = self.start_server("--port", "0", config=config)
        self.assertIn("made a self-signed certificate", server.log)
        self.assertRegex(server.log, r"key fingerprint sha256:[0-9a-f]{64}")
        self.assertEqual((self.folder / "server.key").stat().st_mode & 0o777, 0o600)
        result = self.script("chat_client.py", "--server-ip", "127.0.0.1", "--port", server.port,
                             input=b"user\npassword\nhello\n")
        self.assert_words(result, 0)

    def test_the_prompts_come_on_standard_output_in_order(self):
        server = self.start_server()
        output = self.chat(server, ["/quit"]).stdout.decode()
        self.assertIn("Enter User name: ", output)
        self.assertLess(output.index("Enter User name: "), output.index("Enter Password: "))

    def test_piped_lines_are_stored_before_the_client_ends(self):
        server = self.start_server()
        self.assert_words(self.chat(server, [f"line {n}" for n in range(50)]), 0)
        output = self.chat(server, ["/quit"], user="bob").stdout.decode()
        self.assertIn("<ada> line 49", output)

    def test_the_last_line_needs_no_line_end(self):
        server = self.start_server()
        result = self.script("chat_client.py", "--port", server.port,
                             input=b"ada\ncorrect horse\nno end")
        self.assert_words(result, 0)
        self.assertIn("<ada> no end", self.chat(server, ["/quit"], user="bob").stdout.decode())

    def test_a_file_and_nothing_at_all_are_inputs_too(self):
        server = self.start_server()
        typed = self.folder / "typed"
        typed.write_bytes(b"ada\ncorrect horse\nfrom a file\n")
        shell = f'"{sys.executable}" "{EXAMPLES}/chat_client.py" --port {server.port} < typed'
        result = self.python(f"import subprocess, sys; sys.exit(subprocess.call({shell!r}, "
                             "shell=True))")
        self.assert_words(result, 0)
        self.assertIn(b"<ada> from a file", result.stdout)
        closed = self.python(f"import subprocess, sys; sys.exit(subprocess.call("
                             f"{shell.replace('< typed', '<&-')!r}, shell=True))")
        self.assert_words(closed, 64, "the input ended before")

    def test_two_people_talk_privately_and_see_who_is_here(self):
        server = self.start_server()
        ada = Terminal(self, [sys.executable, EXAMPLES / "chat_client.py", "--server-ip",
                              "127.0.0.1", "--port", server.port])
        ada.expect("Enter User name: ")
        ada.type("ada\n")
        ada.expect("Enter Password: ")
        ada.type("correct horse\n")
        ada.expect("connected to")
        self.assertNotIn("correct horse", ada.seen)
        result = self.chat(server, ["hello", "@ada only you", "/who"], user="bob")
        self.assertIn(b"here: ada, bob", result.stdout)
        ada.expect("<bob> hello")
        ada.expect("[from bob] only you")
        ada.expect("bob has left")
        ada.type("/quit\n")
        self.assertEqual(ada.wait(), 0)

    def test_the_end_of_the_input_on_a_terminal_leaves(self):
        server = self.start_server()
        ada = Terminal(self, [sys.executable, EXAMPLES / "chat_client.py", "--port", server.port])
        ada.expect("Enter User name: ")
        ada.type("ada\n")
        ada.expect("Enter Password: ")
        ada.type("correct horse\n")
        ada.expect("connected to")
        ada.type("\x04")
        self.assertEqual(ada.wait(), 0)

    def test_a_wrong_password_on_a_terminal_may_be_corrected(self):
        server = self.start_server()
        ada = Terminal(self, [sys.executable, EXAMPLES / "chat_client.py", "--port", server.port])
        for times, password, answer in ((1, "wrong", "(attempt 1 of 3)"),
                                        (2, "correct horse", "connected to")):
            ada.expect("Enter User name: ", times)
            ada.type("ada\n")
            ada.expect("Enter Password: ", times)
            ada.type(password + "\n")
            ada.expect(answer)
        ada.type("/quit\n")
        self.assertEqual(ada.wait(), 0)

    def test_the_smallest_client_sends_a_message(self):
        config = self.write_config()
        server = self.start_server(config=config)
        result = self.script("client.py", "--config", config, "--port", server.port, "hello")
        self.assert_words(result, 0)
        self.assertIn(b"stored as message 1", result.stdout)

    def test_every_command_teaches_with_examples(self):
        for command in ("serve", "chat", "cert", "user", "version"):
            with self.subTest(command):
                result = self.command(command, "--help")
                self.assert_words(result, 0)
                self.assertIn(b"examples:", result.stdout)

    def test_a_command_loads_no_other(self):
        said = subprocess.run(
            [sys.executable, "-c", "import sys; from quicchat import cli; cli.main(['explain']);"
             "print([name for name in sys.modules if name.startswith('quicchat.cli.')"
             " and not name.startswith('quicchat.cli._')])"],
            stdout=subprocess.PIPE, check=True, text=True).stdout
        self.assertEqual(said.splitlines()[-1], "['quicchat.cli.explain']")

    def test_a_wrong_option_ends_with_usage(self):
        self.assert_words(self.command("serve", "--prot", "1"), 64, "--help")
        for words, command in (("serve --nope", "serve"), ("user add ada --nope", "user add"),
                               ("cert --renew much", "cert"), ("--nope", "[-h]")):
            self.assert_words(self.command(*words.split()), 64, f"usage: quicchat {command} ",
                              words.split()[-1] if command != "[-h]" else "COMMAND")

    def test_the_quickstart_is_a_script_for_any_shell(self):
        script = (ROOT / "examples" / "quickstart.sh").read_text()
        self.assertTrue(script.startswith("#!/bin/sh\n"))


class Interruption(Case):
    def end_by_ctrl_c(self, terminal):
        begin = time.monotonic()
        terminal.type("\x03")
        status = terminal.wait()
        took = time.monotonic() - begin
        self.assertEqual(status, 130, terminal.seen)
        self.assertNotIn("Traceback", terminal.seen)
        self.assertLess(took, scaled(10))  # a tenth of a second where nothing else runs
        return took

    def test_ctrl_c_ends_the_client_at_each_step(self):
        server = self.start_server()
        client = [sys.executable, EXAMPLES / "chat_client.py", "--port", server.port]
        for steps in ((("Enter User name: ", ""),),
                      (("Enter User name: ", "ada\n"), ("Enter Password: ", "")),
                      (("Enter User name: ", "ada\n"), ("Enter Password: ", "correct horse\n"),
                       ("connected to", ""))):
            with self.subTest(steps=len(steps)):
                terminal = Terminal(self, client)
                for shown, typed in steps:
                    terminal.expect(shown)
                    terminal.type(typed)
                self.end_by_ctrl_c(terminal)

    def test_ctrl_c_ends_the_server(self):
        terminal = Terminal(self, [sys.executable, EXAMPLES / "server.py", "--config",
                                   self.write_config()])
        terminal.expect("press Ctrl-C to stop")
        self.end_by_ctrl_c(terminal)

    def test_ctrl_c_during_the_attempt_to_connect(self):
        terminal = Terminal(self, [sys.executable, EXAMPLES / "chat_client.py", "--user", "ada",
                                   "--server-ip", "192.0.2.1"])
        terminal.expect("Enter Password: ")
        terminal.type("x\n")
        time.sleep(0.5)
        terminal.type("\x03")
        # Where there is no route to that network, the attempt is over before Ctrl-C comes.
        self.assertIn(terminal.wait(), (69, 130))
        self.assertNotIn("Traceback", terminal.seen)

    def test_sigterm_ends_the_server_in_peace(self):
        server = self.start_server()
        self.assertEqual(server.stop(signal.SIGTERM), 0)
        self.assertIn("stopping", server.log)


if __name__ == "__main__":
    unittest.main()
