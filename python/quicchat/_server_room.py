"""A room as the server's program sees it."""

from __future__ import annotations

import asyncio
import io
import os
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import EllipsisType
from typing import Any

from . import _core
from ._calls import (
    PAGE_MAX,
    Placed,
    RoomActs,
    encode_attributes,
    marker_of,
    message_act,
    offset_of,
    page_range,
    search_range,
)
from ._conversation import Act
from ._disk import in_thread
from ._failures import core_error, request_error
from ._files import READ_MAX, Destination, Download, Progress, Source, saved_path
from ._program import Program
from ._retention import (
    RoomRetention,
    checked_retention,
    find_retention,
    retention_of,
    set_retention,
)
from ._server_files import Sent, fetch_file, send_file
from .events import Gap, HistoryPage, Member, Message, Receipt, SearchPage
from .records import RoomRecord, offsets_of, records_of
from .roles import Role

__all__ = ["RecordView", "ServerRoom"]

Voice = Callable[[str | None], str]
Say = Callable[[str, str | None, str, str, bytes | None, Act], Coroutine[Any, Any, Receipt]]


class ServerRoom(RoomActs[Coroutine[Any, Any, Receipt]], AsyncIterable[RoomRecord | Gap]):
    """A room of a server, in the name of one account or of the server itself: what may be done and
    seen is what that one may. Acts such as :meth:`edit` are to be awaited; ``async for record in
    room`` follows it (see :meth:`records`)."""

    def __init__(self, program: Program, say: Say, voice: Voice, name: str,
                 user: str | None) -> None:
        self.name = name
        self.user = user  #: None: the server itself
        self._program = program
        self._say = say
        self._voice = voice

    async def send(self, text: str, *, reply_to: Placed | int | None = None,
                   attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Puts a message into the room; see :meth:`quicchat.Server.send`."""
        act = message_act(0 if reply_to is None else offset_of(reply_to))
        await self._check_life(reply_to)
        return await self._say(self.name, self.user, text, encode_attributes(attributes), id, act)

    async def send_file(self, source: Source, *, name: str | None = None,
                        reply_to: Placed | int | None = None,
                        attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
                        progress: Progress | None = None) -> Receipt:
        """Puts a file into the room; see :meth:`quicchat.Server.send_file`."""
        voice = self._voice(self.user)
        await self._check_life(reply_to)
        return await send_file(self._program, self.name, voice, Sent(
            source, name, 0 if reply_to is None else offset_of(reply_to),
            encode_attributes(attributes), os.urandom(16) if id is None else id, progress))

    async def read_file(self, message: Placed | int, *, max_size: int = READ_MAX,
                        progress: Progress | None = None) -> bytes:
        """The bytes of a file in the room, compared with its SHA-256."""
        target = io.BytesIO()
        await self._fetch(message, Download(target, progress, max_size))
        return target.getvalue()

    async def save_file(self, message: Placed | int, path: str | Path | None = None, *,
                        progress: Progress | None = None) -> Path:
        """Saves a file of the room; see :meth:`quicchat.Chat.save_file`."""
        shown = message.text if isinstance(message, Message) else ""
        target = Destination(saved_path(path, self.name, offset_of(message), shown))
        download = Download(target.file, progress)
        try:
            await self._fetch(message, download)
            return await in_thread(download.steps, target.commit)
        finally:
            download.steps.finally_do(target.abandon)

    async def _fetch(self, message: Placed | int, download: Download) -> None:
        await self._check_life(message)
        await fetch_file(self._program, self.name, self.user or "", offset_of(message), download)

    async def history(self, *, before: Placed | int | None = None,
                      after: Placed | int | None = None, around: Placed | int | None = None,
                      limit: int = 50) -> HistoryPage:
        """A page of the room's log, as :meth:`quicchat.Room.history` gives it."""
        offset, below, above = page_range(before, after, around, limit)
        _, first, head = await self._page(0, 0)
        offset = min(offset, head + 1)
        first_wanted = max(offset - below, first, 1)
        count = max(offset - first_wanted, 0) + above
        page, first, head = await self._page(first_wanted - 1, count)
        start = page.first or first_wanted
        end = page.last or first_wanted - 1
        return replace(page, reaches_start=start <= first, reaches_head=end >= head)

    async def search(self, text: str, *, before: Placed | int | None = None,
                     limit: int = 50) -> SearchPage:
        """The newest messages that have all of the words, as :meth:`quicchat.Room.search`."""
        words, offset, count = search_range(text, before, limit)
        room, epoch, _, _, rows, below = await self._ask(
            self._program.core.request_search, words, offset, count)
        return SearchPage(room, epoch, records_of(rows), below or None)

    async def members(self) -> list[Member]:
        """All who belong to the room or are in it, sorted by name."""
        people: list[Member] = []
        complete = False
        while not complete:
            rows, complete = await self._ask(self._program.core.request_people,
                                             people[-1].user if people else "")
            people += [Member(user, Role(role), present, display)
                       for user, role, present, display in rows]
        return people

    async def mark_read(self, message: Placed | int | None = None, *,
                        shared: bool = False) -> None:
        """Says that this account has read the room; see :meth:`quicchat.Server.mark_read`."""
        epoch, offset = marker_of(message)
        await self._program.ask(self.name, self._program.core.mark_read, self.name,
                                self._voice(self.user), epoch, offset, shared)

    async def retention(self) -> RoomRetention:
        """How much of its history the room keeps."""
        return retention_of(*await self._program.call(
            self.name, find_retention, self._program.core, self.name))

    async def set_retention(self, *, records: int | EllipsisType | None = ...,
                            bytes: int | EllipsisType | None = ...,
                            age: timedelta | EllipsisType | None = ...) -> RoomRetention:
        """Says how much of its history the room keeps, whoever may do what in it; what is not
        named stays as it is, and None is what the limits say (of the age: nothing goes for it). It
        counts at once and outlives the server. What is beyond it goes from the old end, whoever
        wrote it and however young it is.

        Raises TypeError or ValueError for what is no amount, RequestError if there is no such room,
        and QuicChatError (``E-ADMIN-REQUEST``) for more than the limits let any room keep."""
        await self._program.call(self.name, set_retention, self._program.core, self.name,
                                 checked_retention(records, bytes, age))
        return await self.retention()

    async def remove(self) -> None:
        """Deletes the room with its records and files, whoever may do what in it."""
        await self._program.call(self.name, asyncio.to_thread, self._program.core.remove_room,
                                 self.name)

    def records(self, *, after: Placed | int | None = None) -> RecordView:
        """What is stored in the room, for one reader: from now on, or all ``after`` a record. It
        reads the log itself, a page at a time, so a slow reader costs nothing and misses nothing
        but what the room does not keep any more, which is a :class:`quicchat.Gap`. Ends when the
        room is deleted, or the server has ended. Raises RequestError if there is no such room, or
        ``user`` may not read it (any more)."""
        return RecordView(self, None if after is None else offset_of(after), _epoch_of(after))

    def __aiter__(self) -> RecordView:
        return self.records()

    def _do(self, kind: int, text: str, message: Placed | int | None = None,
            attributes: str = "{}", *, subject: str = "", value: int = 0, until: int = 0,
            id: bytes | None = None) -> Coroutine[Any, Any, Receipt]:
        target = 0 if message is None else offset_of(message)
        return self._act(message, text, attributes, id, (kind, target, subject, value, until))

    async def _act(self, message: Placed | int | None, text: str, attributes: str,
                   id: bytes | None, act: Act) -> Receipt:
        await self._check_life(message)
        return await self._say(self.name, self.user, text, attributes, id, act)

    async def _check_life(self, message: Placed | int | None) -> None:
        """A room that was deleted and made anew has another message at that offset."""
        epoch = _epoch_of(message)
        if epoch is not None and (await self._page(0, 0))[0].epoch != epoch:
            raise request_error("no_such_message", 0, "", self.name)

    async def _ask(self, request: Callable[..., None], *arguments: Any) -> Any:
        return await self._begin(request, *arguments)

    def _begin(self, request: Callable[..., None], *arguments: Any) -> asyncio.Future[Any]:
        return self._program.begin(self.name, request, self.name, self.user or "", *arguments)

    def _begin_page(self, after: int, count: int) -> asyncio.Future[Any]:
        return self._begin(self._program.core.request_page, after, count)

    async def _page(self, after: int, count: int) -> tuple[HistoryPage, int, int]:
        """Records above an offset, and the first and the newest offset of the room."""
        room, epoch, first, head, rows, _ = await self._begin_page(after, count)
        return HistoryPage(room, epoch, records_of(rows), False, False,
                           *offsets_of(rows)), first, head

    def __repr__(self) -> str:
        return f"<quicchat.ServerRoom {self.name}>"


class RecordView(AsyncIterator[RoomRecord | Gap]):
    """One reader of a room's records, at the server."""

    def __init__(self, room: ServerRoom, after: int | None, epoch: int | None) -> None:
        self._room = room
        self._after = after
        self._epoch = epoch
        self._queue: deque[RoomRecord | Gap] = deque()
        self._news = asyncio.Event()
        self._gone = False
        self._watches = False
        self._started: asyncio.Future[Any] | None = None
        self._grown = True
        if after is None:  # from now on: that is here, not where it is first read
            self._begin()

    def news(self, epoch: int, head: int, is_gone: bool) -> None:
        """Of the server: the log has grown, or the room is gone, or the server ends."""
        self._gone |= is_gone
        self._grown = True
        self._news.set()

    def __aiter__(self) -> RecordView:
        return self

    async def __anext__(self) -> RoomRecord | Gap:
        self._begin()
        while not self._queue:
            if self._gone or self._room._program.is_over:
                raise StopAsyncIteration
            if self._grown:
                await self._read()
                continue
            self._news.clear()
            await self._news.wait()
        return self._queue.popleft()

    def _begin(self) -> None:
        if self._watches:
            return
        try:
            self._room._program.watch(self._room.name, self)
        except _core.CoreError as error:
            raise core_error(error, self._room.name) from None
        if self._after is None:
            self._started = self._room._begin_page(0, 0)
            self._started.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        self._watches = True

    async def _read(self) -> None:
        self._grown = False
        try:
            await self._read_page()
        except BaseException:  # also a reader that waits no longer: what it did not get is there
            self._grown = True
            raise

    async def _read_page(self) -> None:
        if self._after is None:
            assert self._started is not None
            _, self._epoch, _, self._after, *_ = await asyncio.shield(self._started)
            assert self._after is not None
        page, first, head = await self._room._page(self._after, PAGE_MAX)
        if self._epoch is not None and page.epoch != self._epoch:
            self._queue.append(Gap(page.room, page.epoch, 1, 0, "new_epoch"))
            self._after, self._epoch, self._grown = 0, page.epoch, True
            return
        self._epoch = page.epoch
        if first > self._after + 1:
            self._queue.append(Gap(page.room, page.epoch, self._after + 1, first - 1))
            self._after = first - 1
        self._queue += page.records
        # What is of a kind that is not known here has a place as well.
        self._after = page.last or self._after
        self._grown = self._grown or (bool(page.last) and self._after < head)


def _epoch_of(message: Placed | int | None) -> int | None:
    """Which life of its room a message is of, if it says so."""
    epoch = getattr(message, "epoch", None)
    return epoch if isinstance(epoch, int) else None
