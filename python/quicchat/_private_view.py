"""What people tell a server itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from ._calls import PAGE_MAX
from ._program import Program
from .errors import RequestError, ServerShutdown
from .events import Gap, RoomInfo
from .records import RoomRecord, offsets_of, records_of

__all__ = ["PrivateView"]

#: Of a room of two that was quiet for longest, and went.
_GONE = ("no_such_room", "no_such_message", "not_in_room")


class PrivateView(AsyncIterator[RoomRecord | Gap]):
    """One reader of what people tell the server itself. Of each room of two it knows the name
    alone: how far it was read is kept by the server, as the speaker's marker."""

    def __init__(self, program: Program, speaker: str,
                 rooms_of: Callable[[str], Awaitable[list[RoomInfo]]]) -> None:
        self._program = program
        self._speaker = speaker
        self._rooms_of = rooms_of
        self._begun = False
        self._names: dict[str, None] = {}  # where there may be more, in the order of the news
        self._queue: deque[tuple[RoomRecord | Gap, int]] = deque()  # of one room; marks
        self._place: tuple[str, int] | None = None  # that room, and which life of it
        self._given = 0  # the mark of what was given last
        self._news = asyncio.Event()
        program.hear(self)

    def told(self, room: str) -> None:
        """Of the server: somebody has told the speaker something, or the server ends ("")."""
        if room:
            self._names[room] = None
        self._news.set()

    def __aiter__(self) -> PrivateView:
        return self

    async def __anext__(self) -> RoomRecord | Gap:
        try:
            return await self._next()
        except ServerShutdown:
            raise StopAsyncIteration from None

    async def _next(self) -> RoomRecord | Gap:
        if not self._begun:
            for room in await self._rooms_of(self._speaker):
                # Not "unread": that counts what was said, not edits and deletions.
                if room.room.startswith("@") and room.head > room.marker:
                    self._names.setdefault(room.room)
            self._begun = True
        await self._mark()
        while not self._queue:
            if self._program.is_over:
                raise StopAsyncIteration
            if self._names:
                await self._read(next(iter(self._names)))
                continue
            self._news.clear()
            await self._news.wait()
        record, self._given = self._queue.popleft()
        return record

    async def _mark(self) -> None:
        """What was given has been dealt with."""
        if not self._given or self._place is None:
            return
        room, epoch = self._place
        try:
            await self._program.ask(room, self._program.core.mark_read, room, self._speaker,
                                    epoch, self._given, False)
        except RequestError as error:
            if error.name not in _GONE:
                raise
        self._given = 0

    async def _read(self, name: str) -> None:
        """A page of what the speaker has not read there."""
        del self._names[name]
        try:
            room, epoch, first, head, rows, after = await self._program.ask(
                name, self._program.core.request_page, name, "", None, PAGE_MAX)
        except BaseException as error:
            if isinstance(error, RequestError) and error.name in _GONE:
                return
            self._names[name] = None  # it is there the next time
            raise
        last = offsets_of(rows)[1]
        self._place = (room, epoch)
        if first > after + 1:
            self._queue.append((Gap(room, epoch, after + 1, first - 1), first - 1))
        others = [record for record in records_of(rows)
                  if record.sender.lower() != self._speaker.lower()]
        self._queue += [(record, record.offset) for record in others]
        if self._queue:
            self._queue[-1] = (self._queue[-1][0], max(last, self._queue[-1][1]))
        else:
            self._given = last
        if last and last < head:
            self._names[name] = None  # before the mark: that may be refused, or cancelled
        if not self._queue:
            await self._mark()
