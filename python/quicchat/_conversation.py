"""One connection as Python sees it, without asyncio and without threads: which requests wait for
which answers, and which events wait to be read. Both clients, asyncio and blocking, stand on it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from . import _core
from ._attendance import Attendance
from ._attributes import NO_ATTRIBUTES, Attributes
from ._failures import Peer, closed_error, connect_error, core_error, request_error
from ._files import Upload
from ._transfers import Waiter
from .errors import InboxFull, QuicChatError
from .events import (
    ClientEvent,
    Disconnected,
    Gap,
    GoingAway,
    MarkerMoved,
    Member,
    MemberJoined,
    MemberLeft,
    Members,
    NoAnswerYet,
    Online,
    PrivateMessage,
    ProfileChanged,
    Receipt,
    Reconnecting,
    RoomInfo,
    SendFailed,
    StorageTrouble,
    Typing,
)
from .logs import log_lost, log_online
from .records import (
    FileInfo,
    HistoryPage,
    Message,
    SearchPage,
    file_info,
    offsets_of,
    record_of,
    records_of,
    time_of,
)
from .roles import Access, Role

#: Unread events above which nothing more is taken from the core while nobody waits for an answer.
UNREAD_PAUSE = 1024
#: Unread events above which not even answers are waited for.
UNREAD_MAX = 65_536

_core.use_record_types(Message, Receipt, Attributes, NO_ATTRIBUTES, FileInfo)

#: An act as the core takes it: kind, target, subject, value, until.
Act = tuple[int, int, str, int, int]


def _keeper(kind: type[Gap | GoingAway | NoAnswerYet | MarkerMoved | StorageTrouble | Typing]
            ) -> Callable[..., None]:
    """What takes in an event that is nothing but kept."""
    def keep(self: Conversation, _: int, *fields: Any) -> None:
        self._keep(kind(*fields))

    return keep


def _recorder(kind: str) -> Callable[..., None]:
    """What takes in a record of a room."""
    def take(self: Conversation, _: int, *fields: Any) -> None:
        self._on_record(kind, fields)

    return take


class Conversation(Attendance):
    """Requests, answers, and events of one ``_core.Client``."""

    def __init__(self, core: _core.Client, peer: Peer, *, keep_events: bool) -> None:
        self.core = core
        self.peer = peer
        self.events: deque[ClientEvent] = deque()
        self.online: Online | None = None  #: the newest; None before the first login
        self.is_online = False  #: there is a connection now
        self.end: Disconnected | None = None
        self.closing = False  #: we asked for the end
        #: What waits for so many seconds of the clock that the server goes by.
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        #: What is called a little later, so that messages go out together; None: nothing is.
        self.later: Callable[[Callable[[], None]], object] | None = None
        self._tickets = itertools.count(1)
        self._waiting: dict[int, tuple[Waiter, str]] = {}
        super().__init__(keep_events)

    # Taking in.

    def take(self) -> bool:
        """Takes a batch from the core. False if there is no reason to go on at once."""
        mail = self.core.drain(256)
        for item in mail:
            if type(item) is Message:  # as nearly all are
                self._keep_record(item)
            elif len(item) == 2:
                self._on_acked(*item)
            else:
                kind, ticket, fields = item
                # Looked up by name: a table of bound methods would be a cycle, and a client that
                # is dropped should end at once.
                getattr(self, "_on_" + kind)(ticket, *fields)
        if len(self.events) >= UNREAD_MAX:
            self._fail_all(lambda: InboxFull(f"{len(self.events)} events wait to be read"))
        return len(mail) == 256 and not self.paused

    @property
    def paused(self) -> bool:
        """True if events should stay in the core: the reader lags, and nobody waits for an answer
        that may be behind them."""
        unread = len(self.events)
        return unread >= UNREAD_MAX or (
            unread >= UNREAD_PAUSE and not self._waiting and not self.closing)

    # Requests. Each takes the waiter that gets the answer.

    def publish(self, waiter: Waiter, room: str, text: str, attributes: str, id: bytes | None,
                act: Act) -> int:
        return self._ask(waiter, room, self.core.publish, room, text, attributes, id, act)

    def tell(self, waiter: Waiter, user: str, text: str, attributes: str, id: bytes | None) -> int:
        return self._ask(waiter, user, self.core.tell, user, text, attributes, id)

    def create_room(self, waiter: Waiter, room: str, access: Access, topic: str,
                    id: bytes | None) -> int:
        return self._ask(waiter, room, self.core.create_room, room, int(access), topic, id)

    def request_rooms(self, waiter: Waiter, after: str) -> int:
        return self._ask(waiter, "", self.core.request_rooms, after)

    def request_history(self, waiter: Waiter, room: str, offset: int, before: int,
                        after: int) -> int:
        return self._ask(waiter, room, self.core.request_history, room, offset, before, after)

    def request_search(self, waiter: Waiter, room: str, words: str, before: int,
                       count: int) -> int:
        return self._ask(waiter, room, self.core.request_search, room, words, before, count)

    def request_members(self, waiter: Waiter, room: str, after: str) -> int:
        return self._ask(waiter, room, self.core.request_members, room, after)

    def set_display_name(self, waiter: Waiter, display: str) -> int:
        return self._ask(waiter, "", self.core.set_display_name, display)

    def mark_read(self, room: str, offset: int, shared: bool) -> None:
        self._tell_core(room, self.core.mark_read, room, offset, shared)

    def say_typing(self, room: str) -> None:
        self._tell_core(room, self.core.say_typing, room)

    def forget(self, ticket: int) -> None:
        """Nobody waits for that answer any more."""
        self._waiting.pop(ticket, None)
        if self._transfers and self._forget_file(ticket) and self.end is None:
            self.core.cancel_file(ticket)

    def close(self) -> None:
        """Asks for the end. What comes until then is thrown away."""
        self.closing = True
        self.keep_events = False
        if self.end is None:
            self.core.close()

    def abandon(self) -> None:
        """Ends all waiting without hearing from the server."""
        self._fail_all(self.closed_error)

    @property
    def pending(self) -> int:
        """Requests without an answer."""
        return len(self._waiting)

    def closed_error(self) -> QuicChatError:
        """Why this conversation cannot be used any more."""
        end = self.end or Disconnected("closed", False, "", 0, 0, "")
        in_use = self.is_online or self.closing or end.error == "closed"
        return closed_error(end, self.peer) if in_use else connect_error(end, self.peer)

    def _ask(self, waiter: Waiter, subject: str, send: Callable[..., bool | None],
             *args: Any) -> int:
        if self.end is not None or self.closing:
            raise self.closed_error()
        ticket = next(self._tickets)
        is_alone = not self._waiting
        self._waiting[ticket] = (waiter, subject)
        try:
            if send(ticket, *args):
                # A task that sends alone waits for nobody; of many, the others send now as well.
                if is_alone or self.later is None:
                    self.core.wake()
                else:
                    self.later(self.core.wake)
        except _core.CoreError as error:
            self._waiting.pop(ticket, None)
            raise core_error(error, subject) from None
        except BaseException:
            self._waiting.pop(ticket, None)
            raise
        return ticket

    def _tell_core(self, subject: str, send: Callable[..., None], *args: Any) -> None:
        """A request that has no answer."""
        if self.end is not None or self.closing:
            raise self.closed_error()
        try:
            send(*args)
        except _core.CoreError as error:
            raise core_error(error, subject) from None

    # News. The first parameter is the ticket.

    def _answer(self, ticket: int, result: Any) -> None:
        waiter, _ = self._waiting.pop(ticket, (None, ""))
        if waiter is not None and not waiter.done():
            waiter.set_result(result)

    def _fail(self, ticket: int, error: QuicChatError) -> None:
        waiter, _ = self._waiting.pop(ticket, (None, ""))
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def _fail_all(self, make_error: Callable[[], QuicChatError]) -> None:
        waiters = [waiter for waiter, _ in self._waiting.values()]
        self._waiting.clear()
        self._forget_all_joins()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(make_error())

    def _on_online(self, _: int, *fields: Any) -> None:
        online = Online(*fields)
        if self.online is not None:
            self._keep(online)
        self.online = online
        self.is_online = True
        log_online(online.user, online.address)
        address = online.address.rpartition(":")[0].strip("[]")
        self.peer = replace(self.peer, addresses=(address,))

    def _on_reconnecting(self, _: int, *fields: Any) -> None:
        *end, delay, attempt = fields
        lost = Disconnected(*end)
        explain = closed_error if self.is_online else connect_error
        self.is_online = False
        log_lost(lost.error, delay)
        if self.online is not None:  # or else a stored token was refused, and the password is next
            self._keep(Reconnecting(explain(lost, self.peer), delay, attempt))

    def _on_offline(self, _: int, *fields: Any) -> None:
        self.end = Disconnected(*fields)
        if self.online is not None:  # or else it is an error of `connect`
            log_lost(self.end.error, None)
        self._fail_all(self.closed_error)

    def _on_acked(self, ticket: int, receipt: Receipt) -> None:
        if self._transfers and isinstance(upload := self._transfers.get(ticket), Upload):
            self._end_if_fails(ticket, lambda: upload.sent(upload.size))
            self._forget_file(ticket)
        self._answer(ticket, receipt)

    def _on_refused(self, ticket: int, room: str, name: str, retry_after: float,
                    text: str) -> None:
        self._forget_file(ticket)
        waiter, subject = self._waiting.pop(ticket, (None, room))
        error = request_error(name, retry_after, text, subject)
        if ticket:
            self._on_room_refused(ticket, subject, error)
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        elif ticket == 0:  # a message of an earlier run of the program
            self._keep(SendFailed(room, error))

    def _on_members(self, ticket: int, room: str, rows: list[tuple[str, int, bool, str]],
                    complete: bool) -> None:
        people = tuple(Member(user, Role(role), present, display)
                       for user, role, present, display in rows)
        if ticket:
            self._answer(ticket, (people, complete))
        else:
            self._keep(Members(room, people, complete))

    def _on_rooms(self, ticket: int, rows: list[tuple[Any, ...]], complete: bool) -> None:
        rooms = [RoomInfo(room, topic, Access(access), Role(role), *rest)
                 for room, topic, access, role, *rest in rows]
        self._answer(ticket, (rooms, complete))

    def _on_history(self, ticket: int, room: str, epoch: int, rows: list[tuple[Any, ...]],
                    reaches_start: bool, reaches_head: bool) -> None:
        self._answer(ticket, HistoryPage(room, epoch, records_of(rows), reaches_start,
                                         reaches_head, *offsets_of(rows)))

    def _on_search(self, ticket: int, room: str, epoch: int, rows: list[tuple[Any, ...]],
                   next: int) -> None:
        self._answer(ticket, SearchPage(room, epoch, records_of(rows), next or None))

    _on_edited = _recorder("edited")
    _on_deleted = _recorder("deleted")
    _on_reaction = _recorder("reaction")
    _on_topic = _recorder("topic")
    _on_role = _recorder("role")
    _on_access = _recorder("access")
    _on_created = _recorder("created")
    _on_unknown = _recorder("unknown")  # of a later version of the protocol

    def _on_record(self, kind: str, fields: tuple[Any, ...]) -> None:
        record = record_of(kind, fields)
        if record is not None:
            self._keep_record(record)
            return
        room, epoch, offset = fields[:3]
        self._places[room.lower()] = (epoch, offset)

    def _on_nothing(self, _: int) -> None:
        """Something of a later version of the protocol."""

    def _on_private(self, _: int, epoch: int, offset: int, time: int, id: bytes, sender: str,
                    recipient: str, text: str, attributes: Any, reply_to: int, file: Any) -> None:
        self._keep(PrivateMessage(epoch, offset, time_of(time), id, sender, recipient, text,
                                  attributes, reply_to or None, file_info(file)))

    def _on_presence(self, _: int, room: str, user: str, present: bool, display: str) -> None:
        self._keep(MemberJoined(room, user, display) if present else MemberLeft(room, user))

    def _on_profile(self, ticket: int, user: str, display: str) -> None:
        if ticket:
            self._answer(ticket, None)
        else:
            self._keep(ProfileChanged(user, display))

    _on_gap = _keeper(Gap)
    _on_going_away = _keeper(GoingAway)
    _on_late = _keeper(NoAnswerYet)
    _on_trouble = _keeper(StorageTrouble)
    _on_marker = _keeper(MarkerMoved)
    _on_typing = _keeper(Typing)
