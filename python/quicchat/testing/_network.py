"""The network of a test: its server, its clients, and its clock."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from .. import _core
from .._asking import DEFAULT_TIMEOUT
from .._chat import Chat
from .._check import Check
from .._conversation import Conversation
from .._dialling import INBOX_BYTES, INBOX_EVENTS, StandIn, Target, make_target, stand_in
from .._failures import Peer, core_error
from ..client import connect_to
from ..events import ClientEvent
from ..limits import Limits
from ..reconnecting import Reconnect
from ..settings import ServerConfig
from ._server import AGENT, MemoryServer

__all__ = ["Network"]

_QUIET_ROUNDS = 25  # rounds of the event loop in which nothing touches the network: it is at rest

ResultT = TypeVar("ResultT")


class Network(StandIn):
    """A server, and whoever connects to it, in memory. Use it with ``async with``; without, it
    begins with the first call that needs it, and :meth:`drop` ends it.

    The server's settings are those of :class:`quicchat.ServerConfig` and :func:`quicchat.serve`.
    ``accounts`` are the names that may log in; None: whoever says one. ``seed`` decides what is
    random: the same seed and the same calls give the same run. ``start`` is what the clock shows at
    the beginning; None: what this computer's does.
    """

    def __init__(self, *, rooms: Iterable[str] = ("#lobby",),
                 accounts: Iterable[str] | None = None, operators: Iterable[str] = (),
                 anybody_makes_rooms: bool = True, files: bool = True,
                 speaker: str | None = None,
                 limits: Limits | None = None, check: Check | None = None,
                 check_timeout: float = DEFAULT_TIMEOUT, check_failure: str = "refuse",
                 seed: int = 1, start: datetime | None = None) -> None:
        self._start = start or datetime.now(UTC)
        self._world = _core.World(seed=seed, wall=int(self._start.timestamp() * 1000))
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._delay = (0.0, 0.0)
        self._begun = False
        self._chats: list[Chat] = []
        self.server = MemoryServer(
            self._world, self._until_stopped,
            ServerConfig("memory", 0, Path(), Path(), (), tuple(rooms), limits=limits or Limits(),
                         files=Path() if files else None, operators=tuple(operators),
                         anybody_makes_rooms=anybody_makes_rooms, speaker=speaker),
            None if accounts is None else tuple(accounts), check, check_timeout,
            check_failure)  #: what is connected to: a :class:`quicchat.Server`

    # Clients.

    async def connect(self, user: str, *, limits: Limits | None = None, events: bool = True,
                      reconnect: Reconnect | bool | None = True, pace: bool = False) -> Chat:
        """Logs in under a name, as :func:`quicchat.connect` does; close it, or leave that to the
        end of the network. With a :attr:`delay` it waits until the clock is moved: run it in a
        task then."""
        self._begin()
        target = make_target("memory", 1, user, "-", None, limits, events, reconnect, None,
                             pace=pace)
        chat = await connect_to(replace(target, stand_in=self))
        self._chats.append(chat)
        return chat

    @contextlib.contextmanager
    def stands_in(self) -> Iterator[None]:
        """Within it, :func:`quicchat.connect` and :func:`quicchat.sync.connect` connect to this
        network, whatever the host, port, password and key. That goes for tasks that are made in it
        as well. ``state`` and ``qlog`` are not used."""
        token = stand_in.set(self)
        try:
            self._begin()
            yield
        finally:
            stand_in.reset(token)

    def start(self, target: Target) -> Conversation:
        """Of the package: dials."""
        try:
            core = self._world.dial(
                user=target.user, agent=AGENT, limits=target.limits.chosen(),
                reconnect=target.reconnect.chosen() if target.reconnect else None,
                inbox_events=INBOX_EVENTS, inbox_bytes=INBOX_BYTES)
        except _core.CoreError as error:
            raise core_error(error, "cannot connect to the network in memory") from None
        peer = Peer(target.host, target.port, ("memory",), target.user, (), "",
                    target.limits.handshake_timeout or 10.0)
        conversation = Conversation(core, peer, keep_events=target.events)
        conversation.sleep = self.sleep
        return conversation

    async def received(self, chat: Chat) -> list[ClientEvent]:
        """Lets all come to rest, and takes out what has come to a chat and was not read: for tests
        of what did not come as well. The :class:`quicchat.Joined` of its own joins are among it."""
        await self.settle()
        events = chat._conversation.events
        taken = list(events)
        events.clear()
        chat._watch()
        return taken

    # Time.

    @property
    def elapsed(self) -> float:
        """Seconds by which the clock was moved since the beginning."""
        return float(self._world.elapsed)

    @property
    def now(self) -> datetime:
        """What the clock shows, as on messages."""
        return self._start + timedelta(seconds=self.elapsed)

    async def settle(self) -> None:
        """Lets tasks run until they do nothing with the network any more."""
        self._begin()
        quiet, seen = 0, self._world.turns
        while quiet < _QUIET_ROUNDS:
            await asyncio.sleep(0)
            turns = self._world.turns
            quiet = quiet + 1 if turns == seen else 0
            seen = turns

    async def advance(self, seconds: float) -> None:
        """Moves the clock. What becomes due on the way happens in its order and at its time, and
        tasks of the program see each moment before the next one."""
        if not seconds >= 0:
            raise ValueError(f"the clock goes forwards only, not by {seconds!r} seconds")
        await self.settle()
        end = self.elapsed + seconds
        while True:
            turns = self._world.turns
            next_sleeper = self._sleepers[0][0] if self._sleepers else end
            self._world.step(min(end, next_sleeper))
            woke = self._wake_sleepers()
            if woke or self._world.turns != turns:
                await self.settle()
            elif self.elapsed >= end - 1e-9:
                return

    async def sleep(self, seconds: float) -> None:
        """Waits until the clock was moved by so much."""
        due = self.elapsed + max(0.0, seconds)
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (due, next(self._numbers), future))
        self._wake_sleepers()
        await future

    # Faults.

    @property
    def delay(self) -> float | tuple[float, float]:
        """Seconds that all takes on its way, in each direction, or the shortest and the longest of
        them. 0 at the beginning. It holds for what is sent from then on."""
        return self._delay[0] if self._delay[0] == self._delay[1] else self._delay

    @delay.setter
    def delay(self, seconds: float | tuple[float, float]) -> None:
        low, high = seconds if isinstance(seconds, tuple) else (seconds, seconds)
        if not 0 <= low <= high <= 3600:
            raise ValueError(f"not a delay: {seconds!r}")
        self._world.set_delay(low, high)
        self._delay = (low, high)

    def set_dialling(self, how: str) -> None:
        """What becomes of attempts to connect from now on: ``"answered"``, ``"refused"`` (as if
        nothing listened) or ``"unanswered"`` (as if everything was lost)."""
        if how not in ("answered", "refused", "unanswered"):
            raise ValueError(f'"answered", "refused" or "unanswered", not {how!r}')
        self._world.set_dialling(how)

    def cut(self, chat: Chat, *, after: int | None = None) -> None:
        """Breaks the connection of a chat: what is on its way is lost, and the chat comes back
        when the clock is moved. ``after``: when so many bytes more have arrived, at either end."""
        if after is None:
            self._world.cut(chat._conversation.core)
        elif after >= 0:
            self._world.cut_after(chat._conversation.core, after)
        else:
            raise ValueError(f"not a number of bytes: {after}")

    def stall(self, chat: Chat) -> None:
        """Holds back what is on its way to and from a chat, until :meth:`resume`. Both ends give
        up after ``Limits.idle_timeout`` seconds."""
        self._world.stall(chat._conversation.core)

    def resume(self, chat: Chat) -> None:
        """Ends :meth:`stall`: what was held back arrives."""
        self._world.resume(chat._conversation.core)

    # Beginning and end.

    def run(self, main: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        """Runs a coroutine function in a new event loop, and ends the network: for tests that are
        no coroutines themselves. Works as a decorator of the test's inside."""
        async def bounded() -> ResultT:
            async with self:
                return await main()

        return asyncio.run(bounded())

    async def close(self) -> None:
        """Ends the chats that are still open, and the server."""
        for chat in self._chats:
            if chat.is_open:
                await chat.close()
        if self._begun:
            await self.server.close()

    def drop(self) -> None:
        """The same without an event loop: nothing is waited for."""
        for chat in self._chats:
            chat._hang_up_at_once()
        if self._begun:
            self.server.drop()

    async def __aenter__(self) -> Network:
        self._begin()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        traceback: TracebackType | None) -> None:
        await self.close()

    async def _until_stopped(self, stopped: asyncio.Event) -> None:
        """Lets the server have the time that it takes to end."""
        while not stopped.is_set():
            await self.advance(1)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.server.start_now()

    def _wake_sleepers(self) -> bool:
        woke = False
        while self._sleepers and self._sleepers[0][0] <= self.elapsed + 1e-9:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
                woke = True
        return woke
