"""A room that is followed in the terminal: what of it was shown, and what waits to be."""

from __future__ import annotations

from collections import deque
from datetime import date, datetime

from ..client import Room
from ..events import ClientEvent, Gap
from ..records import Message, RoomRecord
from ._followed import Followed
from ._screen import Surface
from ._show import Lines, day_of, day_text, now

KEPT_MAX = 500  # events that wait to be shown; what is older is fetched when somebody looks
_CONTEXT_MAX = 10  # lines that were seen, shown again above what is new


class Window(Followed):
    """One room. What comes is shown while it is in front, and kept until then otherwise."""

    def __init__(self, room: Room, lines: Lines, shown: int) -> None:
        super().__init__(room, lines, shown)
        self.hole: tuple[int, int] | None = None  #: unread records that were never shown
        self.opened = False  #: it was in front once
        self.kept: deque[RoomRecord | Gap] = deque()
        self._context: deque[str] = deque(maxlen=_CONTEXT_MAX)
        self._day: date | None = None

    # What waits.

    def keep(self, event: RoomRecord | Gap) -> None:
        """For later, when somebody looks."""
        self.kept.append(event)
        if len(self.kept) > KEPT_MAX:
            self.kept.popleft()

    def end_of_missed(self) -> int:
        """The offset before which something may be neither shown nor kept."""
        kept = (e.offset for e in self.kept if not isinstance(e, Gap))
        return next(kept, max(self.shown + 1, self.room.next))

    def count(self, event: RoomRecord | Gap) -> None:
        """Counts what waits."""
        if self.is_news(event):
            assert isinstance(event, Message)
            self.unread += 1
            self.mentions += self.lines.is_to_me(event)

    def leave_out(self, first: int, last: int) -> None:
        """These were not shown; nobody says that they are read."""
        self.hole = (self.hole[0] if self.hole else first, last)

    def filled(self, last: int) -> None:
        """What was left out is shown now, up to that one."""
        if self.hole is not None:
            self.hole = (last + 1, self.hole[1]) if last < self.hole[1] else None

    def read_elsewhere(self, offset: int) -> None:
        """Another device of ours has read up to there."""
        if offset <= self.marked:
            return
        self.marked = offset
        self.filled(offset)
        self.unread = self.mentions = 0
        for event in self.kept:
            self.count(event)

    def readable(self) -> int:
        """Up to where it may be said that all is read: not past what was never shown."""
        return self.shown if self.hole is None else self.hole[0] - 1

    # What is shown.

    def show(self, event: ClientEvent, screen: Surface) -> None:
        """Shows it, and remembers that."""
        line = "" if self.lines.ignores(event) else self.lines.line(event)
        if line:
            if screen.is_live:
                when = event.time if isinstance(event, RoomRecord) else now()
                self.begin_day(when, screen)
                line = self.lines.stamp(when) + line
            self._context.append(line)
            screen.say(line)
        self.note(event)

    def note(self, event: ClientEvent) -> None:
        """Remembers that it was shown, or need not be."""
        match event:
            case Message():
                self.lines.remember(event)
                self.people[event.sender.lower()] = event.sender
                self.shown = max(self.shown, event.offset)
            case Gap(cause="new_epoch"):
                self.lines.forget()
                self.shown = self.wanted = self.marked = event.last  # offsets begin anew
                self.hole = None
            case Gap():
                self.shown = max(self.shown, event.last)
            case _ if isinstance(event, RoomRecord):
                self.lines.note(event)
                self.shown = max(self.shown, event.offset)

    def begin_day(self, when: datetime, screen: Surface) -> None:
        """Says which day it is, where that is another one than before."""
        day = day_of(when)
        before, self._day = self._day, day
        if day is not None and day != before and (before or day != date.today()):
            screen.divide(day_text(day))

    def show_context(self, screen: Surface) -> None:
        """The newest lines that were seen here."""
        for line in self._context:
            screen.say(line)
