"""What a chat keeps for the next time: login, place, what was typed; servers that have names."""

import json
import re
import stat
import sys
import unittest

from _support import ACCOUNTS, account, quicchat
from test_chat_screen import Screens

if quicchat:
    from _screen import ScreenTerminal, open_chat
    from quicchat.cli._kept import named_place, servers_path


class KeptForTheNextTime(Screens):
    def again(self, *arguments, **options):
        return ScreenTerminal(self, [sys.executable, "-m", "quicchat", "chat", *arguments],
                              **options)

    def quit(self, screen):
        screen.type("/quit\r")
        self.assertEqual(screen.wait(), 0)

    def test_login_room_and_history_outlive_the_program(self):
        server = self.start_server()
        screen = open_chat(self, server, "ada")
        screen.type("/create #tea\r")
        screen.see_prompt("#tea>")
        screen.type("/ignore eve\rhello\r")
        screen.see("<ada> hello")
        self.quit(screen)
        for path in (self.folder / "state" / "quicchat").iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        screen = self.again()
        screen.see(f"connected to 127.0.0.1:{server.port} as ada, in #tea")
        self.assertNotIn("Password", screen.seen)
        screen.see_prompt("#tea>")
        screen.type("\x1b[A")
        screen.see_prompt("#tea> /quit")
        screen.type("\x1b[A")
        screen.see_prompt("#tea> hello")
        screen.type("\x15/ignore\r")
        screen.see("* ignored: eve")
        self.quit(screen)

    def test_two_at_a_time_keep_a_login_each(self):
        server = self.start_server()
        first = open_chat(self, server, "ada")
        second = open_chat(self, server, "ada")
        for screen in (first, second):
            self.quit(screen)
        both = [self.again(), self.again()]
        for screen in both:
            screen.see("connected to")
            self.assertNotIn("Password", screen.seen)

    def test_who_may_no_longer_come_in_like_that_is_asked_again(self):
        server = self.start_server()
        self.quit(open_chat(self, server, "ada"))
        revoked = self.command("user", "revoke", "ada", "--all", "--config", "config.json")
        self.assertEqual(revoked.returncode, 0, revoked.stderr.decode())
        screen = self.again()
        screen.see("Enter Password:")
        screen.type("wrong\r")
        screen.see("(attempt 1 of 3)")
        screen.see("Enter Password:", times=2)
        screen.type(ACCOUNTS["ada"] + "\r")
        screen.see("connected to")
        self.quit(screen)
        screen = self.again()
        screen.see("connected to")
        self.assertNotIn("Password", screen.seen)

    def test_what_was_typed_while_the_server_was_away_is_sent_the_next_time(self):
        config = self.write_config()
        server = self.start_server(config=config)
        screen = open_chat(self, server, "ada", columns=120)
        server.stop()
        screen.see("* connection lost: ")
        screen.type("typed meanwhile\r/quit\r")
        screen.see("! 1 line(s) could not be sent; the next time they will be")
        self.assertEqual(screen.wait(), 0)
        server = self.start_server("--port", server.port, config=config)
        self.again().see("<ada> typed meanwhile")

    def test_scripts_and_those_who_want_it_keep_nothing(self):
        server = self.start_server()
        self.chat(server, ["hello"])
        self.quit(open_chat(self, server, "ada", "--no-save"))
        self.assertFalse((self.folder / "state").exists())

    def test_a_damaged_file_is_as_none(self):
        server = self.start_server()
        self.quit(open_chat(self, server, "ada"))
        path = self.folder / "state" / "quicchat" / "chat.json"
        kept = json.loads(path.read_text())
        for content in ("", "[]", "{", '{"last": 1, "places": []}',
                        json.dumps({"last": "x", "places": {"x": {"host": 1}}}),
                        json.dumps({**kept, "places": {kept["last"]: {"port": "x"}}})):
            path.write_text(content)
            screen = self.again("--user", "ada", "--port", str(server.port))
            screen.see("connected to")
            self.quit(screen)


class NamedServers(Screens):
    def write(self, text):
        path = servers_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_a_server_has_a_name(self):
        server = self.start_server()
        fingerprint = re.search(r"sha256:[0-9a-f]{64}", server.log)[0]
        self.write(f'[work]\nhost = "127.0.0.1"\nport = {server.port}\nuser = "ada"\n'
                   f'pin = ["{fingerprint}"]\n')
        result = self.command("chat", "work", input=ACCOUNTS["ada"].encode() + b"\nhello\n")
        self.assert_words(result, 0)
        self.assertIn(b"<ada> hello", result.stdout)
        self.assertFalse(self.known_servers.exists())
        result = self.command("chat", f"127.0.0.1:{server.port}", "--user", "ada",
                              input=ACCOUNTS["ada"].encode() + b"\nagain\n")
        self.assertIn(b"<ada> again", result.stdout)

    def test_mistakes_in_the_file_are_told(self):
        for text, words in (('[work]\nhosst = "x"', "unknown key 'hosst'"),
                            ("[work]\nport = true", "port must be a number"),
                            ("[work]\npin = [1]", "pin must be a list of texts"),
                            ("work = 1", "must be a table"), ("[work", "cannot read"),
                            ('[home]\nhost = "x"', "no server is called 'work'")):
            self.write(text)
            with self.assertRaises(quicchat.ConfigError) as caught:
                named_place("work")
            self.assertIn(words, str(caught.exception))
        self.assert_words(self.command("chat", "nonsense"), 64, "no server is called 'nonsense'",
                          "known there: home")


class Paced(Screens):
    def test_a_file_that_is_piped_in_is_paced_and_never_refused(self):
        server = self.start_server(config=self.write_config(limits={"messages_per_account": 5}))
        lines = [f"line {n}" for n in range(1, 131)]
        result = self.chat(server, lines)
        self.assert_words(result, 0)

        async def main():
            async with quicchat.connect("127.0.0.1", server.port, **account("bob")) as bob:
                page = await bob.history("#lobby", limit=100)
                before = await bob.history("#lobby", limit=100, before=page.first)
                said = [m.text for m in (*before.messages, *page.messages)]
                self.assertEqual(said, lines)

        self.run_async(main)


if __name__ == "__main__":
    unittest.main()
