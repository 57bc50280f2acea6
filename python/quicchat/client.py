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

What can be done in a room beside sending, such as :meth:`Room.edit` or :meth:`Room.ban`, comes back
to everybody in it as an event, in one order with the messages.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Any

from ._chat import Chat
from ._dialling import Target, dial, make_target
from ._loops import running_loop
from ._room import Room
from ._steps import take_step
from .limits import Limits
from .qlogs import Qlog
from .reconnecting import Reconnect
from .trust import TLS

__all__ = ["Chat", "Room", "connect"]


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
    time can have it. While its disk is full the chat goes on, and
    :class:`quicchat.StorageTrouble` says that nothing new outlives the program. That others can
    read it is a warning of :mod:`quicchat.logs`.

    A server takes so many messages and requests a second from an account, and more for a moment;
    what is too much is refused, stored nowhere, and raises :class:`quicchat.RateLimited`, whose
    ``retry_after`` says when it may be sent again. With ``pace=True`` whoever sends waits for that
    long instead, a minute at most, and who sends into the same room after it waits behind it.
    (:class:`quicchat.Bot` does so.)

    ``qlog`` is a folder to write down in what QUIC does (see :mod:`quicchat.qlogs`).

    The first connection is tried once. Raises a :class:`quicchat.QuicChatError`, most often
    :class:`AuthError`, :class:`CertificateError` or :class:`ConnectError`.
    """

    def __init__(self, host: str, port: int, *, user: str, password: str | None = None,
                 tls: TLS | None = None, limits: Limits | None = None, events: bool = True,
                 reconnect: Reconnect | bool | None = True, state: str | Path | None = None,
                 qlog: Qlog | str | Path | None = None, pace: bool = False) -> None:
        self._target = make_target(host, port, user, password, tls, limits, events, reconnect,
                                   state, qlog=qlog, pace=pace)
        self._chat: Chat | None = None

    def __await__(self) -> Generator[Any, None, Chat]:
        return connect_to(self._target).__await__()

    async def __aenter__(self) -> Chat:
        self._chat = await connect_to(self._target)
        return self._chat

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        traceback: TracebackType | None) -> None:
        assert self._chat is not None
        await self._chat.__aexit__(kind, error, traceback)


async def connect_to(target: Target) -> Chat:
    """What :class:`connect` does."""
    loop = running_loop()
    steps = dial(target)
    try:
        step = next(steps)
        while True:
            try:
                answer = await take_step(step, loop)
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return Chat(done.value, loop, pace=target.pace)
