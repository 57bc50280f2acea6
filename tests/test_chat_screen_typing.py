"""The chat in a terminal, read from the screen: what is typed, completed, written in an editor."""

import asyncio
import re
import sys
import unittest
from unittest import mock

from _support import ACCOUNTS, quicchat
from test_chat_screen import Screens

if quicchat:
    from _screen import ScreenTerminal
    from quicchat.cli._commands import find_command, is_quit, unknown_command


class Typing(Screens):
    def test_the_tab_key_completes(self):
        server = self.start_server()
        (self.folder / "plans").mkdir()
        (self.folder / "plans" / "plan for tea.txt").write_text("at five")

        async def main():
            async with self.connect(server, "bob") as bob:
                await bob.create_room("#teahouse")
                room = await bob.join("#lobby")
                screen = await self.open(server, "ada")
                await room.send("hello")
                await self.see(screen, "<bob> hello")
                await room.send_file(b"12345", name=".evil plan.bin")
                await self.see(screen, "/save #")
                for typed, completed in (
                        ("/membe\t", "/members"), ("/join #tea\t", "/join #teahouse"),
                        ("bo\t", "bob:"), ("see @b\t", "see @bob"), ("in #teah\t", "in #teahouse"),
                        ("/kick b\t", "/kick bob"), ("/role bob mod\t", "/role bob moderator"),
                        ("/send pl\tpl\t", "/send plans/plan for tea.txt"),
                        ("/save \t", "/save evil_plan.bin"), ("/typing of\t", "/typing off"),
                        ("/help mem\t", "/help members")):
                    screen.type(typed)
                    await asyncio.to_thread(screen.see_prompt, f"#lobby> {completed}")
                    screen.type("\x15")  # Ctrl-U
                    await asyncio.to_thread(screen.see_prompt, "#lobby>")
                screen.type("/send plans/plan\t\r")
                await self.see(screen, "<ada> has sent the file plan for tea.txt")

        self.run_async(main)

    def test_a_message_of_several_lines(self):
        server = self.start_server()

        async def main():
            screen = await self.open(server, "ada")
            screen.type("one\x1b\rtwo\r")
            await self.see(screen, "<ada> one\n    two\n")
            # A prompt knows the earlier lines a moment after it is drawn: when it takes letters.
            screen.type("x")
            await asyncio.to_thread(screen.see_prompt, "#lobby> x")
            screen.type("\x7f\x1b[A")
            await asyncio.to_thread(screen.see_prompt, "  two")
            screen.type("\x15\x15\x7f\x15")

        self.run_async(main)

    def test_an_editor_writes_the_line(self):
        server = self.start_server()
        editor = self.folder / "editor"
        editor.write_text(f"#!{sys.executable}\nimport sys\n"
                          "text = open(sys.argv[-1]).read()\n"
                          "open(sys.argv[-1], 'w').write(text.strip() + ' and more\\n')\n")
        editor.chmod(0o700)

        async def main():
            screen = await self.open(server, "ada", EDITOR=str(editor), VISUAL="")
            screen.type("begun")
            await asyncio.to_thread(screen.see_prompt, "#lobby> begun")
            screen.type("\x18\x05")
            await asyncio.to_thread(screen.see_prompt, "#lobby> begun and more")
            screen.type("\r")
            await self.see(screen, "<ada> begun and more")

        self.run_async(main)

    def test_a_long_help_is_paged(self):
        server = self.start_server()
        pager = self.folder / "pager"
        pager.write_text("#!/bin/sh\necho PAGED $(wc -l)\nread answer </dev/tty\n")
        pager.chmod(0o700)

        async def main():
            screen = await self.open(server, "ada", PAGER=str(pager))
            screen.type("/help\r")
            await self.see(screen, "PAGED ")
            screen.type("\r")
            await asyncio.to_thread(screen.see_prompt, "#lobby>")
            screen.type("/help edit\r")
            await self.see(screen, "* /edit [#12] TEXT: give your last message")

        self.run_async(main)

    def test_ctrl_z_suspends(self):
        server = self.start_server()

        async def main():
            shell = await asyncio.to_thread(ScreenTerminal, self,
                                            ["/bin/bash", "--norc", "--noprofile", "-i"], PS1="$ ")
            shell.type(f"{sys.executable} -m quicchat chat --port {server.port} --user ada\r")
            await self.see(shell, "Enter Password:")
            shell.type(ACCOUNTS["ada"] + "\r")
            await asyncio.to_thread(shell.see_prompt, "#lobby>")
            shell.type("begun\x1a")
            await self.see(shell, "Stopped")
            shell.type("echo the shell is $((6 * 7))\r")
            await self.see(shell, "the shell is 42")
            shell.type("fg\r")
            await asyncio.to_thread(shell.see_prompt, "#lobby> begun")
            shell.type(" and sent\r")
            await self.see(shell, "<ada> begun and sent")
            shell.type("/quit\r")
            await asyncio.to_thread(shell.see_prompt, "$")
            shell.type("exit\r")
            await asyncio.to_thread(shell.wait)

        self.run_async(main)


class Windows(Screens):
    def test_another_size_leaves_no_rubbish(self):
        server = self.start_server()
        typed = "a long line that goes on for more than the width of this terminal, " * 2

        async def main():
            screen = await self.open(server, "ada", columns=90)
            screen.type("/me waves\r")
            await self.see(screen, "*ada* waves")
            screen.type(typed + "end")
            for columns in (90, 50, 110):
                screen.resize(columns, 24)

                def is_whole(columns=columns):
                    lines = screen.lines()
                    at = next((n for n, line in enumerate(lines) if line.startswith("#lobby>")), 0)
                    below = "".join(line.strip() + " " for line in lines[at:])
                    return (re.sub(r"\W", "", typed) in re.sub(r"\W", "", below)
                            and "\n".join(lines).count("a long") == 2
                            and "\n".join(lines).count("*ada* waves") == 1
                            and screen.has_status_of(columns))

                await asyncio.to_thread(screen.wait_for, is_whole, f"{columns} columns")

        self.run_async(main)

    def test_a_desktop_notice_where_the_terminal_has_it(self):
        from quicchat.cli._notice import notice as _notice

        for names, expected in (({}, ""), ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;a;b\x07"),
                                ({"KITTY_WINDOW_ID": "1"}, "\x1b]9;a;b\x07"),
                                ({"KITTY_WINDOW_ID": "1", "TMUX": "x"}, ""),
                                ({"TERM": "foot"}, "\x1b]777;notify;quicchat;a,b\x07")):
            with mock.patch.dict("os.environ", names, clear=True):
                self.assertEqual(_notice("a;b"), expected)


class Commands(Screens):
    def test_what_one_does_and_whom_one_ignores(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                room = await bob.join("#lobby")
                screen = await self.open(server, "ada")
                screen.type("/me waves\r")
                await self.see(screen, "*ada* waves")
                await room.send("waves back", attributes={"action": True})
                await self.see(screen, "*bob* waves back")
                screen.type("/msg bob psst\r")
                await self.see(screen, "[to bob] psst")
                screen.type("/ign bob\r")
                await self.see(screen, "* ignored: bob")
                await room.send("@ada, do you hear me?")
                await bob.tell("ada", "or this?")
                screen.type("/unignore bob\r/ignore\r")
                await self.see(screen, "* ignored: nobody")
                await room.send("and now?")
                await self.see(screen, "<bob> and now?")
                self.assertNotIn("hear me", "\n".join(screen.all_lines()))
                self.assertNotIn("or this", "\n".join(screen.all_lines()))
                self.assertEqual(screen.emulator.bells, 0)
                screen.type('/search "waves"\r')
                await self.see(screen, "*bob* waves back", times=2)

        self.run_async(main)

    def test_a_word_calls_and_all_is_logged(self):
        server = self.start_server()

        async def main():
            async with self.connect(server, "bob") as bob:
                room = await bob.join("#lobby")
                screen = await self.open(server, "ada", "--log", "chat.log")
                screen.type("/highlight tea\r")
                await self.see(screen, "* words that call you: tea")
                await room.send("a steady hand")
                await room.send("who wants Tea?")
                await self.see(screen, "who wants Tea?")
                await asyncio.to_thread(screen.wait_for, lambda: screen.emulator.bells == 1, "bell")
                screen.type("/highlight tea\r")
                await self.see(screen, "* words that call you: none")
                await room.send("tea, again")
                await room.send("end")
                await self.see(screen, "<bob> end")
                self.assertEqual(screen.emulator.bells, 1)
            log = (self.folder / "chat.log").read_text().splitlines()
            self.assertNotIn("\x1b", "".join(log))
            for text in ("<bob> a steady hand", "<bob> who wants Tea?", "<bob> end"):
                self.assertEqual([line[6:] for line in log].count(text), 1)

        self.run_async(main)

    def test_a_beginning_is_enough_where_one_command_has_it(self):
        names = {typed: getattr(find_command(typed), "name", None)
                 for typed in ("/hist", "/HIST", "/history", "/me", "/mem", "/nick", "/q", "/un",
                               "/b", "/", "/none")}
        self.assertEqual(names, {
            "/hist": "/history", "/HIST": "/history", "/history": "/history", "/me": "/me",
            "/mem": "/members", "/nick": "/name", "/q": "/quit", "/un": None, "/b": None,
            "/": None, "/none": None})
        self.assertEqual(unknown_command("/hsitory"),
                         "no such command: /hsitory; did you mean /history?")
        self.assertEqual(unknown_command("/unm"[:3]), "/un may be /unread or /unreact or /unban or "
                         "/unmute or /unignore")
        self.assertEqual([is_quit(text) for text in ("/quit", " /quit", "/q", "/qu ", "quit",
                                                     "/quit it", "//quit")],
                         [True, False, True, True, False, False, False])

    def test_an_action_is_not_faked_by_a_notice(self):
        from datetime import UTC, datetime

        from quicchat.cli._show import Lines

        def line(attributes):
            return Lines("ada").line(quicchat.Message("#tea", 1, 2, datetime.now(UTC), bytes(16),
                                                      "bob", "has left", attributes))

        self.assertEqual(line('{"action": true}'), "*bob* has left")
        for other in ('{"action": 1}', '{"action": "x"}', "[]", '"action"', '{"action"',
                      "[" * 100_000 + '"action"'):
            self.assertEqual(line(other), "<bob> has left")


if __name__ == "__main__":
    unittest.main()
