"""The rooms that are followed at once, whatever shows them: lines one below the other, or panes."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

from ..client import Chat, Room
from ..errors import QuicChatError
from ..events import (
    ClientEvent,
    Joined,
    MarkerMoved,
    Member,
    MemberJoined,
    NoAnswerYet,
    PrivateMessage,
    Receipt,
    RoomLeft,
)
from ..records import Message
from ..roles import Role
from ._show import Lines, Wishes

if TYPE_CHECKING:
    from ._screen import Surface

_MARK_DELAY = 0.2  # seconds; what is read is said for many lines at once
_COUNTED_MAX = 99  # unread messages that are told one by one
_FOLLOWED_MAX = 64  # rooms that are followed without being asked for


def count_text(count: int) -> str:
    """How many wait, as it is shown beside a room."""
    return f"{_COUNTED_MAX}+" if count > _COUNTED_MAX else str(count)


class Followed(ABC):
    """One room: what of it is on the screen, and what of it is read."""

    def __init__(self, room: Room, lines: Lines, shown: int) -> None:
        self.room = room
        self.lines = lines
        self.people: dict[str, str] = {}  #: who was seen here, by the name in lower case
        self.shown = shown  #: the newest record that was shown, or was read before we came
        self.wanted = room.head  #: the newest that belongs on the screen before we go
        self.marked = shown  #: up to where it is said that all is read
        self.leaving = False  #: we are about to leave it for good
        self.unread = 0  #: messages of others that wait
        self.mentions = 0  #: how many of them are to us

    @property
    def name(self) -> str:
        return self.room.name

    @property
    def is_shown(self) -> bool:
        """Whether what we wait for before we go on is on the screen."""
        return self.shown >= self.wanted

    @abstractmethod
    def readable(self) -> int:
        """Up to where it may be said that all is read: not past what was never shown."""

    @abstractmethod
    def note(self, event: ClientEvent) -> None:
        """Remembers an event that is on the screen already, or need not be."""

    @abstractmethod
    def read_elsewhere(self, offset: int) -> None:
        """Another device of ours has read up to there."""

    def learn(self, people: Iterable[Member]) -> None:
        """Who belongs here, or is here."""
        for person in people:
            self.people.setdefault(person.user.lower(), person.user)

    def is_news(self, event: ClientEvent) -> bool:
        """Whether somebody else says something that is not read yet."""
        return (isinstance(event, Message) and event.offset > self.marked and not event.deleted
                and not self.lines.is_mine(event) and not self.lines.ignores(event))


W = TypeVar("W", bound=Followed)


class Following(ABC, Generic[W]):
    """All of them, and which is in front. What a program shows of them is of the classes that are
    made from this one."""

    def __init__(self, chat: Chat, screen: Surface, last: int) -> None:
        self.wishes = Wishes()
        self.shares_markers = False
        self.front: W | None = None
        self.on_shown: Callable[[], None] = lambda: None  #: called when something was shown
        self.on_front: Callable[[W], None] = lambda _: None  #: called with what is in front
        self._chat = chat
        self._screen = screen
        self._last = last  # records that are shown of a room that is entered
        self._all: dict[str, W] = {}  # by name in lower case, in the order they were joined
        self._nowhere = Lines(chat.user, self.wishes)
        self._marking: asyncio.TimerHandle | None = None

    # Which there are.

    def all(self) -> list[W]:
        return list(self._all.values())

    def find(self, name: str) -> W | None:
        return self._all.get(name.lower())

    @property
    def lines(self) -> Lines:
        """Of the room in front, or of none."""
        return self._nowhere if self.front is None else self.front.lines

    # Going there.

    async def enter(self, name: str) -> Room:
        """To the front with a room; joins it, if it is not followed yet."""
        window = self.find(name) or self._add(await self._chat.join(name))
        await self.bring(window)
        return window.room

    def _add(self, room: Room) -> W:
        window = self._all[room.name.lower()] = self._window(room)
        return window

    @abstractmethod
    def _window(self, room: Room) -> W:
        """For a room that was joined."""

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

    @abstractmethod
    async def bring(self, window: W) -> None:
        """To the front with a room: shows what waits there, and then what comes."""

    @abstractmethod
    async def show_left_out(self) -> bool:
        """What was unread in the room in front and not shown yet; False if there is nothing."""

    @abstractmethod
    def skip_left_out(self) -> None:
        """What was unread in the room in front and not shown yet need not be read."""

    # Leaving.

    async def part(self, window: W) -> None:
        """Stops following a room, to which we still belong; the next one comes to the front."""
        was_front = window is self.front
        await window.room.leave()
        self._all.pop(window.name.lower(), None)
        if was_front:
            self.front = None
            if self._all and self._screen.is_terminal:
                await self.bring(next(iter(self._all.values())))

    async def leave_for_good(self, window: W, reason: str) -> Receipt:
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
        was_front = window is not None and window is self.front
        if was_front:
            self.front = None
        self._screen.say(self._nowhere.line(event))
        if was_front:
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
            self._take_of_none(event)
        elif window is not None:
            self._take_in(window, event)
        self._screen.refresh()

    def _take_of_none(self, event: ClientEvent) -> None:
        """What is of no room."""
        line = self.lines.line(event)
        if line and not self.lines.ignores(event):
            self._screen.say(self.lines.stamp_now() + line if self._screen.is_live else line)

    def _take_in(self, window: W, event: ClientEvent) -> None:
        match event:
            case Joined():
                window.wanted = max(window.wanted, event.head)  # what was missed meanwhile
            case MarkerMoved() if event.user.lower() == self._chat.user.lower():
                window.read_elsewhere(event.offset)
            case MemberJoined():
                window.people[event.user.lower()] = event.user
        self._receive(window, event)

    @abstractmethod
    def _receive(self, window: W, event: ClientEvent) -> None:
        """What came for a room that is followed."""

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
