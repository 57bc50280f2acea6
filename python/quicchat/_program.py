"""What a server's own program says and asks: which requests wait for which answers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from . import _core
from ._failures import core_error, request_error
from .errors import QuicChatError, ServerShutdown
from .events import Receipt
from .records import time_of


class Watcher(Protocol):
    """Who wants to know that a room's log has grown."""

    def news(self, epoch: int, head: int, is_gone: bool, /) -> None: ...


class PeopleHearer(Protocol):
    """Who wants to know who comes on line and who goes."""

    def came_or_went(self, person: Any, /) -> None: ...


class Hearer(Protocol):
    """Who wants to know that the speaker was told something."""

    def told(self, room: str, /) -> None: ...


ResultT = TypeVar("ResultT")

#: Files that are sent at once, and as many that are fetched. The core takes twice as many.
_FILES_AT_ONCE = 8


class Program:
    """Of one server that runs. Belongs to its event loop."""

    def __init__(self, core: _core.Server, loop: asyncio.AbstractEventLoop) -> None:
        self.core = core
        self._loop = loop
        self._tickets = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[Any], str]] = {}
        self._watchers: dict[str, WeakSet[Any]] = {}  # by room
        self._hearers: WeakSet[Any] = WeakSet()  # of what the speaker is told
        self._people_hearers: WeakSet[Any] = WeakSet()  # of who comes on line and goes
        self._over = False
        # Each of them holds a file open, and some bytes of it here and on the engine thread.
        self.sending = asyncio.Semaphore(_FILES_AT_ONCE)
        self.fetching = asyncio.Semaphore(_FILES_AT_ONCE)

    async def call(self, subject: str, function: Callable[..., Awaitable[ResultT]],
                   *arguments: Any) -> ResultT:
        """What ``function`` gives, which asks the core without :meth:`begin`."""
        if self._over:
            raise _ended()
        try:
            return await function(*arguments)
        except _core.CoreError as error:
            if error.args[2] == "not_ready":  # it ends just now
                raise _ended() from None
            raise request_error(error.args[2], 0, "", subject) from None

    async def ask(self, subject: str, request: Callable[..., None], *arguments: Any) -> Any:
        """The fields of the answer. ``subject`` is what an error is about."""
        return await self.begin(subject, request, *arguments)

    def begin(self, subject: str, request: Callable[..., None],
              *arguments: Any) -> asyncio.Future[Any]:
        """The same, asked already."""
        return self.begin_numbered(subject, request, *arguments)[1]

    def begin_numbered(self, subject: str, request: Callable[..., None],
                       *arguments: Any) -> tuple[int, asyncio.Future[Any]]:
        """The same with its number."""
        if self._over:
            raise _ended()
        ticket = next(self._tickets)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[ticket] = (future, subject)
        future.add_done_callback(lambda _: self._waiting.pop(ticket, None))
        try:
            request(ticket, *arguments)
        except _core.CoreError as error:
            future.cancel()
            raise core_error(error, subject) from None
        except BaseException:
            future.cancel()
            raise
        return ticket, future

    def watch(self, room: str, watcher: Watcher) -> None:
        """Tells it of news of a room, as long as it is there."""
        if self._over:
            raise _ended()
        watchers = self._watchers.setdefault(room.lower(), WeakSet())
        watchers.add(watcher)
        self.core.watch(room, True)

    def hear(self, hearer: Hearer) -> None:
        """Tells it who has told the speaker something, as long as it is there."""
        if self._over:
            raise _ended()
        self._hearers.add(hearer)
        self.core.listen(True)

    def hear_people(self, hearer: PeopleHearer) -> None:
        """Tells it who comes on line and who goes, as long as it is there."""
        if self._over:
            raise _ended()
        self._people_hearers.add(hearer)
        self.core.watch_people(True)

    def take_person(self, person: Any) -> None:
        if not self._people_hearers:
            with contextlib.suppress(_core.CoreError):
                self.core.watch_people(False)
        for hearer in self._people_hearers:
            hearer.came_or_went(person)

    def take_told(self, room: str) -> None:
        if not self._hearers:
            with contextlib.suppress(_core.CoreError):
                self.core.listen(False)
        for hearer in self._hearers:
            hearer.told(room)

    def take_answer(self, ticket: int, kind: str, *fields: Any) -> None:
        future, subject = self._waiting.pop(ticket, (None, ""))
        if future is None or future.done():
            return
        if kind == "refused":
            future.set_exception(request_error(fields[0], 0, "", subject))
        else:
            future.set_result(fields)

    def take_news(self, room: str, epoch: int, _first: int, head: int, is_gone: bool) -> None:
        watchers = self._watchers.get(room.lower())
        if not watchers or is_gone:
            self._watchers.pop(room.lower(), None)
        if not watchers:
            if not is_gone:
                with contextlib.suppress(_core.CoreError):  # too busy: the next news try again
                    self.core.watch(room, False)
            return
        for watcher in watchers:
            watcher.news(epoch, head, is_gone)

    def end(self) -> None:
        """The server has ended: who waits is told."""
        self._over = True
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(_ended())
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.news(0, 0, False)
        for hearer in self._hearers:
            hearer.told("")
        for hearer in self._people_hearers:
            hearer.came_or_went(None)

    @property
    def is_over(self) -> bool:
        return self._over


def _ended() -> QuicChatError:
    return ServerShutdown("the server has ended")


def receipt_of(id: bytes, fields: tuple[int, int, str, int]) -> Receipt:
    """What is stored under that id, by the answer that says so."""
    epoch, offset, durability, time = fields
    return Receipt(epoch, offset, id, durability, time_of(time))
