"""What is shown over everything else: texts to read, and what a search has found."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from ..cli._commands import COMMANDS
from ..terminal import clean_line
from ._layout import Block, Row, cut, wrap
from ._rows import Rows

KEYS = (
    ("Enter", "send the line"),
    ("Alt-Enter, Ctrl-J", "another row"),
    ("Tab, Shift-Tab", "complete commands, names, rooms, paths"),
    ("Up, Down", "what was typed before"),
    ("Alt-1 ... Alt-9", "go to that room"),
    ("Ctrl-N, Ctrl-P", "the next room, the one before"),
    ("PgUp, PgDn", "scroll; older messages come by themselves"),
    ("Ctrl-Home, Ctrl-End", "the oldest message here, the newest"),
    ("F6, Alt-U", "the first message that you have not seen"),
    ("/unread skip", "the others need not be seen"),
    ("F5, Ctrl-F", "search"),
    ("F7", "write the line in $EDITOR"),
    ("F3", "show or hide the members"),
    ("F4", "show or hide the rooms"),
    ("F2", "another theme"),
    ("Esc", "choose messages; again: back to the line"),
    ("Ctrl-Z", "suspend"),
    ("Ctrl-C", "empty the line; leave, if it is empty"),
    ("Ctrl-D, Ctrl-Q", "leave"),
    ("F1, ? in the messages", "this"),
    ("", ""),
    ("in the messages:", ""),
    ("Up, Down", "choose one"),
    ("Enter", "answer it; if it is an answer: go to what it answers"),
    ("r, e, d", "reply, edit, delete"),
    ("+, s", "react, save its file"),
    ("", ""),
    ("mouse:", "click rooms, members and messages; the wheel scrolls"),
)
_WIDTH = 22  # columns of what is explained
_INDENT = "      "


class Reading(ModalScreen[None]):
    """A text to read, over everything else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,enter", "close", show=False),
    ]
    DEFAULT_CSS = """
    Reading { align: center middle; }
    Reading > Vertical {
        width: 90%; max-width: 110; height: 90%; border: round $primary; padding: 0 1;
        background: $surface;
    }
    """

    def __init__(self, title: str, lines: list[tuple[str, str]]) -> None:
        super().__init__()
        self._heading = title
        self._text = lines

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield Rows(id="text")
        # A text in a border may have markup; brackets are masked.
        box.border_title = self._heading.replace("[", "\\[")
        box.border_subtitle = "Esc closes"

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        rows = self.query_one("#text", Rows)
        rows.show([Block(_hanging(clean_line(text), style, rows.content_width), ("line", n))
                   for n, (text, style) in enumerate(self._text)])
        rows.focus()

    def action_close(self) -> None:
        self.dismiss(None)


def _hanging(text: str, style: str, width: int) -> list[Row]:
    """What does not fit follows below, indented."""
    first, *rest = wrap(text, max(1, width - len(_INDENT)), width)
    return [[(first, style)], *([(_INDENT + line, style)] for line in rest)]


def help_lines() -> list[tuple[str, str]]:
    """Keys and commands, in lines with their styles."""
    lines = [("Keys", "bold"), *((f"  {key:{_WIDTH}}{what}", "body") for key, what in KEYS)]
    width = max(len(command.usage) for command in COMMANDS)
    return [*lines, ("", "body"), ("Commands", "bold"),
            *((f"  {command.usage:{width}}  {command.help}", "body") for command in COMMANDS),
            ("  A number such as #12 says which message is meant; /numbers on shows them.", "body")]


class Found(ModalScreen[tuple[int, str]]):
    """What a search has found. Gives the record that one wants to see, or a command for more."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", show=False),
        Binding("m", "more", show=False),
    ]
    DEFAULT_CSS = Reading.DEFAULT_CSS.replace("Reading", "Found")

    def __init__(self, found: list[tuple[int, str]], remark: str) -> None:
        super().__init__()
        self._found = found
        self._remark = remark
        self._more = remark.partition("more: ")[2]

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            yield Rows(id="found")
        box.border_title = "found"
        more = "m looks for more, " if self._more else f"{clean_line(self._remark)}; "
        box.border_subtitle = (more + "Enter goes there, Esc closes").replace("[", "\\[")

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        rows = self.query_one("#found", Rows)
        width = rows.content_width
        rows.show([Block([[(cut(clean_line(text), width), "body")]], ("record", offset),
                         offset=offset) for offset, text in self._found]
                  or [Block([[("nothing", "dim")]])])
        rows.focus()
        if rows.chosen is None and self._found:
            rows.choose(len(rows.blocks) - 1)

    def on_rows_taken(self, event: Rows.Taken) -> None:
        event.stop()
        if event.block.offset:
            self.dismiss((event.block.offset, ""))

    def action_more(self) -> None:
        if self._more:
            self.dismiss((0, self._more))

    def action_close(self) -> None:
        self.dismiss(None)
