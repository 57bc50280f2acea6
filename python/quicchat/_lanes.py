"""What happens, to be handled in the order of each room, with rooms beside each other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from ._chat import Chat
from ._room import Room
from ._views import RoomView
from .events import ClientEvent, PrivateMessage, ProfileChanged
from .logs import BOT
from .terminal import clean_line

__all__ = ["Lanes"]

# Events that wait: of one person, and of all together. Above the second, who has one waiting gets
# no more. What does not fit is left out, so that a flood holds up nobody else.
_ONE_MAX = 256
_ALL_MAX = 4096

Handle = Callable[[ClientEvent], Awaitable[None]]


class Lanes:
    """A task for each room, for each person who writes to us alone, and for the rest."""

    def __init__(self, chat: Chat, handle: Handle) -> None:
        self._chat = chat
        self._handle = handle
        self._rooms: dict[str, asyncio.Task[None]] = {}
        self._queues: dict[str, deque[ClientEvent]] = {}  # of persons, and "" for the rest
        self._at_work: dict[str, asyncio.Task[None]] = {}  # the same
        self._busy: set[asyncio.Task[None]] = set()  # whose handlers are at work
        self._waiting = 0
        self._left_out: dict[str, int] = {}  # how many of whom, since their lane was empty
        self._ending = False

    def follow(self, room: Room) -> None:
        """Handles what happens in a room, until we are out of it."""
        key = room.name.lower()
        if key not in self._rooms or self._rooms[key].done():
            self._rooms[key] = asyncio.create_task(self._follow(room.name, room.events()))

    async def read(self) -> None:
        """Handles what is no room's. Ends with the chat."""
        async for event in self._chat:
            self._put(self._lane_of(event), event)

    def _lane_of(self, event: ClientEvent) -> str:
        match event:
            case PrivateMessage(sender=sender, recipient=recipient):
                own = sender.lower() == self._chat.user.lower()
                return "@" + (recipient if own else sender).lower()
            case ProfileChanged(user=user):
                return "@" + user.lower()
        return str(getattr(event, "room", "")).lower()  # of a room that has no task of its own

    def _put(self, key: str, event: ClientEvent) -> None:
        queue = self._queues.setdefault(key, deque())
        # The state of the connection is nobody's doing: it is never left out, and not counted.
        if key and (len(queue) >= _ONE_MAX or (queue and self._waiting >= _ALL_MAX)):
            self._left_out[key] = self._left_out.get(key, 0) + 1
            return
        queue.append(event)
        self._waiting += bool(key)
        if key not in self._at_work:
            self._at_work[key] = asyncio.create_task(self._work(key))

    async def end(self, grace: float) -> None:
        """Begins nothing more, waits for what is at work, and cancels it after so many seconds."""
        self._ending = True
        tasks = [*self._rooms.values(), *self._at_work.values()]
        for task in tasks:
            if task not in self._busy:
                task.cancel()
        if self._busy and grace:
            await asyncio.wait(set(self._busy), timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, event: ClientEvent) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            await self._handle(event)
        finally:
            self._busy.discard(task)

    async def _work(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue and not self._ending:
                event = queue.popleft()
                self._waiting -= bool(key)
                await self._do(event)
        finally:
            if count := self._left_out.pop(key, 0):
                BOT.warning("%s: %d messages came faster than they were handled, and were left out",
                            clean_line(key), count)
            self._waiting -= len(queue) if key else 0
            del self._queues[key], self._at_work[key]

    async def _follow(self, name: str, view: RoomView) -> None:
        try:
            async for event in view:
                await self._do(event)
                if self._ending:
                    return
        except Exception as error:
            if self._chat.is_open:  # or else `read` raises it
                BOT.warning("%s is not followed any more: %s", name, error)
