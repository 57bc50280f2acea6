"""``quicchat chat --full`` as a program on a terminal, whose screen is read as a person would."""

import asyncio
import json
import signal
import sys
import termios
import unittest
from unittest import mock

from _full import NO_TEXTUAL
from _screen import ScreenTerminal
from _support import ACCOUNTS, Case, account, next_of, quicchat


class WithoutIt(Case):
    def test_a_screen_needs_a_terminal(self):
        result = self.command("chat", "--full", "--port", "1")
        self.assert_words(result, 64, "--full needs a terminal", "leave --full out")

    def test_one_screen_at_a_time(self):
        self.assert_words(self.command("chat", "--full", "--plain"), 64, "--full and --plain")

    def test_without_textual_a_command_says_how_to_get_it(self):
        (self.folder / "textual.py").write_text("raise ImportError('not here')")
        screen = ScreenTerminal(self, [sys.executable, "-m", "quicchat", "chat", "--full"],
                                PYTHONPATH=str(self.folder))
        self.assertEqual(screen.wait(), 64, screen.seen)
        text = "".join(screen.all_lines())
        self.assertIn("--full needs textual, which is not installed", text)
        self.assertIn("pip install '.[tui]'", text)
        self.assertNotIn("Password", text)

    @unittest.skipIf(NO_TEXTUAL, NO_TEXTUAL)
    def test_an_old_textual_is_named(self):
        (self.folder / "textual-1.0.0.dist-info").mkdir()
        (self.folder / "textual-1.0.0.dist-info" / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: textual\nVersion: 1.0.0\n")
        screen = ScreenTerminal(self, [sys.executable, "-m", "quicchat", "chat", "--full"],
                                PYTHONPATH=str(self.folder))
        self.assertEqual(screen.wait(), 64, screen.seen)
        text = " ".join(" ".join(screen.all_lines()).split())
        self.assertIn("--full needs textual, of version 7 or later; this one is 1.0.0", text)

    def test_nothing_of_textual_is_loaded_without_full(self):
        code = ("import sys, quicchat, quicchat.cli, quicchat.cli._editor, quicchat.cli._session;"
                "sys.exit(bool({'textual', 'rich', 'quicchat.tui'} & set(sys.modules)))")
        result = self.python(code)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_model_needs_no_textual(self):
        (self.folder / "textual.py").write_text("raise ImportError('not here')")
        (self.folder / "rich.py").write_text("raise ImportError('not here')")
        code = ("import sys; sys.path.insert(0, '.');"
                "import quicchat.tui._room_log, quicchat.tui._pane, quicchat.tui._panes")
        result = self.python(code)
        self.assertEqual(result.returncode, 0, result.stderr)


@unittest.skipIf(NO_TEXTUAL, NO_TEXTUAL)
class OnATerminal(Case):
    def open(self, server, name, *arguments, password=True, **options):
        screen = ScreenTerminal(self, [sys.executable, "-m", "quicchat", "chat", "--full", "--port",
                                       str(server.port), "--user", name, *arguments], **options)
        if password:
            screen.see("Enter Password:")
            screen.type(ACCOUNTS[name] + "\n")
        self.see(screen, "connected to", "F1 help")
        return screen

    @staticmethod
    def see(screen, *texts):
        for text in texts:
            screen.wait_for(lambda text=text: text in "\n".join(screen.lines()), repr(text))

    def test_two_people(self):
        server = self.start_server()
        ada = self.open(server, "ada")
        bob = self.open(server, "bob", columns=200, rows=60)
        ada.type("hello bob\r")
        self.see(bob, "ada: hello bob", "● ada")
        bob.type("/reply hello\x0aada\r")
        self.see(ada, "╭ ada: hello bob", "bob: hello", "online")
        bob.resize(80, 24)
        self.see(bob, "ada: hello bob")
        bob.type("/quit\r")
        self.assertEqual(bob.wait(), 0, bob.seen)
        self.assertNotIn("Traceback", bob.seen)

    def test_login_and_place_are_kept(self):
        server = self.start_server()
        screen = self.open(server, "ada")
        screen.type("typed before\r")
        self.see(screen, "ada: typed before")
        dark = screen.emulator.buffer[5][40].bg
        screen.type("/highlight tea\r\x1bOQ")  # F2: another theme
        self.see(screen, "words that call you: tea")
        screen.type("\x04")
        self.assertEqual(screen.wait(), 0, screen.seen)
        kept = json.loads((self.folder / "state" / "quicchat" / "chat.json").read_text())
        self.assertEqual(kept["theme"], "textual-light")
        light = screen.emulator.buffer[5][40].bg
        self.assertNotEqual(light, dark)
        screen = self.open(server, "ada", password=False)
        screen.type("\x1b[A\x1b[A")
        self.see(screen, " typed before")
        self.assertEqual(screen.emulator.buffer[5][40].bg, light)
        screen.type("\x03/highlight\r")
        self.see(screen, "words that call you: tea")

    def test_what_is_shown_is_in_the_log(self):
        server = self.start_server()
        screen = self.open(server, "ada", "--log", self.folder / "log")
        screen.type("hello\r")
        self.see(screen, "ada: hello")
        screen.type("/dance\r")
        self.see(screen, "! no such command")
        log = (self.folder / "log").read_text()
        for text in ("* connected to", "#lobby <ada> hello\n", "! no such command: /dance"):
            self.assertIn(text, log)
        self.assertNotIn("\x1b", log)

    def test_keys_as_terminals_send_them(self):
        server = self.start_server()
        screen = self.open(server, "ada")
        screen.type("/create #tea about tea\r")
        self.see(screen, "#tea  about tea")
        screen.type("\x1b1costs £3\x1b\rand §4")  # all at once, as who types fast
        self.see(screen, "1 #lobby           │ #lobby", "costs £3")
        screen.type("\r")
        self.see(screen, "ada: costs £3", "      and §4")
        for key in ("\x1b2", "\x0e\x0e"):  # Alt-2; Ctrl-N twice
            screen.type(key)
            self.see(screen, "#tea  about tea")
        screen.type("\x1bOR")
        self.see(screen, "● ada owner")
        screen.type("\x1bOP")
        self.see(screen, "Alt-1 ... Alt-9")
        screen.type("\x1b")
        screen.wait_for(lambda: "Alt-1" not in "\n".join(screen.lines()), "the end of the help")
        screen.type("\x1b[<0;3;1M\x1b[<0;3;1m")  # a click on the first room
        self.see(screen, "connected to")

    def test_an_editor_for_longer_texts(self):
        server = self.start_server()
        go = self.folder / "go"
        editor = f"sh -c 'while [ ! -e {go} ]; do sleep 0.05; done; echo more >> $0'"

        async def main():
            async with (quicchat.connect("127.0.0.1", server.port, **account("bob")) as bob,
                        quicchat.connect("127.0.0.1", server.port, **account("ada")) as phone):
                lobby = await bob.join("#lobby")
                screen = await asyncio.to_thread(self.open, server, "ada", EDITOR=editor, VISUAL="")
                screen.type("typed\x1b[18~")  # F7
                await asyncio.to_thread(screen.wait_for, lambda: "\x1b[?1049l" in screen.seen,
                                        "the editor has the terminal")
                for n in range(60):  # more than may wait for a terminal that takes nothing
                    await lobby.send(f"meanwhile {n} @ada")
                    await asyncio.sleep(0.05)
                room, = (room for room in await phone.rooms() if room.room == "#lobby")
                self.assertEqual(room.unread, 60)  # the editor covers them
                while await asyncio.to_thread(screen._read, 0.2):
                    pass
                self.assertNotIn("meanwhile", screen.seen)
                go.touch()
                await asyncio.to_thread(self.see, screen, "meanwhile", " typed", " more", "F1 help")
                screen.type("\r")
                await next_of(bob, quicchat.Message, text="typed\nmore")

        self.run_async(main)

    def test_an_editor_that_cannot_be(self):
        from quicchat.tui._editing import edited

        for editor in ('"', "no-such-editor", "false"):
            with self.subTest(editor=editor), mock.patch.dict("os.environ", {"VISUAL": editor}):
                self.assertIsNone(asyncio.run(edited("typed")))

    def test_an_interrupt_is_the_editors(self):
        from quicchat.tui._editing import edited

        editor = "sh -c 'trap \"echo more >> $0\" INT; kill -INT $PPID; kill -INT $$'"
        with mock.patch.dict("os.environ", {"VISUAL": editor}):
            self.assertEqual(asyncio.run(edited("typed")), "typed\nmore")

    def test_who_is_ended_while_an_editor_runs(self):
        server = self.start_server()
        screen = self.open(server, "ada", EDITOR="sh -c 'echo editing; exec sleep 600'", VISUAL="")
        screen.type("\x1b[18~")
        screen.see("editing")
        screen.process.send_signal(signal.SIGTERM)
        self.assertEqual(screen.wait(), 143, screen.seen)
        self.assertNotIn("Traceback", screen.seen)

    def test_a_wrong_password_is_asked_for_again(self):
        server = self.start_server()
        screen = ScreenTerminal(self, [sys.executable, "-m", "quicchat", "chat", "--full", "--port",
                                       str(server.port), "--user", "ada"])
        screen.see("Enter Password:")
        screen.type("wrong\n")
        screen.see("attempt 1 of 3")
        screen.see("Enter Password:", 2)
        screen.type(ACCOUNTS["ada"] + "\n")
        self.see(screen, "connected to")

    def test_each_end_gives_the_terminal_back(self):
        server = self.start_server()

        async def main():
            async with quicchat.connect("127.0.0.1", server.port, **account("bob")) as bob:
                await bob.join("#lobby")
                for end, status in (("\x03", 130), ("\x04", 0), ("\x11", 0),
                                    (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
                    screen = await asyncio.to_thread(self.open, server, "ada", "--no-save")
                    await next_of(bob, quicchat.MemberJoined, user="ada")
                    if isinstance(end, str):
                        screen.type(end)
                    else:
                        screen.process.send_signal(end)
                    await next_of(bob, quicchat.MemberLeft, user="ada")
                    self.assertEqual(await asyncio.to_thread(screen.wait), status, screen.seen)
                    self.assertNotIn("Traceback", screen.seen)
                    self.assertTrue(termios.tcgetattr(screen.master)[3] & termios.ICANON)
                    self.assertIn("\x1b[?1049l", screen.seen)
                    self.assertIn("\x1b]2;\x07", screen.seen)

        self.run_async(main)

    def test_who_leaves_waits_for_no_answer(self):
        server = self.start_server()
        self.addCleanup(server.process.send_signal, signal.SIGCONT)
        for more in ((), ("--full",)):
            with self.subTest(more=more):
                screen = ScreenTerminal(self, [sys.executable, "-m", "quicchat", "chat", *more,
                                               "--port", str(server.port), "--user", "ada",
                                               "--no-save"])
                screen.see("Enter Password:")
                screen.type(ACCOUNTS["ada"] + "\n")
                screen.see("connected to")
                server.process.send_signal(signal.SIGSTOP)
                screen.type("/who\r")
                self.see(screen, "/who" if more else "#lobby>")
                screen.type("\x03")
                self.assertEqual(screen.wait(), 130, screen.seen)
                server.process.send_signal(signal.SIGCONT)

    def test_a_mistake_of_ours_ends_it_in_our_words(self):
        server = self.start_server()
        code = ("import sys; import quicchat.tui._app as app; from quicchat.cli import main;"
                "app.member_rows = lambda *_: 1 / 0; sys.exit(main(sys.argv[1:]))")
        screen = ScreenTerminal(self, [sys.executable, "-c", code, "chat", "--full", "--port",
                                       str(server.port), "--user", "ada"])
        screen.see("Enter Password:")
        screen.type(ACCOUNTS["ada"] + "\n")
        self.assertEqual(screen.wait(), 1, screen.seen)
        self.assertIn("ZeroDivisionError", screen.seen)
        self.assertNotIn("locals", screen.seen)
        self.assertNotIn(ACCOUNTS["ada"], screen.seen)
        self.assertTrue(termios.tcgetattr(screen.master)[3] & termios.ICANON)

    def test_an_outage_is_one_line(self):
        server = self.start_server(config=self.write_config())
        screen = self.open(server, "ada")
        server.stop()
        self.see(screen, "connection lost", "offline since ")
        screen.type("typed meanwhile\r")
        self.see(screen, "…   typed meanwhile")
        self.start_server("--port", server.port, config=self.folder / "config.json")
        self.see(screen, "back online", "ada: typed meanwhile")
        screen.wait_for(lambda: "offline" not in screen.status(), "online in the status line")
        self.assertEqual("\n".join(screen.lines()).count("connection lost"), 1)


if __name__ == "__main__":
    unittest.main()
