"""The same client without asyncio, for scripts and threads.

::

    with quicchat.sync.connect("127.0.0.1", 12345, user="ada", password="...") as chat:
        chat.join("#lobby").send("hello")
        for event in chat.events(timeout=30):
            print(event)

Waiting happens in Python, so Ctrl-C works. Several threads may use one chat.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ._conversation import Conversation, encode_text
from ._dialling import Resolve, Target, dial, make_target, resolve_error
from .client import encode_attributes
from .events import ClientEvent, Joined, Members, Online, Receipt
from .limits import Limits
from .reconnecting import Reconnect
from .trust import TLS

__all__ = ["Chat", "Room", "connect"]

_CLOSE_PATIENCE = 1.0


class _Answer:
    """Gets the answer to one request."""

    def __init__(self) -> None:
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def done(self) -> bool:
        return self._done

    def set_result(self, result: Any, /) -> None:
        self._done, self._result = True, result

    def set_exception(self, error: BaseException, /) -> None:
        self._done, self._error = True, error

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result


class _Pump:
    """Lets one thread at a time wait for the engine, and the others for that one."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.changed = threading.Condition()
        self._pumping = False

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Takes in news until ``done()``. False after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            while not done():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                if self._pumping:
                    self.changed.wait(left)
                else:
                    self._pump(left)
            return True

    def _pump(self, timeout: float | None) -> None:
        """One wait for the engine, with the lock released meanwhile."""
        self._pumping = True
        self.changed.release()
        try:
            poll = select.poll()
            poll.register(self.conversation.core.fileno(), select.POLLIN)
            poll.poll(None if timeout is None else max(0.0, timeout) * 1000)
        finally:
            self.changed.acquire()
            self._pumping = False
            self.changed.notify_all()
        self.conversation.take()


class Room:
    """A room that was joined."""

    def __init__(self, chat: Chat, joined: Joined) -> None:
        self._chat = chat
        self.name = joined.room
        self.epoch = joined.epoch  #: the life of the room's log that we are in
        self.head = joined.head  #: the offset of the newest message when we joined
        self.next = joined.next  #: the first offset that we get
        self.recovered = joined.recovered  #: nothing after the position we asked for is missing

    def send(self, text: str, *, attributes: Mapping[str, Any] | None = None,
             id: bytes | None = None, timeout: float | None = None) -> Receipt:
        """Puts a message into the room and waits until the server has stored it."""
        return self._chat.send(self.name, text, attributes=attributes, id=id, timeout=timeout)

    def members(self) -> list[str]:
        """The names of all who are here, sorted."""
        return self._chat.members(self.name)

    def leave(self) -> None:
        """Leaves the room."""
        self._chat.leave(self.name)

    def __repr__(self) -> str:
        return f"<quicchat.sync.Room {self.name}>"


class Chat:
    """A connection that is logged in, and comes back when it is lost. Every wait takes a
    ``timeout`` in seconds and raises TimeoutError after it; what was sent may still arrive then.
    """

    def __init__(self, pump: _Pump) -> None:
        self._pump = pump
        self._conversation = pump.conversation

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
    def is_open(self) -> bool:
        """False once the connection has ended for good or is being closed."""
        return self._conversation.end is None and not self._conversation.closing

    @property
    def is_online(self) -> bool:
        """False while there is no connection. Learnt while some call waits."""
        return self.is_open and self._conversation.is_online

    @property
    def _online(self) -> Online:
        assert self._conversation.online is not None
        return self._conversation.online

    def join(self, room: str, *, last: int = 0, after: tuple[int, int] | None = None,
             timeout: float | None = None) -> Room:
        """Joins a room: from now on, with the ``last`` so many messages, or with everything
        ``after`` an (epoch, offset) that was seen before."""
        encode_text(room, "the room's name")
        return Room(self, self._ask(self._conversation.join, timeout, room, last, after))

    def leave(self, room: str, *, timeout: float | None = None) -> None:
        """Leaves a room; what was under way to us is dropped."""
        self._ask(self._conversation.leave, timeout, room)

    def send(self, room: str, text: str, *, attributes: Mapping[str, Any] | None = None,
             id: bytes | None = None, timeout: float | None = None) -> Receipt:
        """Puts a message into a room that was joined, and waits until the server has stored it."""
        encode_text(text, "the message")
        receipt: Receipt = self._ask(self._conversation.publish, timeout, room, text,
                                     encode_attributes(attributes), id)
        return receipt

    def tell(self, user: str, text: str, *, attributes: Mapping[str, Any] | None = None,
             id: bytes | None = None, timeout: float | None = None) -> Receipt:
        """Sends a message to one person."""
        encode_text(user, "the user's name")
        encode_text(text, "the message")
        receipt: Receipt = self._ask(self._conversation.tell, timeout, user, text,
                                     encode_attributes(attributes), id)
        return receipt

    def members(self, room: str, *, timeout: float | None = None) -> list[str]:
        """The names of all who are in a room, sorted."""
        names: list[str] = []
        while True:
            page: Members = self._ask(self._conversation.request_members, timeout, room,
                                      names[-1] if names else "")
            names += page.users
            if page.complete or not page.users:
                return names

    def next_event(self, timeout: float | None = None) -> ClientEvent | None:
        """The next event; None after ``timeout`` seconds, or after :meth:`close`. Raises if the
        connection ended in another way."""
        conversation = self._conversation
        self._pump.wait_until(
            lambda: bool(conversation.events) or conversation.end is not None
            or conversation.closing, timeout)
        with self._pump.changed:
            if conversation.events:
                return conversation.events.popleft()
            if conversation.end is not None and not conversation.closing:
                raise conversation.closed_error()
            return None

    def events(self, timeout: float | None = None) -> Iterator[ClientEvent]:
        """Events, until none came for ``timeout`` seconds, or until :meth:`close`."""
        while (event := self.next_event(timeout)) is not None:
            yield event

    def close(self) -> None:
        """Ends the connection. Does not wait for answers."""
        with self._pump.changed:
            self._conversation.close()
        self._pump.wait_until(lambda: self._conversation.end is not None, _CLOSE_PATIENCE)
        with self._pump.changed:
            self._conversation.abandon()
            self._pump.changed.notify_all()

    def __enter__(self) -> Chat:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._conversation.close()  # Ctrl-C: nobody wants to wait now
        else:
            self.close()

    def _ask(self, request: Callable[..., int], timeout: float | None, *arguments: Any) -> Any:
        answer = _Answer()
        with self._pump.changed:
            ticket = request(answer, *arguments)
        try:
            if not self._pump.wait_until(answer.done, timeout):
                raise TimeoutError(f"no answer within {timeout:g} s")
        finally:
            with self._pump.changed:
                self._conversation.forget(ticket)
        return answer.result()

    def __repr__(self) -> str:
        return f"<quicchat.sync.Chat {self.user} at {self.address}>"


def connect(host: str, port: int, *, user: str, password: str | None = None,
            tls: TLS | None = None, limits: Limits | None = None, events: bool = True,
            reconnect: Reconnect | bool | None = True, state: str | Path | None = None) -> Chat:
    """Connects and logs in. The arguments and errors are those of :class:`quicchat.connect`."""
    return _connect(make_target(host, port, user, password, tls, limits, events, reconnect, state))


def _connect(target: Target) -> Chat:
    steps = dial(target)
    pumps: dict[Conversation, _Pump] = {}
    try:
        step = next(steps)
        while True:
            try:
                if isinstance(step, Resolve):
                    answer: Any = _resolve(step)
                else:
                    pump = pumps[step.conversation] = _Pump(step.conversation)
                    answer = pump.wait_until(_decided(step.conversation))
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        return Chat(pumps[done.value])


def _decided(conversation: Conversation) -> Callable[[], bool]:
    return lambda: conversation.online is not None or conversation.end is not None


def _resolve(step: Resolve) -> Any:
    try:
        return socket.getaddrinfo(step.host, step.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise resolve_error(step, error) from None
