"""The surface of a session that has panes: what :class:`quicchat.cli._screen.Screen` is for lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..cli._notice import notice
from ..cli._progress import Bar
from ..cli._screen import Desk
from ..cli._show import Lines, clock, now
from ..cli._typed_lines import TypedLines
from ..client import Chat
from ..records import HistoryPage, Message, SearchPage
from ..terminal import clean_line, show, uncoloured
from ._app import THEMES, ChatApp, run
from ._entry import Typed
from ._pane import Pane, Transfer
from ._panes import Panes, take_page
from ._room_log import Said

if TYPE_CHECKING:
    from ..cli._followed import Followed

_LOOSE_MAX = 500  # lines that are kept where there is no room
_CLOSE_PATIENCE = 5.0  # seconds


class FullScreen:
    """The terminal, with panes."""

    is_terminal = True
    is_live = True

    def __init__(self, *, history: Path | None = None, log: TextIO | None = None,
                 app: ChatApp | None = None) -> None:
        self.app = app or ChatApp()
        self._typed = TypedLines(lambda: self.app.interrupted)
        self.app.on_line = self._typed.put
        self._history = history
        self._log = log
        self._panes: Panes | None = None

    def choose_theme(self, name: str, on_change: Callable[[str], None]) -> None:
        """Looks like that, if there is such a theme; and says which one a person chooses."""
        self.app.on_theme = on_change
        if name in THEMES:
            self.app.theme = name

    def follow(self, chat: Chat, last: int) -> Panes:
        self._panes = self.app.panes = Panes(chat, self, last)
        return self._panes

    def open(self, desk: Desk) -> None:
        self.app.desk = desk
        if not self.app.is_running:
            self._typed.running = asyncio.create_task(run(self.app))
        self.app.on_begin(self._begin)

    def _begin(self) -> None:
        assert self.app.desk is not None
        self.app.entry.typed = Typed(self._history)
        self.app.entry.complete = self.app.desk.complete

    async def next_line(self) -> bytes | None:
        line = await self._typed.next()
        return None if line is None else line.encode(errors="surrogateescape")

    async def interruption(self) -> None:
        await self._typed.interruption()

    async def close(self) -> None:
        if self._panes is not None:
            self._panes.stop()
        running = self._typed.running
        if running is not None and not running.done():
            self.app.end()
            await asyncio.wait((running,), timeout=_CLOSE_PATIENCE)

    # What is said.

    def say(self, line: str) -> None:
        self.remark(line, "event")

    def note(self, text: str) -> None:
        self.remark(text, "note")

    def complain(self, text: str) -> None:
        self.remark(text, "error")

    def divide(self, text: str) -> None:
        self.remark(text, "note")

    def remark(self, line: str, kind: str, sender: str = "") -> None:
        """A line in the room in front; ``sender`` is whose private message it is."""
        text = uncoloured(line).removeprefix("* ")
        self.write_down(f"{'!' if kind == 'error' else '*'} {text}")
        pane = self._front()
        if pane is not None:
            pane.log.remark(text, kind, now(), sender.lower())
        else:
            self.app.loose.append(text)
            del self.app.loose[:-_LOOSE_MAX]
        self.refresh()

    def write_down(self, line: str) -> None:
        """A line for the log file, if there is one."""
        if self._log is not None:
            show(uncoloured(line), to=self._log)

    def read_out(self, lines: Iterable[str]) -> None:
        self.app.call_later(self.app.read_out, "help", [(line, "body") for line in lines])

    def show_page(self, lines: Lines, page: HistoryPage, remark: str) -> None:
        pane = self._front()
        if pane is None:
            return
        if page.records:
            # It may be older than what came meanwhile, but is as new as its newest record.
            take_page(pane, page, page.last, page.first, page.last)
            self.go_to(pane, page.first)
        elif page.reaches_start:
            pane.log.remark(remark, "note", now())
        self.refresh()

    def show_found(self, lines: Lines, page: SearchPage, remark: str) -> None:
        found = [(record.offset, f"{clock(record.time)} {record.sender}: "
                                 + " ".join(record.text.split()))
                 for record in reversed(page.records) if isinstance(record, Message)]
        if found or page.next is not None:
            self.app.call_later(self.app.show_found, found, remark)
        else:
            self.note(remark)

    def progress(self, what: str, window: Followed | None, offset: int = 0) -> Bar:
        assert window is None or isinstance(window, Pane)
        return _TransferBar(self, what, window, offset)

    # What has changed.

    def refresh(self) -> None:
        self.app.news()

    def show_front(self) -> None:
        self.app.news()

    def go_to(self, pane: Pane, offset: int) -> None:
        """Shows that record, if the pane is in front."""
        if pane is self._front():
            self.app.go_to(offset)

    def alert(self, text: str) -> None:
        if self.app.is_away:
            return
        self.app.bell()
        if said := notice(clean_line(text)):
            self.app.write_raw(said)

    def _front(self) -> Pane | None:
        return None if self._panes is None else self._panes.front


class _TransferBar:
    """How far a file is: beside its message, or below all others while there is none."""

    def __init__(self, screen: FullScreen, what: str, pane: Pane | None, offset: int) -> None:
        self._screen = screen
        self._pane = pane
        self._offset = offset
        self._transfer = Transfer(what)
        if pane is not None and not offset:
            pane.sending.append(self._transfer)
        screen.refresh()

    def _said(self) -> Said | None:
        if self._pane is None or not self._offset:
            return None
        return self._pane.log.find(self._offset)

    def step(self, done: int, size: int) -> None:
        self._transfer.done, self._transfer.size = done, size
        said = self._said()
        if said is not None:
            said.transfer = self._transfer.text()
        self._screen.refresh()

    def end(self, text: str = "") -> None:
        said = self._said()
        if said is not None:
            said.transfer = text
        elif text:
            self._screen.note(text)
        if self._pane is not None and self._transfer in self._pane.sending:
            self._pane.sending.remove(self._transfer)
        self._screen.refresh()
