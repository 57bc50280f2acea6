"""The rooms that are followed at once, as lines one below the other."""

from __future__ import annotations

import asyncio
import contextlib

from .._calls import PAGE_MAX
from ..client import Chat, Room
from ..errors import QuicChatError
from ..events import ClientEvent, Gap
from ..records import RoomRecord
from ._followed import Following
from ._screen import Surface
from ._show import Lines
from ._window import Window


class Windows(Following[Window]):
    """A person at a terminal follows all rooms that they joined. A script is in one at a time: it
    leaves the one before."""

    def __init__(self, chat: Chat, screen: Surface, last: int) -> None:
        super().__init__(chat, screen, last)
        self._moving = asyncio.Lock()

    async def enter(self, name: str) -> Room:
        """To the front with a room; joins it, if it is not followed yet."""
        if self._screen.is_terminal:
            return await super().enter(name)
        room = await self._chat.join(name, last=self._last)
        before, self.front = self.front, self._add(room)
        self.on_shown()
        if before is not None:
            with contextlib.suppress(QuicChatError):
                await before.room.leave()
        return room

    def _window(self, room: Room) -> Window:
        read = min(room.marker, room.next - 1)
        if self._screen.is_terminal:
            return Window(room, Lines(self._chat.user, self.wishes), read)
        window = Window(room, Lines(self._chat.user, self.wishes), room.next - 1)
        if read < room.next - 1:
            window.leave_out(read + 1, room.next - 1)
        return window

    async def bring(self, window: Window) -> None:
        """Shows what waits in a room, and then what comes."""
        async with self._moving:
            if window is self.front:
                return
            self.mark()
            self.front = None
            missed = await self._missed(window, 0 if window.opened else self._last)
            # What comes meanwhile may push out what was kept.
            shown = -1
            while window.shown > shown and window.end_of_missed() > window.shown + 1:
                shown = window.shown
                missed += await self._missed(window, 0)
            self._show_waiting(window, missed)
            self.front = window
        self.on_front(window)
        self.on_shown()
        self.mark_soon()
        self._screen.refresh()

    def _show_waiting(self, window: Window, missed: list[RoomRecord]) -> None:
        if self._screen.is_live:
            topic = f": {window.room.topic}" if window.room.topic else ""
            self._screen.divide(f"{window.name}{topic}")
            window.show_context(self._screen)
        if window.hole is not None:
            first, last = window.hole
            self._screen.note(f"{last - first + 1} unread before these; /unread shows them, "
                              "/unread skip does not")
        waiting: list[RoomRecord | Gap] = [*missed, *window.kept]
        window.kept.clear()
        news = sum(map(window.is_news, waiting))
        window.opened = True
        for event in waiting:
            if news and window.is_news(event) and self._screen.is_live:
                self._screen.divide(f"{news} unread")
                news = 0
            window.show(event, self._screen)
        window.unread = window.mentions = 0

    async def _missed(self, window: Window, context: int) -> list[RoomRecord]:
        """The records between what was shown and what is kept. If that is not as many as `context`,
        some that were read before, too."""
        end, first = window.end_of_missed(), window.shown + 1
        limit = PAGE_MAX if first < end else min(context, PAGE_MAX)
        if not limit:
            return []
        try:
            page = await window.room.history(before=end, limit=limit)
        except QuicChatError:
            if first < end:
                window.leave_out(first, end - 1)
            return []
        missed = [record for record in page.records if first <= record.offset < end]
        if first < end and not page.reaches_start and page.first > first:
            window.leave_out(first, page.first - 1)
        read = [record for record in page.records if record.offset < first] if context else []
        window.shown = max(window.shown, end - 1)
        return [*read[max(0, len(read) + len(missed) - context):], *missed]

    async def show_left_out(self) -> bool:
        """Some of what was left out of the room in front; False if there is nothing."""
        window = self.front
        if window is None or window.hole is None:
            return False
        page = await window.room.history(after=window.hole[0] - 1, limit=PAGE_MAX)
        last = window.hole[1]
        for record in page.records:
            if record.offset <= last:
                window.show(record, self._screen)
        window.filled(last if page.reaches_head or not page.records else page.last)
        if window.hole is not None:
            self._screen.note(f"{last - window.hole[0] + 1} more: /unread")
        self.mark_soon()
        return True

    def skip_left_out(self) -> None:
        """What was left out of the room in front need not be read."""
        if self.front is not None and self.front.hole is not None:
            self.front.filled(self.front.hole[1])
            self.mark_soon()

    # What comes.

    def _receive(self, window: Window, event: ClientEvent) -> None:
        if window is self.front:
            window.show(event, self._screen)
            self.on_shown()
            self.mark_soon()
        elif self._screen.is_terminal and isinstance(event, RoomRecord | Gap):
            window.keep(event)
            window.count(event)
