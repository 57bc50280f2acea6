"""The rooms that a connection is in, comes into and leaves, and who reads their events."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol
from weakref import ref

from . import _core
from ._failures import core_error
from ._transfers import Transfers, Waiter
from .errors import QuicChatError
from .events import ClientEvent, Joined, RoomLeft
from .records import RoomRecord
from .roles import Access, Role


class Reader(Protocol):
    """What is offered the events of one room."""

    def offer(self, event: ClientEvent, /) -> None: ...
    def wake(self) -> None: ...


class _Readers:
    """The readers of one room, as long as somebody has them."""

    def __init__(self) -> None:
        self._there: tuple[ref[Reader], ...] = ()  # another one at each change

    def add(self, reader: Reader) -> None:
        self._there += (ref(reader, self._remove),)

    def _remove(self, gone: ref[Reader]) -> None:
        self._there = tuple(known for known in self._there if known is not gone)

    def all(self) -> list[Reader]:
        return [reader for known in self._there if (reader := known()) is not None]

    def offer(self, event: ClientEvent) -> bool:
        """False if nobody is there."""
        is_read = False
        for known in self._there:
            if (reader := known()) is not None:
                reader.offer(event)
                is_read = True
        return is_read


def _send_later(ticket: int) -> None:
    """Of a request that waits for another one: nothing is sent yet."""


class Attendance(Transfers):
    """What a Conversation knows of rooms. The first parameter of news is the ticket."""

    events: deque[ClientEvent]

    def __init__(self, keep_events: bool) -> None:
        super().__init__()
        self.keep_events = keep_events
        self.joined: dict[str, Joined] = {}  #: the newest of each room that we are in
        self.is_read = False  #: somebody reads the events of all rooms
        self._places: dict[str, tuple[int, int]] = {}  # by room: its epoch, our newest offset
        self._newest_room = self._newest_key = ""  # of the newest record, and in lower case
        self._joining: dict[str, list[int]] = {}  # tickets of those who wait, by room
        self._leaving: dict[str, list[int]] = {}  # the same
        self._rejoining: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}  # until it is left
        self._views: dict[str, _Readers] = {}  # by room

    @abstractmethod
    def _fail(self, ticket: int, error: QuicChatError) -> None: ...

    def join(self, waiter: Waiter, room: str, last: int, after: tuple[int, int] | None) -> int:
        kind = "after" if after is not None else "last" if last else "now"
        epoch, offset = after or (0, 0)
        place = (room, kind, last, epoch, offset)
        key = room.lower()
        if key in self._leaving:
            ticket = self._ask(waiter, room, _send_later)
            self._rejoining.setdefault(key, []).append((ticket, place))
        elif key in self.joined or key in self._joining:
            ticket = self._ask(waiter, room, _send_later)
            self._join_too(ticket, key)
        else:
            ticket = self._ask(waiter, room, self.core.join, *place)
            self._joining[key] = [ticket]
        return ticket

    def _join_too(self, ticket: int, key: str) -> None:
        """Somebody else here is in that room already, or will be: all get the one answer."""
        if key in self._joining:
            self._joining[key].append(ticket)
        else:
            self._answer(ticket, self.joined[key])

    def leave(self, waiter: Waiter, room: str) -> int:
        under_way = self._leaving.get(room.lower())
        if under_way is None:
            ticket = self._ask(waiter, room, self.core.leave, room)
            self._leaving[room.lower()] = [ticket]
        else:  # all who ask get the one answer
            ticket = self._ask(waiter, room, _send_later)
            under_way.append(ticket)
        return ticket

    def place(self, room: str) -> tuple[int, int] | None:
        """The epoch of a room that we are in, and the newest offset that has come in."""
        return self._places.get(room.lower())

    # Readers of one room.

    def add_view(self, room: str, make: Callable[[deque[ClientEvent]], Any]) -> Any:
        """Another reader of a room. It is made with what waits: the room's unread events, if it is
        the first one, and nobody reads those of all rooms; then they are its."""
        key = room.lower()
        mine: deque[ClientEvent] = deque()
        readers = self._views.get(key)
        if not (readers and readers.all()) and not self.is_read:
            for event in list(self.events):
                if _room_of(event) == key:
                    mine.append(event)
            rest = [event for event in self.events if _room_of(event) != key]
            self.events.clear()
            self.events.extend(rest)
        reader = make(mine)
        if readers is None:
            readers = self._views[key] = _Readers()
        readers.add(reader)
        return reader

    def wake_views(self) -> None:
        """The conversation has ended, perhaps."""
        for readers in self._views.values():
            for reader in readers.all():
                reader.wake()

    def _keep(self, event: ClientEvent) -> None:
        if self.keep_events and not (self._views and self._offer(event, _room_of(event))):
            self.events.append(event)

    def _keep_record(self, record: RoomRecord) -> None:
        """Keeps what is in a room's log, and knows how far we are in it then."""
        room = record.room
        if room is not self._newest_room:  # the core gives the same text again
            self._newest_room, self._newest_key = room, room.lower()
        key = self._newest_key
        self._places[key] = (record.epoch, record.offset)
        if self.keep_events and not (self._views and self._offer(record, key)):
            self.events.append(record)

    def _offer(self, event: ClientEvent, room: str) -> bool:
        """True if an event is nobody's but the room's readers'."""
        readers = self._views.get(room)
        if readers is None:
            return False
        if not readers.offer(event):
            del self._views[room]
            return False
        return not self.is_read

    # News.

    def _rejoin(self, room: str) -> None:
        """Asks for a room again, for those who wanted it while it was being left."""
        for ticket, place in self._rejoining.pop(room.lower(), ()):
            if ticket not in self._waiting:
                continue  # nobody waits any more
            if (key := room.lower()) in self._joining:
                self._join_too(ticket, key)
                continue
            try:
                self.core.join(ticket, *place)
                self._joining[key] = [ticket]
            except _core.CoreError as error:
                self._fail(ticket, core_error(error, room))

    def _on_room_refused(self, ticket: int, room: str, error: QuicChatError) -> None:
        """If that was the join or the leave that others wait for as well, they hear the same."""
        key = room.lower()
        if ticket in self._joining.get(key, ())[:1]:
            for other in self._joining.pop(key)[1:]:
                self._fail(other, error)
        if ticket in self._leaving.get(key, ()):
            for other in self._leaving.pop(key):
                self._fail(other, error)
            self._rejoin(room)

    def _forget_all_joins(self) -> None:
        self._joining.clear()
        self._leaving.clear()
        self._rejoining.clear()

    def _on_joined(self, ticket: int, *fields: Any) -> None:
        room, epoch, head, next, recovered, role, access, marker, topic = fields
        joined = Joined(room, epoch, head, next, recovered, Role(role), Access(access), marker,
                        topic)
        key = room.lower()
        self._places[key] = (epoch, next - 1)
        self.joined[key] = joined
        for waiting in self._joining.pop(key, [ticket]):
            self._answer(waiting, joined)
        self._keep(joined)

    def _on_left(self, _: int, *fields: Any) -> None:
        left = RoomLeft(*fields)
        self._places.pop(left.room.lower(), None)
        self.joined.pop(left.room.lower(), None)
        for ticket in self._leaving.pop(left.room.lower(), ()):
            self._answer(ticket, None)
        self._keep(left)
        self._rejoin(left.room)


def _room_of(event: ClientEvent) -> str:
    return str(getattr(event, "room", "")).lower()
