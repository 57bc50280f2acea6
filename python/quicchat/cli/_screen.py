"""Where the chat's lines appear and where the user's come from."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..terminal import is_terminal, paint, show, uncoloured
from ._lines import LineReader
from ._progress import Bar, Progress

if TYPE_CHECKING:
    from ..client import Chat
    from ..records import HistoryPage, SearchPage
    from ._editor import Editor
    from ._followed import Followed, Following
    from ._show import Lines


def can_place(stream: TextIO | None) -> bool:
    """Whether it is a terminal that can place text anywhere."""
    return is_terminal(stream) and os.environ.get("TERM", "dumb") != "dumb"


class Desk(Protocol):
    """What an editor shows around the line that is typed, and where its keys lead."""

    def prompt(self) -> str:
        """The name before the line that is typed."""
        ...

    def pending(self, window: Followed | None = None) -> list[str]:
        """Our lines that are not stored yet: all, or those for one room."""
        ...

    def status(self) -> list[tuple[str, str]]:
        """The parts of the line below, each with its style."""
        ...

    def title(self) -> str:
        """What the window of the terminal is called."""
        ...

    def complete(self, text: str) -> tuple[int, list[tuple[str, str]]]:
        """What may stand at the end of a text: how many of its characters are replaced, and by
        what, each with a remark."""
        ...

    def go_to(self, number: int) -> None:
        """To the room of that number, from 1 on."""
        ...

    def go_by(self, step: int) -> None:
        """To the next room, or the one before."""
        ...

    def note_key(self, text: str) -> None:
        """A key was typed; the line is that now."""
        ...


class Surface(Protocol):
    """What a session shows itself on, and where the lines come from that are typed: a terminal with
    one line after the other (:class:`Screen`), or one with panes (:mod:`quicchat.tui`)."""

    @property
    def is_terminal(self) -> bool:
        """True if a person types; they may follow many rooms."""
        ...

    @property
    def is_live(self) -> bool:
        """True if what was typed vanishes, and is shown by us."""
        ...

    def follow(self, chat: Chat, last: int) -> Following[Any]:
        """What will show the rooms of a chat."""
        ...

    def open(self, desk: Desk) -> None:
        """Begins; this is what stands around the line that is typed."""
        ...

    async def next_line(self) -> bytes | None:
        """The next line that the user gives; None at the end."""
        ...

    async def interruption(self) -> None:
        """Raises Interrupted when a person wants to leave at once."""
        ...

    async def close(self) -> None:
        """Gives the terminal back."""
        ...

    def say(self, line: str) -> None:
        """A line; with line ends and colours, if it is :class:`Clean`."""
        ...

    def note(self, text: str) -> None:
        """A remark of ours."""
        ...

    def complain(self, text: str) -> None:
        """Something that the user should mend."""
        ...

    def divide(self, text: str) -> None:
        """A line across the screen."""
        ...

    def read_out(self, lines: Iterable[str]) -> None:
        """A text that may be longer than the screen."""
        ...

    def show_page(self, lines: Lines, page: HistoryPage, remark: str) -> None:
        """A page of the room in front, and what we have to say of it."""
        ...

    def show_found(self, lines: Lines, page: SearchPage, remark: str) -> None:
        """The same of what was found there."""
        ...

    def progress(self, what: str, window: Followed | None, offset: int = 0) -> Bar:
        """How far a file is; of the message at ``offset``, if there is one already."""
        ...

    def refresh(self) -> None:
        """What the desk shows has changed."""
        ...

    def alert(self, text: str) -> None:
        """Calls the person back to the terminal."""
        ...


class Screen:
    """The terminal, or the pipes in its place. On a terminal that can do it a line editor holds the
    line that is being typed together, and lines that come in appear above it. Nothing of that is
    loaded elsewhere."""

    def __init__(self, reader: LineReader, *, plain: bool, history: Path | None = None,
                 log: TextIO | None = None) -> None:
        self._reader = reader
        self._log = log
        self._editor: Editor | None = None
        if reader.is_terminal and can_place(sys.stdout) and not plain:
            from ._editor import Editor

            self._editor = Editor(history)

    @property
    def is_terminal(self) -> bool:
        """True if a person types; they may follow many rooms."""
        return self._reader.is_terminal

    @property
    def is_live(self) -> bool:
        """True if there is a line editor. What was typed vanishes then, and is shown by us."""
        return self._editor is not None

    def follow(self, chat: Chat, last: int) -> Following[Any]:
        from ._windows import Windows  # which needs this module

        return Windows(chat, self, last)

    def open(self, desk: Desk) -> None:
        """The editor begins; this is what it shows and asks."""
        if self._editor is not None:
            self._editor.open(desk)

    async def next_line(self) -> bytes | None:
        """The next line that the user gives; None at the end."""
        if self._editor is None:
            return await self._reader.next_line()
        line = await self._editor.typed.next()
        return None if line is None else line.encode(errors="surrogateescape")

    async def interruption(self) -> None:
        if self._editor is not None:
            await self._editor.typed.interruption()
        await asyncio.get_running_loop().create_future()  # the signal comes by itself

    async def close(self) -> None:
        """Gives the terminal back, when all lines are on it."""
        if self._editor is not None:
            await self._editor.close()

    def say(self, line: str) -> None:
        """A line; with line ends and colours, if it is :class:`Clean`."""
        self._note_in_log(line)
        if self._editor is not None:
            self._editor.say(line)
        else:
            show(line)

    def _note_in_log(self, line: str) -> None:
        if self._log is not None:
            show(uncoloured(line), to=self._log)

    def note(self, text: str) -> None:
        """A remark of ours."""
        self.say(paint(f"* {text}", "dim", sys.stdout))

    def complain(self, text: str) -> None:
        """Something that the user should mend."""
        line = paint(f"! {text}", "red", sys.stderr)
        self._note_in_log(line)
        if self._editor is not None:
            self._editor.say(line)
        else:
            show(line, to=sys.stderr)

    def divide(self, text: str) -> None:
        """A line across the screen."""
        self.say(paint(f"── {text} ──", "dim", sys.stdout))

    def read_out(self, lines: Iterable[str]) -> None:
        """A text that may be longer than the screen."""
        lines = list(lines)
        if self._editor is None or not self._editor.page(lines):
            for line in lines:
                self.note(line)

    def show_page(self, lines: Lines, page: HistoryPage, remark: str) -> None:
        for record in page.records:
            self.say(lines.record(record, numbered=True, times=True))
        self.note(remark)

    def show_found(self, lines: Lines, page: SearchPage, remark: str) -> None:
        for record in reversed(page.records):
            self.say(lines.record(record, numbered=True, times=True))
        self.note(remark)

    def progress(self, what: str, window: Followed | None, offset: int = 0) -> Bar:
        return Progress(self.note, what)

    def refresh(self) -> None:
        """What the desk shows has changed."""
        if self._editor is not None:
            self._editor.refresh()

    def alert(self, text: str) -> None:
        """Calls the person back to the terminal."""
        if self._editor is not None:
            self._editor.alert(text)
