"""What a room's events are read by: each reader has a view of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple

from .errors import RateLimited, RequestError
from .events import ClientEvent, Gap, Joined, RoomLeft
from .records import Record

if TYPE_CHECKING:
    from ._chat import Chat

__all__ = ["VIEW_MAX", "RoomView"]

#: Events that wait in a view. A reader that lags further behind reads the room's history instead.
VIEW_MAX = 1024

class _Place(NamedTuple):
    """Where a record stands, or would."""

    epoch: int = 0
    offset: int = 0


_PAGE = 100  # records of history that are asked for at once
_PAUSE = 0.2  # seconds, where history cannot be had just now


class RoomView(AsyncIterator[ClientEvent]):
    """One reader of a room's events. It gets each record once and in order, however slow it is:
    above :data:`VIEW_MAX` events that wait, it is given the records from the room's history when
    it comes to them (messages as they are then: edited or deleted), and not what is no record, such
    as who came and went meanwhile. What is no longer kept is a :class:`quicchat.Gap`. Ends when we
    are out of the room, with a :class:`quicchat.RoomLeft` behind all that came before it (a Gap
    where the server lets us read that no more), or the chat is closed; raises as the chat does."""

    def __init__(self, chat: Chat, room: str, waiting: deque[ClientEvent]) -> None:
        self._chat = chat
        self._room = room
        self._queue: deque[ClientEvent] = deque()
        self._news = asyncio.Event()
        # The newest record that was given, or where it stood that came before.
        self._place: Record | _Place | None = None
        if not any(isinstance(event, Record | Joined) for event in waiting):
            place = chat._conversation.place(room)
            self._place = None if place is None else _Place(*place)
        self._newest: Record | _Place = _Place()  # what came in
        self._behind = False  # something did not fit
        self._left: RoomLeft | None = None  # the last event, behind all others
        self._over = False
        for event in waiting:
            if self._left is not None:  # and joined again
                self._queue.clear()
                self._left = None
            self._note(event)
            if self._left is None:
                self._queue.append(event)

    @property
    def waiting(self) -> int:
        """Events that wait to be read."""
        return len(self._queue) + (self._left is not None and not self._over)

    def offer(self, event: ClientEvent) -> None:
        """Of the chat: something has happened."""
        if self._left is not None:
            return
        self._note(event)
        if len(self._queue) >= VIEW_MAX and self._left is None:
            self._behind = True
        elif not self._behind and self._left is None:
            self._queue.append(event)
            if len(self._queue) > 1:
                return  # whoever waits was told by the one before
        self._news.set()

    def _note(self, event: ClientEvent) -> None:
        if isinstance(event, Record):
            self._newest = event
        elif isinstance(event, RoomLeft):
            self._left = event

    def wake(self) -> None:
        """Of the chat: it has ended, perhaps."""
        self._news.set()

    def __aiter__(self) -> RoomView:
        return self

    async def __anext__(self) -> ClientEvent:
        while True:
            while self._queue:
                event = self._queue.popleft()
                if self._take(event):
                    return event
            if self._over:
                raise StopAsyncIteration
            if self._left is not None and not self._behind:
                self._over = True
                return self._left
            self._chat._raise_if_over()
            if self._behind:
                await self._catch_up_in_time()
                continue
            self._news.clear()
            await self._news.wait()

    def _take(self, event: ClientEvent) -> bool:
        """False for a record that was given already."""
        if isinstance(event, Record):
            place = self._place
            if place is not None and place.epoch == event.epoch and event.offset <= place.offset:
                return False
            self._place = event
        elif isinstance(event, Joined) \
                and (self._place is None or self._place.epoch != event.epoch):
            self._place = _Place(event.epoch, event.next - 1)
        return True

    async def _catch_up(self) -> None:
        """Takes a page of what did not fit. What comes while it is asked for fits again, behind it.
        """
        self._behind = False
        place = self._place or _Place()
        epoch, offset = place.epoch, place.offset
        if self._left is not None and not self._is_missing(epoch, offset):
            return
        try:
            page = await self._chat.history(self._room, after=offset, limit=_PAGE)
        except BaseException:  # also a reader that waits no longer: nothing may be passed over
            self._fall_behind([])
            raise
        if page.epoch != epoch and self._place is not None:
            self._place = _Place(page.epoch)
            self._fall_behind([Gap(self._room, page.epoch, 1, 0, "new_epoch")])
            return
        records = [record for record in page.records if not self._is_after_us(record)]
        found: list[ClientEvent] = [*records]
        if page.first > offset + 1:
            found.insert(0, Gap(self._room, page.epoch, offset + 1, page.first - 1))
        if page.reaches_head or page.last <= offset or len(records) < len(page.records):
            self._queue.extendleft(reversed(found))
            return
        if not records:  # all are of kinds that are not known here
            self._place = _Place(page.epoch, page.last)
        self._fall_behind(found)

    def _is_missing(self, epoch: int, offset: int) -> bool:
        """Records came in behind that one."""
        return self._newest.offset > (offset if self._newest.epoch == epoch else 0)

    def _is_after_us(self, record: Record) -> bool:
        """It was stored when we were out of the room."""
        return self._left is not None and (record.epoch != self._newest.epoch
                                           or record.offset > self._newest.offset)

    def _fall_behind(self, first: list[ClientEvent]) -> None:
        """These come next, and then more from the history: what waits is behind that."""
        self._queue = deque(first)
        self._behind = True

    async def _catch_up_in_time(self) -> None:
        """Waits where the answer is that it is not the time for it."""
        try:
            await self._catch_up()
        except RateLimited as error:
            await self._chat._conversation.sleep(max(_PAUSE, error.retry_after))
        except RequestError as error:
            if error.name == "not_ready":
                await self._chat._conversation.sleep(_PAUSE)  # until the connection is back
            elif self._left is not None:  # what is in it is for its members
                self._behind = False
                self._queue.append(self._missed())
            else:
                raise

    def _missed(self) -> Gap:
        offset = self._place.offset if self._place else 0
        return Gap(self._room, self._newest.epoch, offset + 1, self._newest.offset, "left")
