"""The full screen, by textual's pilot, against a real server on loopback."""

import asyncio
import unittest
from unittest import mock

from _full import NO_TEXTUAL, SIZES, FullCase
from _support import next_of

import quicchat

if not NO_TEXTUAL:
    from quicchat.tui._entry import _read

class Talking(FullCase):
    def test_messages_of_both_at_each_size(self):
        async def scenario(ada, bob):
            await ada.type("hello from ada")
            await bob.lobby.send("hello from bob")
            await ada.see("ada: hello from ada", "bob: hello from bob", "#lobby", "online")
            await ada.wait_for(lambda: not ada.session.pending(), "all is stored")

        for size in SIZES:
            with self.subTest(size=size):
                self.meet(scenario, size)

    def test_a_message_changes_in_place(self):
        async def scenario(ada, bob):
            one = await bob.lobby.send("helo")
            two = await bob.lobby.send("rubbish")
            await bob.lobby.send("an answer", reply_to=one)
            await ada.see("bob: an answer")
            rows = ada.pane("messages")
            at = next(n for n, row in enumerate(rows) if "helo" in row)
            await bob.lobby.edit(one, "hello")
            await bob.lobby.delete(two, "spam")
            await bob.lobby.react(one, "👍")
            await ada.see("bob: hello (edited)", "(deleted: spam)", "👍", "╭ bob: hello")
            rows = ada.pane("messages")
            self.assertIn("bob: hello (edited)", rows[at])
            self.assertEqual(rows[at + 1].strip(), "👍")
            self.assertIn("(deleted: spam)", rows[at + 2])
            self.assertNotIn("rubbish", ada.text())

        self.meet(scenario)

    def test_what_is_refused_is_said_in_the_room(self):
        async def scenario(ada, bob):
            await ada.type("/dance")
            await ada.see("! no such command: /dance")
            await ada.type("/edit #99999 text")
            await ada.see("! not done: #lobby: there is no such message")

        self.meet(scenario)

    def test_two_rows_and_what_was_typed_before(self):
        async def scenario(ada, bob):
            await ada.press("o", "n", "e", "ctrl+j", "t", "w", "o", "alt+enter", "3", "enter")
            await ada.see("ada: one")
            self.assertEqual((await next_of(bob.chat, quicchat.Message)).text, "one\ntwo\n3")
            await ada.type("second")
            await ada.press("up")
            self.assertEqual(ada.app.entry.text, "second")
            await ada.press("up", "up", "up", "down")
            self.assertEqual(ada.app.entry.text, "one\ntwo\n3")
            kept = (self.folder / "typed").read_text()
            self.assertRegex(kept, r"(?s)^\n# .*\n\+one\n\+two\n\+3\n\n# .*\n\+second\n$")
            self.assertEqual(_read(self.folder / "typed"), ["one\ntwo\n3", "second"])
            self.assertEqual((self.folder / "typed").stat().st_mode & 0o777, 0o600)

        self.meet(scenario, keeps_typed=True)

    def test_tab_completes_as_far_as_it_can(self):
        async def scenario(ada, bob):
            await bob.lobby.send("hello")
            await ada.see("bob: hello")
            await ada.press("b", "tab")
            self.assertEqual(ada.app.entry.text, "bob: ")
            ada.app.entry.begin("/un")
            await ada.press("tab")
            await ada.see("/unmute", "let them write again")
            await ada.press("tab", "tab")
            self.assertEqual(ada.app.entry.text, "/unignore ")
            await ada.press("shift+tab", "b")
            self.assertEqual(ada.app.entry.text, "/unban b")
            await ada.see_not("let them write again")

        self.meet(scenario)

    def test_an_outage_is_one_line(self):
        async def scenario(ada, bob):
            lost = quicchat.Reconnecting(quicchat.ConnectError("it is down"), 1.0, 1)
            for _ in range(3):
                ada.session._show(lost)
            await ada.see("offline since", "connection lost: it is down")
            self.assertEqual(ada.text().count("connection lost"), 1)
            ada.session._show(quicchat.Online("ada", 1, 1, 1, "127.0.0.1:1", ""))
            await ada.see("back online", " online ")
            await ada.see_not("offline since")

        self.meet(scenario)


class Files(FullCase):
    def test_files_with_size_and_progress(self):
        async def scenario(ada, bob):
            sent = await bob.lobby.send_file(b"x" * 200_000, name="plan [b].pdf")
            await ada.see(f"▣ plan [b].pdf (200.0 kB)  /save #{sent.offset}")
            with mock.patch.object(quicchat.Room, "save_file", self.slowly):
                await ada.type(f"/save {self.folder}/copy.pdf")
                await ada.see("fetching #", "██████░░░░░░ 50 % of 200.0 kB")
                self.go_on.set()
                await ada.see("saved as /tmp/copy")
            mine = self.folder / "mine.txt"
            mine.write_text("hello")
            await ada.type(f"/send {mine}")
            await ada.see("ada: ▣ mine.txt (5 bytes)")
            await ada.wait_for(lambda: not ada.session.windows.front.sending, "it is over")
            self.assertNotIn("sending", ada.text())
            await ada.type("/send /nowhere/at/all")
            await ada.see("! not done: /nowhere/at/all cannot be read")
            await ada.wait_for(lambda: not ada.session.windows.front.sending, "it is over")

        self.go_on = asyncio.Event()
        self.meet(scenario)

    async def slowly(self, message, path, *, progress):
        progress(100_000, 200_000)
        await self.go_on.wait()
        return "/tmp/copy"


class Finding(FullCase):
    def test_search_leads_to_the_message(self):
        async def before(bob):
            await bob.lobby.send("green tea [red]")
            for n in range(150):
                await bob.lobby.send(f"message {n}")

        async def scenario(ada, bob):
            await ada.see("message 149")
            await ada.press("f5")
            self.assertEqual(ada.app.entry.text, "/search ")
            await ada.type("/search green tea")
            await ada.see("bob: green tea [red]", "that is all")
            await ada.press("enter")
            await ada.wait_for(lambda: any("green tea" in row for row in ada.pane("messages"))
                               and len(ada.app.screen_stack) == 1, "the message")
            row = next(row for row in ada.pane("messages") if "green tea" in row)
            self.assertEqual(row[0], ">")
            await ada.type("/search nonsense")
            await ada.see("* nothing was found")

        self.meet(scenario, before=before)

    def test_history_is_shown_in_place(self):
        async def before(bob):
            for n in range(150):
                await bob.lobby.send(f"message {n}")

        async def scenario(ada, bob):
            await ada.see("message 149")
            await ada.type("/history #40 20")
            await ada.see("message 30")
            self.assertNotIn("message 149", ada.text())
            await ada.type("hello")
            await ada.see("ada: hello", "message 149")

        self.meet(scenario, before=before)

    def test_choosing_messages(self):
        async def scenario(ada, bob):
            await bob.lobby.send("first")
            await bob.lobby.send("second")
            await ada.see("second")
            await ada.press("escape", "e", "escape")
            self.assertEqual(ada.app.entry.text, "")  # it is bob's
            await ada.press("escape", "up", "r")
            self.assertEqual(ada.app.entry.text, "/reply #1 ")
            await ada.press("h", "i", "enter")
            await ada.see("╭ bob: first")
            await ada.press("escape", "up", "plus", "+", "1", "enter")
            await ada.see("+1")
            await ada.press("escape", "enter")  # an answer leads to what it answers
            await ada.wait_for(lambda: any(row.startswith(">") and "first" in row
                                           for row in ada.pane("messages")), "it is chosen")
            await ada.press("question_mark")
            await ada.see("Ctrl-N, Ctrl-P")
            await ada.press("escape", "escape")
            await ada.press("escape", "e")
            self.assertEqual(ada.app.entry.text, "/edit #3 hi")
            self.assertTrue(ada.app.entry.has_focus)

        self.meet(scenario)

    def test_a_quoted_message_is_fetched(self):
        async def before(bob):
            first = await bob.lobby.send("the very first")
            for n in range(120):
                await bob.lobby.send(f"message {n}")
            await bob.lobby.send("an answer", reply_to=first)

        async def scenario(ada, bob):
            await ada.see("an answer", "╭ bob: the very first")

        self.meet(scenario, before=before)

    def test_a_jump_that_fails_leaves_the_view_where_it_is(self):
        async def before(bob):
            for n in range(120):
                await bob.lobby.send(f"message {n}")

        async def scenario(ada, bob):
            await ada.press("ctrl+end")
            await ada.see("message 119")
            pane = ada.session.windows.front
            offset = pane.log.holes()[0].last
            failure = quicchat.Unreachable("no connection")
            with mock.patch.object(pane.room, "history", side_effect=failure):
                ada.app._show_record(offset)
                await ada.see("! that message cannot be fetched just now")
            await bob.lobby.send("something new")
            await ada.see("something new")  # the view follows as before

        self.meet(scenario, before=before)


class Looks(FullCase):
    def test_help_lists_keys_and_commands(self):
        async def scenario(ada, bob):
            await ada.press("f1")
            await ada.see("Keys", "Alt-1 ... Alt-9")
            await ada.press("f1")
            await ada.see_not("Alt-1 ... Alt-9")
            await ada.type("/help")
            await ada.see("/members")
            await ada.press("escape")
            await ada.see("connected to")

        for size in SIZES:
            with self.subTest(size=size):
                self.meet(scenario, size)

    def test_themes(self):
        async def scenario(ada, bob):
            await bob.lobby.send("hello")
            await ada.see("bob: hello")
            found = set()
            for _ in range(2):
                found.add(ada.app.theme)
                self.assertIn("bob: hello", ada.text())
                await ada.press("f2")
                await ada.settle()
            self.assertEqual({ada.app.get_theme(name).dark for name in found}, {True, False})

        self.meet(scenario)

    def test_the_mouse(self):
        async def before(bob):
            await bob.chat.create_room("#tea")
            await (await bob.chat.join("#tea")).invite("ada")

        async def scenario(ada, bob):
            await bob.lobby.send("hello")
            await ada.see("bob: hello", "2 #tea")
            row = next(n for n, row in enumerate(ada.pane("messages")) if "hello" in row)
            await ada.pilot.click("#messages", offset=(3, row))
            await ada.wait_for(lambda: any(r.startswith(">") for r in ada.pane("messages")),
                               "it is chosen")
            await ada.pilot.click("#rooms", offset=(3, 1))
            await ada.see("bob made this room")
            await ada.press("f3")
            await ada.see("● bob")
            row = next(n for n, row in enumerate(ada.pane("members")) if "bob" in row)
            await ada.pilot.click("#members", offset=(4, row))
            self.assertEqual(ada.app.entry.text, "bob ")

        self.meet(scenario, before=before)


if __name__ == "__main__":
    unittest.main()
