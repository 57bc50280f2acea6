"""The rooms that are followed at once, and which of them is in front."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from .._calls import PAGE_MAX
from ..client import Chat, Room
from ..errors import QuicChatError
from ..events import (
    ClientEvent,
    Gap,
    Joined,
    MarkerMoved,
    MemberJoined,
    NoAnswerYet,
    PrivateMessage,
    Receipt,
    RoomLeft,
)
from ..records import Message, RoomRecord
from ..roles import Role
from ._screen import Screen
from ._show import Lines, Wishes
from ._window import Window

_MARK_DELAY = 0.2  # seconds; what is read is said for many lines at once
_FOLLOWED_MAX = 64  # rooms that are followed without being asked for


class Windows:
    """A person at a terminal follows all rooms that they joined. A script is in one at a time: it
    leaves the one before."""

    def __init__(self, chat: Chat, screen: Screen, last: int) -> None:
        self.wishes = Wishes()
        self.shares_markers = False
        self.front: Window | None = None
        self.on_shown: Callable[[], None] = lambda: None  #: called when something was shown
        self.on_front: Callable[[Window], None] = lambda _: None  #: called with what is in front
        self._chat = chat
        self._screen = screen
        self._last = last  # records that are shown of a room that is entered
        self._all: dict[str, Window] = {}  # by name in lower case, in the order they were joined
        self._nowhere = Lines(chat.user, self.wishes)
        self._marking: asyncio.TimerHandle | None = None
        self._moving = asyncio.Lock()

    # Which there are.

    def all(self) -> list[Window]:
        return list(self._all.values())

    def find(self, name: str) -> Window | None:
        return self._all.get(name.lower())

    @property
    def lines(self) -> Lines:
        """Of the room in front, or of none."""
        return self._nowhere if self.front is None else self.front.lines

    # Going there.

    async def enter(self, name: str) -> Room:
        """To the front with a room; joins it, if it is not followed yet."""
        if self._screen.is_terminal:
            window = self.find(name) or self._add(await self._chat.join(name))
            await self.bring(window)
            return window.room
        room = await self._chat.join(name, last=self._last)
        before, self.front = self.front, self._add(room)
        self.on_shown()
        if before is not None:
            with contextlib.suppress(QuicChatError):
                await before.room.leave()
        return room

    def _add(self, room: Room) -> Window:
        read = min(room.marker, room.next - 1)
        if self._screen.is_terminal:
            window = Window(room, Lines(self._chat.user, self.wishes), read)
        else:
            window = Window(room, Lines(self._chat.user, self.wishes), room.next - 1)
            if read < room.next - 1:
                window.leave_out(read + 1, room.next - 1)
        self._all[room.name.lower()] = window
        return window

    async def follow_ours(self) -> None:
        """Follows the rooms that we belong to, each with what waits there."""
        ours = [room for room in await self._chat.rooms() if room.role > Role.BANNED]
        for info in ours[:_FOLLOWED_MAX]:
            if self.find(info.room) is None:
                with contextlib.suppress(QuicChatError):
                    window = self._add(await self._chat.join(info.room))
                    window.unread += info.unread
                    window.mentions += info.mentions
                    self._screen.refresh()

    async def bring(self, window: Window) -> None:
        """Shows what waits in a room, and then what comes."""
        async with self._moving:
            if window is self.front:
                return
            self.mark()
            self.front = None
            missed = await self._missed(window)
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

    async def _missed(self, window: Window) -> list[RoomRecord]:
        """The records between what was shown and what is kept; before a room is in front for the
        first time some that were read before, too."""
        end, first = window.end_of_missed(), window.shown + 1
        limit = PAGE_MAX if first < end else 0 if window.opened else min(self._last, PAGE_MAX)
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
        read = [] if window.opened else [r for r in page.records if r.offset < first]
        window.shown = max(window.shown, end - 1)
        return [*read[max(0, len(read) + len(missed) - self._last):], *missed]

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

    # Leaving.

    async def part(self, window: Window) -> None:
        """Stops following a room, to which we still belong; the next one comes to the front."""
        was_front = window is self.front
        await window.room.leave()
        self._all.pop(window.name.lower(), None)
        if was_front:
            self.front = None
            if self._all and self._screen.is_terminal:
                await self.bring(next(iter(self._all.values())))

    async def leave_for_good(self, window: Window, reason: str) -> Receipt:
        """Nobody else takes us out then."""
        window.leaving = True
        try:
            return await window.room.leave_for_good(reason)
        except QuicChatError:
            window.leaving = False
            raise

    def _left(self, event: RoomLeft) -> None:
        window = self._all.pop(event.room.lower(), None)
        if window is not None and window.leaving:
            event = RoomLeft(event.room, "closed", "")
        self._screen.say(self._nowhere.line(event))
        if window is not None and window is self.front:
            self.front = None
            self.on_shown()

    # What comes.

    def is_to_us(self, event: ClientEvent) -> bool:
        """Whether somebody speaks to us, and that was not read yet."""
        if isinstance(event, PrivateMessage):
            return not (self._nowhere.is_mine(event) or self._nowhere.ignores(event))
        window = self.find(event.room) if isinstance(event, Message) else None
        return (window is not None and isinstance(event, Message) and window.is_news(event)
                and window.lines.is_to_me(event))

    def take(self, event: ClientEvent) -> None:
        """Shows it, or keeps it for the room that it belongs to."""
        room = getattr(event, "room", None)
        window = self.find(room) if isinstance(room, str) else None
        if isinstance(event, RoomLeft):
            self._left(event)
        elif not isinstance(room, str) or isinstance(event, NoAnswerYet):
            line = self.lines.line(event)
            if line and not self.lines.ignores(event):
                self._screen.say(self.lines.stamp_now() + line if self._screen.is_live else line)
        elif window is not None:
            self._take_in(window, event)
        self._screen.refresh()

    def _take_in(self, window: Window, event: ClientEvent) -> None:
        match event:
            case Joined():
                window.wanted = max(window.wanted, event.head)  # what was missed meanwhile
            case MarkerMoved() if event.user.lower() == self._chat.user.lower():
                window.read_elsewhere(event.offset)
            case MemberJoined():
                window.people[event.user.lower()] = event.user
        if window is self.front:
            window.show(event, self._screen)
            self.on_shown()
            self.mark_soon()
        elif self._screen.is_terminal and isinstance(event, RoomRecord | Gap):
            window.keep(event)
            window.count(event)

    def saw(self, event: Message) -> None:
        """A message of ours in the room in front, which is on the screen already."""
        if self.front is not None:
            self.front.note(event)
            self.on_shown()
            self.mark_soon()

    # What is read.

    def mark_soon(self) -> None:
        if self._marking is None and self._may_mark():
            self._marking = asyncio.get_running_loop().call_later(_MARK_DELAY, self.mark)

    def mark(self) -> None:
        """Says that what was shown is read."""
        if self._marking is not None:
            self._marking.cancel()
            self._marking = None
        window = self.front
        if window is not None and self._may_mark() and self._chat.is_open:
            window.marked = window.readable()
            with contextlib.suppress(QuicChatError):
                window.room.mark_read(window.marked, shared=self.shares_markers)

    def _may_mark(self) -> bool:
        return self.front is not None and self.front.readable() > self.front.marked
