"""The asyncio client: connect, join rooms, send, and read events.

::

    async with quicchat.connect("127.0.0.1", 12345, user="ada", password="...") as chat:
        room = await chat.join("#lobby")
        receipt = await room.send("hello")
        async for event in chat:
            ...

A connection that is lost comes back by itself. Meanwhile ``async for`` gives a
:class:`quicchat.Reconnecting` for each attempt, then :class:`quicchat.Online`; each room gives
:class:`quicchat.Joined` again and goes on with the first message that was missed, or with a
:class:`quicchat.Gap`. Rooms may be joined and messages sent while there is no connection; whoever
awaits that waits for the next one. A message is stored once, however often it had to be sent.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Generator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ._conversation import UNREAD_PAUSE, Conversation, encode_text
from ._dialling import ALPN, Await, Resolve, Target, dial, make_target, resolve_error
from .errors import WrongLoopError
from .events import ClientEvent, Joined, Members, Online, Receipt
from .limits import Limits
from .reconnecting import Reconnect
from .trust import TLS

__all__ = ["Chat", "Room", "connect"]

_CLOSE_PATIENCE = 1.0  # seconds to wait for the engine to have said good-bye


def encode_attributes(attributes: Mapping[str, Any] | None) -> str:
    """The JSON text that travels beside a message."""
    return "{}" if not attributes else json.dumps(attributes, ensure_ascii=False)


class Room:
    """A room that was joined."""

    def __init__(self, chat: Chat, joined: Joined) -> None:
        self._chat = chat
        self.name = joined.room
        self.epoch = joined.epoch  #: the life of the room's log that we are in
        self.head = joined.head  #: the offset of the newest message when we joined
        self.next = joined.next  #: the first offset that we get
        self.recovered = joined.recovered  #: nothing after the position we asked for is missing

    async def send(self, text: str, *, attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Puts a message into the room and waits until the server has stored it: over reconnections
        as well, so put ``asyncio.timeout`` around it if you cannot wait. Sending the same again
        under the same 16-byte ``id`` is safe: it is stored once."""
        return await self._chat.send(self.name, text, attributes=attributes, id=id)

    async def members(self) -> list[str]:
        """The names of all who are here, sorted."""
        return await self._chat.members(self.name)

    async def leave(self) -> None:
        """Leaves the room."""
        await self._chat.leave(self.name)

    def __repr__(self) -> str:
        return f"<quicchat.Room {self.name}>"


class Chat(AsyncIterator[ClientEvent]):
    """A connection that is logged in, and comes back when it is lost. Belongs to one event loop.

    Iterating gives the events, also over reconnections; it ends after :meth:`close` and raises when
    the connection ended for good. If nobody reads events, the server slows down for us after a
    thousand.
    """

    def __init__(self, conversation: Conversation, loop: asyncio.AbstractEventLoop) -> None:
        assert conversation.online is not None
        self._conversation = conversation
        self._loop = loop
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._reading = False
        self._closed = False
        self._watch()

    @property
    def user(self) -> str:
        """Our name, as the server spells it."""
        return self._online.user

    @property
    def address(self) -> str:
        """The server's address."""
        return self._online.address

    @property
    def fingerprint(self) -> str:
        """Of the server's key."""
        return self._online.fingerprint

    @property
    def message_bytes_max(self) -> int:
        """The longest text that the server takes, in bytes of UTF-8."""
        return self._online.message_bytes_max

    @property
    def _online(self) -> Online:
        assert self._conversation.online is not None
        return self._conversation.online

    # Rooms and messages.

    async def join(self, room: str, *, last: int = 0,
                   after: tuple[int, int] | None = None) -> Room:
        """Joins a room: from now on, with the ``last`` so many messages, or with everything
        ``after`` an (epoch, offset) that was seen before."""
        encode_text(room, "the room's name")
        future = self._future()
        ticket = self._conversation.join(future, room, last, after)
        joined: Joined = await self._answer(future, ticket)
        return Room(self, joined)

    async def leave(self, room: str) -> None:
        """Leaves a room; what was under way to us is dropped."""
        future = self._future()
        ticket = self._conversation.leave(future, room)
        await self._answer(future, ticket)

    async def send(self, room: str, text: str, *, attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Puts a message into a room that was joined, and waits until the server has stored it.

        If the wait is cancelled the message may still arrive: send it again under the same ``id``
        to be sure."""
        encode_text(text, "the message")
        future = self._future()
        ticket = self._conversation.publish(future, room, text, encode_attributes(attributes), id)
        receipt: Receipt = await self._answer(future, ticket)
        return receipt

    async def tell(self, user: str, text: str, *, attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Sends a message to one person."""
        encode_text(user, "the user's name")
        encode_text(text, "the message")
        future = self._future()
        ticket = self._conversation.tell(future, user, text, encode_attributes(attributes), id)
        receipt: Receipt = await self._answer(future, ticket)
        return receipt

    async def members(self, room: str) -> list[str]:
        """The names of all who are in a room, sorted. Raises :class:`quicchat.RequestError` while
        there is no connection: nobody can say then."""
        names: list[str] = []
        while True:
            future = self._future()
            ticket = self._conversation.request_members(future, room, names[-1] if names else "")
            page: Members = await self._answer(future, ticket)
            names += page.users
            if page.complete or not page.users:
                return names

    # Events.

    def __aiter__(self) -> Chat:
        return self

    async def __anext__(self) -> ClientEvent:
        self._check_loop()
        while True:
            events = self._conversation.events
            if events:
                event = events.popleft()
                if not self._reading and len(events) < UNREAD_PAUSE // 2:
                    self._watch()
                return event
            if self._conversation.closing or self._closed:
                raise StopAsyncIteration
            if self._conversation.end is not None:
                raise self._conversation.closed_error()
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
        self._news.set()
        self._watch()
        try:
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await self._ended.wait()
        except TimeoutError:
            pass
        finally:
            self._release()

    @property
    def is_open(self) -> bool:
        """False once the connection has ended for good or is being closed."""
        return not self._closed and self._conversation.end is None

    @property
    def is_online(self) -> bool:
        """False while there is no connection; it may come back if :attr:`is_open`."""
        return self.is_open and self._conversation.is_online

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
            self._news.set()
            self._release()

    # Inside.

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoopError("this chat belongs to another event loop")

    def _future(self) -> asyncio.Future[Any]:
        self._check_loop()
        if not self._reading and self._conversation.end is None and not self._closed:
            self._watch()
        return self._loop.create_future()

    async def _answer(self, future: asyncio.Future[Any], ticket: int) -> Any:
        try:
            return await future
        finally:
            self._conversation.forget(ticket)

    def _watch(self) -> None:
        """Has the loop call us when there is news."""
        if not self._reading and self._conversation.end is None:
            self._loop.add_reader(self._conversation.core.fileno(), self._on_readable)
            self._reading = True

    def _release(self) -> None:
        if self._reading:
            self._loop.remove_reader(self._conversation.core.fileno())
            self._reading = False
        self._conversation.abandon()

    def _on_readable(self) -> None:
        # One batch: the descriptor stays readable if there is more, and others get their turn.
        self._conversation.take()
        if self._conversation.events or self._conversation.end is not None:
            self._news.set()
        if self._conversation.end is not None:
            self._ended.set()
            self._release()
        elif self._conversation.paused:
            self._loop.remove_reader(self._conversation.core.fileno())
            self._reading = False

    def __repr__(self) -> str:
        return f"<quicchat.Chat {self.user} at {self.address}>"


class connect:  # noqa: N801 - reads as a function, like open
    """Connects and logs in. Use it with ``async with``, or ``await`` it and call
    :meth:`Chat.close` yourself.

    ``tls`` says how the server is recognised (see :class:`quicchat.TLS`), ``limits`` how long to
    wait (see :class:`quicchat.Limits`), ``reconnect`` how to come back after a loss (see
    :class:`quicchat.Reconnect`; ``None``: not at all). With ``events=False`` events are thrown
    away, for programs that only send.

    ``state`` is a file, as secret as the password, for what should outlive the program: messages
    that have no answer yet are kept in it until they have one, and the next program that connects
    with it sends them, as the same device, once it has joined their rooms. A token in it logs in
    without the password (``password=None``) for as long as the server takes it. One program at a
    time can have it.

    The first connection is tried once. Raises a :class:`quicchat.QuicChatError`, most often
    :class:`AuthError`, :class:`CertificateError` or :class:`ConnectError`.
    """

    def __init__(self, host: str, port: int, *, user: str, password: str | None = None,
                 tls: TLS | None = None, limits: Limits | None = None, events: bool = True,
                 reconnect: Reconnect | bool | None = True, state: str | Path | None = None,
                 _alpn: str = ALPN) -> None:
        self._target = make_target(host, port, user, password, tls, limits, events, reconnect,
                                   state, _alpn)
        self._chat: Chat | None = None

    def __await__(self) -> Generator[Any, None, Chat]:
        return _connect(self._target).__await__()

    async def __aenter__(self) -> Chat:
        self._chat = await _connect(self._target)
        return self._chat

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        traceback: TracebackType | None) -> None:
        assert self._chat is not None
        await self._chat.__aexit__(kind, error, traceback)


async def _connect(target: Target) -> Chat:
    loop = asyncio.get_running_loop()
    steps = dial(target)
    try:
        step = next(steps)
        while True:
            try:
                answer = await _take_step(step, loop)
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return Chat(done.value, loop)


async def _take_step(step: Resolve | Await, loop: asyncio.AbstractEventLoop) -> Any:
    if isinstance(step, Resolve):
        try:
            return await loop.getaddrinfo(step.host, step.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise resolve_error(step, error) from None
    conversation = step.conversation
    decided = loop.create_future()

    def on_readable() -> None:
        conversation.take()
        if (conversation.online or conversation.end) and not decided.done():
            decided.set_result(None)

    fd = conversation.core.fileno()
    loop.add_reader(fd, on_readable)
    try:
        await decided
    finally:
        loop.remove_reader(fd)
