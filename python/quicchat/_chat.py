"""A connection as asyncio programs see it; :mod:`quicchat.client` has the words about it."""

from __future__ import annotations

import asyncio
import io
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from weakref import WeakValueDictionary

from ._calls import (
    ChatCalls,
    Placed,
    encode_attributes,
    message_act,
    page_range,
    search_range,
)
from ._conversation import UNREAD_PAUSE, Act, Conversation
from ._disk import InThread, in_thread
from ._failures import request_error
from ._files import (
    READ_MAX,
    Destination,
    Download,
    Progress,
    Source,
    Upload,
    saved_path,
)
from ._loops import running_loop
from ._pacing import Pace, insist
from ._reading import LoopReader
from ._room import Pending, Room
from ._texts import encode_text
from ._views import RoomView
from .errors import ForkError, WrongLoopError
from .events import (
    ClientEvent,
    HistoryPage,
    Joined,
    Member,
    Message,
    Receipt,
    RoomInfo,
    SearchPage,
)
from .roles import Access

__all__ = ["Chat"]

_CLOSE_PATIENCE = 1.0  # seconds to wait for the engine to have said good-bye


class Chat(ChatCalls[Pending], AsyncIterator[ClientEvent]):
    """A connection that is logged in, and comes back when it is lost. Belongs to one event loop.

    Iterating gives the events, also over reconnections; it ends after :meth:`close` and raises when
    the connection ended for good. If nobody reads events, the server slows down for us after a
    thousand. Close it, or use it with ``async with``: one that is dropped says so by a
    ResourceWarning, and ends its connection.
    """

    _closed = True  # until it is made

    def __init__(self, conversation: Conversation, loop: asyncio.AbstractEventLoop, *,
                 pace: bool = False) -> None:
        assert conversation.online is not None
        self._conversation = conversation
        conversation.disk = InThread(loop)
        conversation.later = loop.call_soon
        self._loop = loop
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._reader = LoopReader(loop, conversation.core, self._on_readable)
        self._rooms: WeakValueDictionary[str, Room] = WeakValueDictionary()
        self._pace = Pace() if pace else None
        self._rooms_apart = False  # what readers of rooms get does not come to who iterates us
        self._closed = False
        self._watch()

    # Rooms and messages.

    async def join(self, room: str, *, last: int = 0,
                   after: tuple[int, int] | None = None) -> Room:
        """Joins a room: from now on, with the ``last`` so many records, or with everything
        ``after`` an (epoch, offset) that was seen before. ``"@bob"`` is the room that we share
        with bob, who may be away. A room that we are in already is given as it is: the same
        :class:`Room`, wherever in it we are."""
        encode_text(room, "the room's name")
        return self._room_of(await self._ask(self._conversation.join, room, last, after))

    def room(self, name: str) -> Room:
        """A room that was joined, from whichever part of the program. Raises RequestError
        (``not_in_room``)."""
        joined = self._conversation.joined.get(name.lower())
        if joined is None:
            raise request_error("not_in_room", 0, "", name)
        return self._room_of(joined)

    async def leave(self, room: str) -> None:
        """Leaves a room; what was under way to us is dropped."""
        await self._ask(self._conversation.leave, room)

    async def send(self, room: str, text: str, *, reply_to: Placed | int | None = None,
                   attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Puts a message into a room that was joined, and waits until the server has stored it.

        If the wait is cancelled the message may still arrive: send it again under the same ``id``
        to be sure."""
        encode_text(text, "the message")
        act = message_act(0 if reply_to is None else self._place(room, reply_to))
        if self._pace is not None:
            return await self._publish(room, text, encode_attributes(attributes), id, act)
        # As `_ask_once` does: each call costs something at every message.
        future: asyncio.Future[Receipt] = self._future()
        ticket = self._conversation.publish(future, room, text, encode_attributes(attributes), id,
                                            act)
        try:
            return await future
        except BaseException:
            self._conversation.forget(ticket)
            raise

    async def tell(self, user: str, text: str, *, attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Sends a message to one person, who gets it at the next login if they are away."""
        encode_text(user, "the user's name")
        encode_text(text, "the message")
        receipt: Receipt = await self._ask(self._conversation.tell, user, text,
                                           encode_attributes(attributes), id)
        return receipt

    async def send_file(self, room: str, source: Source, *, name: str | None = None,
                        reply_to: Placed | int | None = None,
                        attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
                        progress: Progress | None = None) -> Receipt:
        """Sends a file into a room, or to ``"@bob"``, and waits until the server has stored it:
        over reconnections as well, where it goes on with what is missing. ``source`` is a path,
        bytes, or a binary file that can be read from any place; ``progress`` is called with the
        bytes that are sent, and all. What was sent stays with the server for some hours: the
        same file under the same ``id`` from the same ``state`` goes on there."""
        encode_text(room, "the room's name")
        upload = await asyncio.to_thread(Upload, source, name, progress)
        try:
            offer = await in_thread(upload.steps, upload.describe)
            encode_text(offer.name, "the file's name")
            receipt: Receipt = await self._transfer(
                self._conversation.send_file, room, upload, offer, encode_attributes(attributes),
                0 if reply_to is None else self._place(room, reply_to), id)
            return receipt
        finally:
            upload.close()

    async def read_file(self, room: str, message: Placed | int, *, max_size: int = READ_MAX,
                        progress: Progress | None = None) -> bytes:
        """The bytes of a file that somebody sent, compared with its SHA-256."""
        target = io.BytesIO()
        await self._fetch(room, message, Download(target, progress, max_size))
        return target.getvalue()

    async def save_file(self, room: str, message: Placed | int, path: str | Path | None = None, *,
                        progress: Progress | None = None) -> Path:
        """Saves a file that somebody sent, and gives its path. It is there when it is complete and
        compared with its SHA-256, and never replaces another one. Without a ``path`` it gets a
        name of the room and its number in the current folder; a folder as ``path`` is for that
        name as well. What its sender calls it is never the name of a file here."""
        shown = message.text if isinstance(message, Message) else ""
        target = Destination(saved_path(path, room, self._place(room, message), shown))
        download = Download(target.file, progress)
        try:
            await self._fetch(room, message, download)
            return await in_thread(download.steps, target.commit)
        finally:
            download.steps.finally_do(target.abandon)

    async def _fetch(self, room: str, message: Placed | int, download: Download) -> None:
        encode_text(room, "the room's name")
        await self._transfer(self._conversation.fetch_file, room, self._place(room, message),
                             download)

    async def set_display_name(self, text: str) -> None:
        """Says what we want to be called beside our user name: up to 64 bytes in one line, kept
        with the account. An empty text takes it back. The people in our rooms are told; our other
        devices, too (:class:`quicchat.ProfileChanged`)."""
        await self._ask(self._conversation.set_display_name, encode_text(text, "the name"))

    async def rooms(self) -> list[RoomInfo]:
        """The rooms that we may see, sorted by name, with how much in them is unread."""
        rooms: list[RoomInfo] = []
        complete = False
        while not complete:
            more, complete = await self._ask(self._conversation.request_rooms,
                                             rooms[-1].room if rooms else "")
            rooms += more
        return rooms

    async def history(self, room: str, *, before: Placed | int | None = None,
                      after: Placed | int | None = None, around: Placed | int | None = None,
                      limit: int = 50) -> HistoryPage:
        """A page of the log of a room, joined or not; see :meth:`Room.history`."""
        encode_text(room, "the room's name")
        page: HistoryPage = await self._ask(self._conversation.request_history, room,
                                            *page_range(before, after, around, limit))
        return page

    async def search(self, room: str, text: str, *, before: Placed | int | None = None,
                     limit: int = 50) -> SearchPage:
        """Searches in a room, joined or not; see :meth:`Room.search`."""
        encode_text(room, "the room's name")
        page: SearchPage = await self._ask(self._conversation.request_search, room,
                                           *search_range(text, before, limit))
        return page

    async def members(self, room: str) -> list[Member]:
        """All who belong to a room that was joined, or are in it, sorted by name. Raises
        :class:`quicchat.RequestError` while there is no connection: nobody can say then."""
        people: list[Member] = []
        complete = False
        while not complete:
            more, complete = await self._ask(self._conversation.request_members, room,
                                             people[-1].user if people else "")
            people += more
        return people

    # Events.

    def __aiter__(self) -> Chat:
        return self

    async def __anext__(self) -> ClientEvent:
        self._check_loop()
        if not self._rooms_apart:
            self._conversation.is_read = True
        while True:
            events = self._conversation.events
            if events:
                event = events.popleft()
                if len(events) < UNREAD_PAUSE // 2:
                    self._watch()
                return event
            self._raise_if_over()
            self._news.clear()
            await self._news.wait()

    # The end.

    async def close(self) -> None:
        """Ends the connection. Does not wait for answers; await those you need first."""
        self._check_loop()
        if self._closed:
            return
        self._closed = True
        self._conversation.close()
        self._wake()
        self._watch()
        try:
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await self._ended.wait()
        except TimeoutError:
            pass
        finally:
            self._release()

    async def __aenter__(self) -> Chat:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        traceback: TracebackType | None) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._hang_up()  # cancelled, or Ctrl-C: nobody wants to wait now
        else:
            await self.close()

    def _hang_up(self) -> None:
        if not self._closed:
            self._closed = True
            self._conversation.close()
            self._wake()
            self._release()

    def _wake(self) -> None:
        self._news.set()
        self._conversation.wake_views()

    def _hang_up_at_once(self) -> None:
        """The same when the event loop may be gone already."""
        if not self._closed and self._conversation.end is None:
            self._conversation.close()
        self._closed = True

    # Inside.

    def _check_loop(self) -> None:
        if running_loop() is not self._loop:
            raise WrongLoopError("this chat belongs to another event loop")

    def _future(self) -> asyncio.Future[Any]:
        self._check_loop()
        if not self._closed and not self._reader.active:
            self._watch()
        return self._loop.create_future()

    # Not a coroutine function itself, as each costs something at every message.
    def _ask(self, request: Callable[..., int], *arguments: Any) -> Coroutine[Any, Any, Any]:
        if self._pace is None:
            return self._ask_once(request, *arguments)
        about = request.__name__, str(arguments[0]).lower() if arguments else ""  # often a room
        return self._pace.ask(lambda: self._ask_once(request, *arguments),
                              self._conversation.sleep, about)

    def _transfer(self, request: Callable[..., int], *arguments: Any) -> Coroutine[Any, Any, Any]:
        """The same for a file: the next one does not wait until all of it is there."""
        if self._pace is None:
            return self._ask_once(request, *arguments)
        return insist(lambda: self._ask_once(request, *arguments), self._conversation.sleep)

    async def _ask_once(self, request: Callable[..., int], *arguments: Any) -> Any:
        future = self._future()
        ticket = request(future, *arguments)
        try:
            return await future
        finally:
            self._conversation.forget(ticket)

    def _publish(self, room: str, text: str, attributes: str, id: bytes | None,
                 act: Act) -> Pending:
        return self._ask(self._conversation.publish, room, text, attributes, id, act)

    def _create(self, room: str, access: Access, topic: str, id: bytes | None) -> Pending:
        return self._ask(self._conversation.create_room, room, access, topic, id)

    def _room_of(self, joined: Joined) -> Room:
        key = joined.room.lower()
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = Room(self, joined)
        else:
            room._take(joined)
        return room

    def _view(self, room: str) -> RoomView:
        self._check_loop()
        if not self._conversation.keep_events and self.is_open:
            raise ValueError("this chat gets no events: it was connected with events=False")
        view: RoomView = self._conversation.add_view(
            room, lambda waiting: RoomView(self, room, waiting))
        if not self._closed:
            self._watch()  # there may be space again
        return view

    def _raise_if_over(self) -> None:
        """StopAsyncIteration after `close`; why it ended, if it ended by itself."""
        if self._conversation.closing or self._closed:
            raise StopAsyncIteration
        if self._conversation.end is not None:
            raise self._conversation.closed_error()

    def _watch(self) -> None:
        """Has the loop call us when there is news."""
        if self._conversation.end is None:
            self._reader.start()

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        """A chat that nobody has any more, and nobody closed: as of files, that is said."""
        if self._closed or self._conversation.end is not None:
            return
        try:
            self._conversation.close()
        except ForkError:
            return  # it is the parent's
        self._reader.drop()
        _warn(f"unclosed {self!r}", ResourceWarning, source=self)

    def _release(self) -> None:
        self._reader.stop()
        self._conversation.abandon()

    def _on_readable(self) -> None:
        # One batch: the descriptor stays readable if there is more, and others get their turn.
        self._conversation.take()
        if self._conversation.events or self._conversation.end is not None:
            self._news.set()
        if self._conversation.end is not None:
            self._ended.set()
            self._conversation.wake_views()
            self._release()
        elif self._conversation.paused:
            self._reader.stop()

    def __repr__(self) -> str:
        return f"<quicchat.Chat {self.user} at {self.address}>"
