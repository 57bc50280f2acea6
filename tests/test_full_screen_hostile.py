"""The full screen where everybody else is hostile: it shows text, whatever was sent, and stays as
it is."""

import random
import typing
import unittest
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest import mock

from _full import NO_TEXTUAL, SIZES, FullCase
from _support import quicchat

if quicchat and not NO_TEXTUAL:
    import _terminal as t
    from rich.cells import cell_len, chop_cells
    from test_terminal_sinks import EvilChat

    from quicchat.cli._commands import COMMANDS
    from quicchat.cli._session import Session
    from quicchat.cli._show import Wishes
    from quicchat.tui._app import ChatApp
    from quicchat.tui._full_screen import FullScreen
    from quicchat.tui._layout import Layout, cut, member_rows, room_rows, row_width, wrap
    from quicchat.tui._pane import Pane, Transfer

MARKUP = ("[red]red[/red]", "[@click=app.leave]leave[/]", "[/]", "[b", "$primary", "\\[x]",
          "[link=file:///etc/passwd]here[/link]", ":skull:", "[[1;31m")
#: What the theme of the tests draws beside texts.
DRAWN = str.maketrans("", "", "─│╭╮╰╯▁▂▃▄▅▆▇█░●○…▣✓")


class Rows(FullCase):
    def texts(self):
        yield from (text for text, _ in t.corpus().values())
        yield from MARKUP
        yield from ("x" * 500, "two words " * 90, "日本語" * 90, "👩‍👩‍👧‍👦" * 50, "\n" * 50, " " * 200,
                    "a\tb\n\tc")

    def test_no_row_is_wider_than_its_pane(self):
        for text in self.texts():
            room = SimpleNamespace(name=text, topic=text, head=9, next=10, marker=0, epoch=1)
            pane = Pane(room, "ada", Wishes(markers=True, numbers=True))
            for cls in typing.get_args(quicchat.events.ClientEvent):
                for event in t.instances(cls, text):
                    pane.take(event)
            other = Pane(room, "ada", Wishes(markers=True))
            head = ("#tea", 1)
            when = datetime.now(UTC), bytes(16)
            for record in (quicchat.Message(*head, 1, *when, "bob", text, "{}"),
                           quicchat.Message(*head, 2, *when, text, "name", "{}"),
                           quicchat.Message(*head, 3, *when, "bob", text, '{"action": true}'),
                           quicchat.Message(*head, 4, *when, "bob", "answer", "{}", 1),
                           quicchat.Message(*head, 5, *when, "bob", text, "{}",
                                            file=quicchat.FileInfo(9, "0" * 64)),
                           quicchat.Reaction(*head, 6, *when, text, 1, text),
                           quicchat.Message(*head, 7, *when, "bob", "bad", "{}"),
                           quicchat.Deleted(*head, 8, *when, text, 7, text),
                           quicchat.Message(*head, 9, *when, "bob", "helo", "{}"),
                           quicchat.Edited(*head, 10, *when, "bob", 9, text, "{}")):
                other.take(record)
            other.log.find(5).transfer = text
            other.sending.append(Transfer(text, 1, 2))
            for width in (8, 12, 33, 59, 150):
                blocks = Layout(width=width).blocks(other, [])
                blocks += Layout(width=width).blocks(pane, [text])
                blocks += room_rows([pane], None, width) + member_rows(pane, width)
                for row in (row for block in blocks for row in block.rows):
                    shown = "".join(part for part, _ in row)
                    self.assertLessEqual(row_width(row), width, (text, shown))
                    self.assertEqual(t.problem(shown.translate(DRAWN)), "", (text, shown))
                    self.assertNotIn("\n", shown)

    def test_wrapping_loses_nothing(self):
        dice = random.Random(7)
        for _ in range(500):
            text = "".join(dice.choice(["a", "bc", " ", "  ", "\n", "日", "👍", "é"])
                           for _ in range(dice.randint(0, 60)))
            width, first = dice.randint(2, 20), dice.randint(2, 20)
            lines = wrap(text, width, first)
            self.assertEqual("".join(lines).replace(" ", ""),
                             text.replace(" ", "").replace("\n", ""), text)
            self.assertLessEqual(cell_len(lines[0]), first)
            self.assertTrue(all(cell_len(line) <= width for line in lines[1:]), lines)
            self.assertLessEqual(cell_len(cut(text.replace("\n", ""), width)), width)

    def test_a_long_word_is_read_a_few_times_only(self):
        read = []

        def counted(text, width):
            read.append(len(text))
            return chop_cells(text, width)

        with mock.patch("quicchat.tui._layout.chop_cells", counted):
            wrap("x" * 10_000, 10, 4)
        self.assertLess(sum(read), 30_000)


class EvilServer(FullCase):
    def judge(self, app, text):
        for strip in app.screen._compositor.render_strips():
            # Of a key that a window covers, its first character, the rest may stand beside it.
            shown = strip.text.replace("│\ufe0f\u20e3", "│").translate(DRAWN)
            self.assertEqual(t.problem(shown), "", (text, strip.text))

    def test_every_event_and_every_command(self):
        async def main():
            texts = [*(text for text, _ in t.corpus().values()), *MARKUP]
            for text in (" ".join(texts[n:n + 20]) for n in range(0, len(texts), 20)):
                app = ChatApp()
                async with app.run_test(size=(80, 24)) as pilot:
                    session = Session(EvilChat(text), FullScreen(app=app), 5)
                    await session.begin(text)
                    session.wishes.typing = session.wishes.markers = True
                    for cls in typing.get_args(quicchat.events.ClientEvent):
                        for event in t.instances(cls, text):
                            session._show(event)
                    await pilot.pause()
                    self.judge(app, text)
                    for command in COMMANDS:
                        for rest in ("", text, f"bob {text}", f"#7 {text}"):
                            if session.room is None:
                                await session.windows.enter(text)
                            await session._handle(f"{command.name} {rest}")
                    await pilot.pause()
                    self.judge(app, text)
                    while len(app.screen_stack) > 1:
                        await pilot.press("escape")
                        await pilot.pause()
                    app.entry.begin("/msg b")
                    await pilot.press("tab")
                    await pilot.pause()
                    self.judge(app, text)

        self.run_async(main)


class EvilPeople(FullCase):
    def test_markup_is_text_everywhere(self):
        async def before(bob):
            await bob.chat.set_display_name("[red]Bob[/]")
            await bob.chat.create_room("#tea", topic="[b]topic[/b] [@click=app.leave]x[/]")
            self.tea = await bob.chat.join("#tea")
            await self.tea.invite("ada")
            sent = await self.tea.send("[@click=app.leave]click me[/]")
            await self.tea.send("[red]answer[/red]", reply_to=sent)
            await self.tea.react(sent, "[b]+[/b]")
            await self.tea.send_file(b"x", name="[link=x]f.txt")
            await self.tea.delete(await self.tea.send("bad"), "[i]why[/i]")

        async def scenario(ada, bob):
            await ada.see_room("2 #tea.*")
            await ada.press("alt+2")
            if ada.app.size.width < 100:
                await ada.press("f3")
            await ada.see("[b]topic[/b]", "[@click=app.leave]cl", "╭ bob: [@click", "[red]ans",
                          "[b]+[/b]", "[link=x]f", "[i]why[/i]", "[red]Bo")
            row = next(n for n, row in enumerate(ada.pane("messages")) if "[@click" in row)
            await ada.pilot.click("#messages", offset=(20, row))
            await ada.pilot.click("#topic", offset=(20, 0))
            await ada.type("/search click")
            await ada.see("bob: [@click=app.leave]click me[/]")
            await ada.press("escape")
            await ada.type("still here")
            await ada.see("ada: still here")

        for size in SIZES:
            with self.subTest(size=size):
                self.meet(scenario, size, before)

    def test_huge_texts(self):
        async def scenario(ada, bob):
            await bob.lobby.send("x" * 15_000)
            await bob.lobby.send("word\n" * 3_000)
            end = await bob.lobby.send("the end")
            await ada.get(end)
            await ada.press("ctrl+end")
            await ada.see("the end")
            await ada.press("ctrl+home", "pagedown", "ctrl+end")
            await ada.see("the end")
            for size in ((20, 6), (5, 3), (200, 60), (80, 24)):
                await ada.pilot.resize_terminal(*size)
                await ada.settle()
            await bob.lobby.edit(end, "the very end")
            await ada.see("the very end")

        self.meet(scenario)

    def test_a_flood_is_bounded(self):
        from quicchat.tui import _room_log

        async def scenario(ada, bob):
            pane = ada.session.windows.front
            for n in range(1, 5000):
                ada.session._show(quicchat.Message(
                    "#lobby", pane.room.epoch, n, datetime.now(UTC), n.to_bytes(16, "big"), "bob",
                    f"flood {n}", "{}"))
            await ada.press("ctrl+end")
            await ada.see("flood 4999")
            self.assertLessEqual(len(pane.log.items()), _room_log.ITEMS_MAX + 2)

        self.meet(scenario)


if __name__ == "__main__":
    unittest.main()
