"""The rooms that are followed at once, each with its pane, and what is fetched for them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Container, Coroutine
from typing import Any, Protocol

from .._calls import PAGE_MAX
from ..cli._followed import Following
from ..cli._screen import Surface
from ..client import Chat, Room
from ..errors import QuicChatError
from ..events import ClientEvent, Joined, Online, PrivateMessage, ProfileChanged
from ..records import HistoryPage, RoomRecord
from ..terminal import clean_line
from ._pane import Pane
from ._room_log import ITEMS_MAX, Hole

_PAGE = 50  # records that are fetched when one scrolls
_CONTEXT = 20  # records that were read, above what is new
_PAUSE = 5.0  # seconds to the next attempt, if a page could not be had
_QUOTES_MAX = 20  # messages that are fetched to be quoted, at once


class FullSurface(Surface, Protocol):
    """What the panes need beside what a session needs."""

    def show_front(self) -> None:
        """Another room is in front."""
        ...

    def go_to(self, pane: Pane, offset: int) -> None:
        """Shows that record, if the pane is in front."""
        ...

    def write_down(self, line: str) -> None:
        """A line for the log file, if there is one."""
        ...

    def remark(self, line: str, kind: str, sender: str = "") -> None:
        """A line in the room in front; ``sender`` is whose private message it is."""
        ...


class Panes(Following[Pane]):
    """All rooms that a person belongs to."""

    _screen: FullSurface

    def __init__(self, chat: Chat, screen: FullSurface, last: int) -> None:
        super().__init__(chat, screen, last)
        self._work: set[asyncio.Task[None]] = set()
        self._not_before = 0.0  # nothing is fetched before that time, as it failed just now

    def _window(self, room: Room) -> Pane:
        return Pane(room, self._chat.user, self.wishes)

    # Going there.

    async def bring(self, window: Pane) -> None:
        """To the front with a room."""
        if window is self.front:
            return
        self.mark()
        if self.front is not None:
            self.front.divider = None
        self.front = window
        window.divider = window.first_unread() and window.shown
        if not window.opened:
            window.opened = window.is_loading = True
            self._run(self._load_end(window))
        self.on_front(window)
        self.on_shown()
        self._screen.show_front()
        self._screen.refresh()

    async def show_left_out(self) -> bool:
        pane = self.front
        first = None if pane is None else pane.first_unread()
        if pane is None or first is None:
            return False
        hole = pane.hole_at(first)
        if hole is not None:
            await self._load(pane, self._after(pane, hole))
        self._screen.go_to(pane, first)
        return True

    def skip_left_out(self) -> None:
        if self.front is not None:
            self.front.skip()
            self.mark_soon()
            self._screen.refresh()

    async def show(self, pane: Pane, offset: int) -> None:
        """Goes to a record, wherever it is."""
        if pane.hole_at(offset) is not None:
            await self._load(pane, self._around(pane, offset))
        if pane.hole_at(offset) is not None and not pane.is_loading:
            self._screen.complain("that message cannot be fetched just now; try again later")
            return
        await self.bring(pane)
        self._screen.go_to(pane, offset)

    # What comes.

    def _receive(self, window: Pane, event: ClientEvent) -> None:
        window.take(event)
        if isinstance(event, Joined) and window is self.front:
            self._run(self._learn(window))
        if window is self.front:
            self.on_shown()
            self.mark_soon()
        if isinstance(event, RoomRecord) and not window.lines.ignores(event) \
                and (line := window.lines.line(event)):
            self._screen.write_down(clean_line(f"{window.name} ") + line)

    def _take_of_none(self, event: ClientEvent) -> None:
        if isinstance(event, ProfileChanged):
            for pane in self.all():
                pane.rename(event)
        if isinstance(event, Online):
            self._not_before = 0.0
        line = self.lines.line(event)
        if line and not self.lines.ignores(event):
            if isinstance(event, PrivateMessage):
                self._screen.remark(line, "private", event.sender)
            else:
                self._screen.remark(line, "event")

    def see(self, pane: Pane, offsets: Container[int]) -> None:
        """These records are on the screen."""
        before = pane.shown
        pane.see(offsets)
        if pane.shown != before:
            self.mark_soon()

    # What is fetched.

    def fill(self, pane: Pane, hole: Hole, *, from_below: bool) -> None:
        """A hole is on the screen; the records in it are fetched from that side."""
        if pane.is_loading or time.monotonic() < self._not_before:
            return
        fetch = self._before(pane, hole.last + 1, _PAGE) if from_below else self._after(pane, hole)
        self._run(self._fill(pane, hole, fetch))

    async def _fill(self, pane: Pane, hole: Hole, fetch: Callable[[], Awaitable[None]]) -> None:
        await self._load(pane, fetch)
        if pane.hole_at(hole.last) == hole:  # the page was no part of it: not again at once
            self._not_before = time.monotonic() + _PAUSE

    def quote(self, pane: Pane) -> None:
        """Fetches what is answered and not known."""
        missing = [offset for offset in dict.fromkeys(pane.log.missing_quotes())
                   if offset not in pane.asked_for][:_QUOTES_MAX]
        if len(pane.asked_for) > ITEMS_MAX:
            pane.asked_for.clear()
        if missing and not pane.is_loading and time.monotonic() >= self._not_before:
            pane.asked_for.update(missing)
            self._run(self._quote(pane, missing))

    async def _quote(self, pane: Pane, offsets: list[int]) -> None:
        for n, offset in enumerate(offsets):
            try:
                page = await pane.room.history(around=offset, limit=1)
            except ValueError:
                continue  # there can be no such record
            except QuicChatError:
                pane.asked_for.difference_update(offsets[n:])
                self._not_before = time.monotonic() + _PAUSE
                break
            for message in page.messages:
                if message.offset == offset and page.epoch == pane.room.epoch:
                    pane.log.quote_only(message)
        self._screen.refresh()

    async def _learn(self, pane: Pane) -> None:
        with contextlib.suppress(QuicChatError):
            pane.learn(await pane.room.members())
            self._screen.refresh()

    async def _load_end(self, pane: Pane) -> None:
        pane.is_loading = False
        count = min(PAGE_MAX, max(_PAGE, self._last, pane.room.next - pane.shown + _CONTEXT))
        await self._load(pane, self._before(pane, pane.room.next, count))

    async def _load(self, pane: Pane, fetch: Callable[[], Awaitable[None]]) -> None:
        if pane.is_loading:
            return
        pane.is_loading = True
        self._screen.refresh()
        try:
            await fetch()
        except (QuicChatError, ValueError):  # no connection; or an offset that there cannot be
            self._not_before = time.monotonic() + _PAUSE
        finally:
            pane.is_loading = False
            self._screen.refresh()

    def _before(self, pane: Pane, end: int, count: int) -> Callable[[], Awaitable[None]]:
        async def fetch() -> None:
            as_of = pane.log.head
            page = await pane.room.history(before=end, limit=count)
            take_page(pane, page, as_of, page.first or 1, end - 1)
        return fetch

    def _after(self, pane: Pane, hole: Hole) -> Callable[[], Awaitable[None]]:
        async def fetch() -> None:
            as_of = pane.log.head
            page = await pane.room.history(after=hole.first - 1, limit=_PAGE)
            ends = page.reaches_head or not page.records
            take_page(pane, page, as_of, hole.first, hole.last if ends else page.last)
        return fetch

    def _around(self, pane: Pane, offset: int) -> Callable[[], Awaitable[None]]:
        async def fetch() -> None:
            as_of = pane.log.head
            page = await pane.room.history(around=offset, limit=_PAGE)
            take_page(pane, page, as_of, page.first, page.last)
        return fetch

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def stop(self) -> None:
        """Nothing more is fetched."""
        for task in self._work:
            task.cancel()


def take_page(pane: Pane, page: HistoryPage, as_of: int, first: int, last: int) -> None:
    """Puts a page into the log of a room: it is all that there is from `first` to `last`."""
    if page.epoch != pane.room.epoch:
        return
    if page.reaches_start:
        pane.log.nothing_before(page.first or last + 1)
    pane.add_page(page.records, first, last, as_of)
