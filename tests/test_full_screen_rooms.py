"""Rooms and people on the full screen, and what is read there."""

import io
import re
import unittest
from datetime import UTC, datetime

from _full import SIZES, FullCase

import quicchat


def number_in(row):
    """The number of a message in a row of the screen."""
    return int(re.search(r"message (\d+)", row)[1])


class Rooms(FullCase):
    async def fill(self, bob, name, count, topic=""):
        """A room of bob's with ada in it and so many messages."""
        await bob.chat.create_room(name, topic=topic)
        room = await bob.chat.join(name)
        await room.invite("ada")
        for n in range(count):
            await room.send(f"message {n}")
        return room

    def test_rooms_show_what_is_unread(self):
        async def before(bob):
            self.tea = await self.fill(bob, "#tea", 3, "all about tea")

        async def scenario(ada, bob):
            await ada.see_room("2 #tea +3")
            await self.tea.send("hello @ada")
            await ada.see_room("2 #tea +4 1@")
            await ada.press("alt+2")
            await ada.see("#tea  all about tea", "bob: message 0", "── unread ──")
            await ada.see_room("2 #tea")
            await ada.press("ctrl+n")
            await ada.see("connected to")
            await ada.press("ctrl+p")
            await ada.see("bob: message 0")
            self.assertNotIn("unread", ada.text())  # it was read

        self.meet(scenario, before=before)

    def test_nothing_is_read_that_was_not_on_the_screen(self):
        async def before(bob):
            self.tea = await self.fill(bob, "#tea", 60)

        async def scenario(ada, bob):
            await ada.see_room("2 #tea +60")
            await ada.press("alt+2")
            await ada.see("── unread ──", "bob: message 0")
            await ada.settle()
            pane = ada.session.windows.front
            last = max(number_in(row) for row in ada.pane("messages") if "message" in row)
            self.assertLess(last, 20)
            self.assertEqual(pane.shown - 2, last + 1)  # two records come before message 0
            await ada.wait_for(lambda: pane.marked == pane.shown, "it is said")
            await ada.press("ctrl+end")  # what is between was not on the screen
            await ada.see("bob: message 59")
            await ada.settle()
            self.assertEqual(pane.shown - 2, last + 1)
            self.assertEqual(pane.unread, 60 - last - 1)
            await ada.see(f"{60 - last - 1} unread (F6)")
            await ada.press("f6")
            await ada.wait_for(lambda: f"message {last + 1}" in ada.text(), "the first unread")
            for _ in range(5):
                await ada.press("pagedown")
                await ada.settle()
            self.assertEqual((pane.unread, pane.shown), (0, pane.log.head))
            await ada.wait_for(lambda: pane.marked == pane.log.head, "all is said")
            infos = {room.room: room for room in await ada.chat.rooms()}
            self.assertEqual(infos["#tea"].unread, 0)

        self.meet(scenario, before=before)

    def test_a_burst_does_not_scroll_by(self):
        async def scenario(ada, bob):
            await bob.lobby.send("before")
            await ada.see("before")
            pane = ada.session.windows.front
            await ada.wait_for(lambda: not pane.unread, "all is read")
            for n in range(2, 62):
                ada.session._show(quicchat.Message(
                    "#lobby", pane.room.epoch, n, datetime.now(UTC), n.to_bytes(16, "big"), "bob",
                    f"message {n}", "{}"))
            await ada.see("message 2")
            await ada.settle()
            self.assertIn("message 2", ada.pane("messages")[0])
            self.assertGreater(pane.unread, 30)
            while pane.unread:
                before = pane.unread
                await ada.press("pagedown")
                await ada.wait_for(lambda before=before: pane.unread < before, "more is read")
            await ada.see("message 61")
            ada.session._show(quicchat.Message(
                "#lobby", pane.room.epoch, 62, datetime.now(UTC), bytes(16), "bob", "last", "{}"))
            await ada.see("bob: last")  # it follows again

        self.meet(scenario)

    def test_what_no_one_could_read_is_not_read(self):
        async def scenario(ada, bob):
            pane = ada.session.windows.front
            await ada.pilot.resize_terminal(26, 12)  # five columns are left for messages
            await ada.settle()
            sent = await bob.lobby.send("hello")
            await ada.get(sent)
            await ada.settle()
            self.assertLess(pane.shown, sent.offset)
            await ada.pilot.resize_terminal(80, 24)
            await ada.wait_for(lambda: pane.shown == sent.offset, "it is read")

        self.meet(scenario)

    def test_who_is_ignored_is_not_in_the_log(self):
        async def scenario(ada, bob):
            ada.screen._log = io.StringIO()
            await ada.type("/ignore bob")
            await ada.see("ignored")
            sent = await bob.lobby.send("rubbish")
            await ada.type("hello")
            await ada.get(sent)
            await ada.see("ada: hello")
            self.assertIn("<ada> hello", ada.screen._log.getvalue())
            self.assertNotIn("rubbish", ada.screen._log.getvalue())

        self.meet(scenario)

    def test_a_long_message_is_read_at_its_end(self):
        async def scenario(ada, bob):
            await bob.lobby.send("\n".join(f"line {n}" for n in range(40)))
            pane = ada.session.windows.front
            await ada.see("line 0")
            await ada.settle()
            self.assertNotIn("line 39", ada.text())
            self.assertEqual((pane.unread, pane.shown), (1, 0))
            await ada.press("pagedown", "pagedown")
            await ada.see("line 39")
            await ada.wait_for(lambda: (pane.unread, pane.shown) == (0, 1), "it is read")

        self.meet(scenario)

    def test_what_the_help_covers_is_not_read(self):
        async def scenario(ada, bob):
            pane = ada.session.windows.front
            await ada.press("f1")
            await bob.lobby.send("behind it")
            await ada.wait_for(lambda: pane.taken == 1, "it has come")
            await ada.settle()
            self.assertEqual((pane.unread, pane.shown), (1, 0))
            await ada.press("escape")
            await ada.wait_for(lambda: (pane.unread, pane.shown) == (0, 1), "it is read")

        self.meet(scenario)

    def test_older_pages_come_when_one_scrolls_up(self):
        async def before(bob):
            self.tea = await self.fill(bob, "#tea", 250)

        async def scenario(ada, bob):
            await ada.see_room("2 #tea.*")
            await ada.press("alt+2")
            await ada.see("bob: message 249")
            pane = ada.session.windows.front
            self.assertIsNotNone(pane.hole_at(50))
            await ada.settle()
            self.assertEqual(pane.shown, 0)  # too much is between what is new and what is shown
            seen = set()
            while not {0, 249} <= seen:
                seen |= {number_in(row) for row in ada.pane("messages") if "message" in row}
                await ada.press("pageup")
                await ada.settle()
            await ada.see("made this room")
            self.assertEqual(seen, set(range(250)))
            self.assertEqual(pane.log.holes(), [])

        self.meet(scenario, before=before)

    def test_the_view_stays_where_one_reads(self):
        async def before(bob):
            for n in range(60):
                await bob.lobby.send(f"message {n}")

        async def scenario(ada, bob):
            await ada.press("ctrl+end")
            await ada.see("message 59")
            await ada.press("pageup")
            await ada.settle()
            rows, unread = ada.pane("messages"), ada.session.windows.front.unread
            await bob.lobby.send("something new")
            one = (await ada.chat.history("#lobby", limit=60)).messages[0]
            await ada.get(await bob.lobby.edit(one, "this\nis\nlonger"))
            await ada.see(f"{unread + 1} unread (F6)")
            await ada.settle()
            self.assertEqual(ada.pane("messages"), rows)
            await ada.press("ctrl+end")
            await ada.see("something new")

        self.meet(scenario, before=before)

    def test_members_with_presence_and_roles(self):
        async def before(bob):
            self.tea = await self.fill(bob, "#tea", 0)
            await self.tea.invite("eve")
            await bob.chat.set_display_name("Bobby [b]")

        async def scenario(ada, bob):
            await ada.see_room("2 #tea.*")
            await ada.press("alt+2")
            shown = ada.app.query_one("#members")
            if not shown.display:
                await ada.press("f3")
            await ada.see("here 2", "away 1", "● bob owner Bobby [b]"[:22], "○ eve", "● ada")
            await self.tea.set_role("eve", quicchat.Role.MODERATOR)
            await ada.see("○ eve moderator")
            await self.tea.leave()
            await ada.see("here 1", "away 2", "○ bob owner")
            await ada.press("f3")
            await ada.see_not("away 2")

        for size in SIZES:
            with self.subTest(size=size):
                self.meet(scenario, size, before)

    def test_who_has_read_and_who_types(self):
        async def scenario(ada, bob):
            sent = [await bob.lobby.send(f"message {n}") for n in range(3)]
            await ada.see("message 2")
            bob.lobby.mark_read(sent[1], shared=True)
            bob.lobby.typing()
            await ada.wait_for(lambda: "bob" in ada.session.windows.front.markers, "the marker")
            self.assertNotIn("✓", ada.text())  # nobody asked for it
            for command in ("/read on", "/typing on"):
                await ada.type(command)
            await ada.see("✓ bob")
            rows = ada.pane("messages")
            at = next(n for n, row in enumerate(rows) if "message 1" in row)
            self.assertEqual(rows[at + 1].strip(), "✓ bob")
            bob.lobby.mark_read(sent[2], shared=True)
            await ada.wait_for(lambda: ada.pane("messages")[at + 2].strip() == "✓ bob", "it moves")
            ada.session.windows.front._typing.clear()
            ada.session._show(quicchat.Typing("#lobby", "bob", True))
            await ada.see("bob types")
            await bob.lobby.send("typed")
            await ada.see_not("bob types")

        self.meet(scenario)

    def test_what_a_person_wants_to_see(self):
        async def scenario(ada, bob):
            await bob.lobby.send("about tea")
            await bob.lobby.send("something else")
            await ada.see("bob: about tea")
            for command in ("/numbers on", "/highlight tea"):
                await ada.type(command)
            await ada.see("#1 bob: about tea", "#2 bob: something else")
            self.assertEqual([row[0] for row in ada.pane("messages") if "bob:" in row], ["!", " "])
            await ada.type("/ignore bob")
            await ada.see_not("bob: something else")
            await ada.type("/unignore bob")
            await ada.see("bob: something else")
            await bob.chat.tell("ada", "psst")
            await ada.see("[from bob] psst")

        self.meet(scenario)

    def test_panes_hide_where_there_is_no_room(self):
        async def scenario(ada, bob):
            self.assertFalse(ada.app.query_one("#members").display)
            await ada.pilot.resize_terminal(200, 60)
            await ada.see("here 2")
            await ada.press("f4")
            self.assertFalse(ada.app.query_one("#rooms").display)
            await ada.pilot.resize_terminal(80, 24)
            await ada.see_not("here 2")

        self.meet(scenario)

    def test_a_timer_may_come_while_the_widgets_are_taken_away(self):
        async def scenario(ada, bob):
            messages = ada.app.messages
            await ada.app.query_one("#rooms").remove()
            ada.app.draw()
            messages.on_look()
            ada.app.go_to(1)
            await ada.settle()
            self.assertTrue(ada.app.is_running)

        self.meet(scenario)

    def test_being_taken_out(self):
        async def before(bob):
            self.tea = await self.fill(bob, "#tea", 1)

        async def scenario(ada, bob):
            await ada.see_room("2 #tea.*")
            await ada.type("/join #tea")
            await ada.see("bob: message 0")
            await self.tea.kick("ada", "noise")
            await ada.see("you are out of #tea: somebody removed you: noise",
                          "no room; /join and a room's name enters one")
            await ada.type("/win 1")
            await ada.see("connected to")

        self.meet(scenario, before=before)


if __name__ == "__main__":
    unittest.main()
