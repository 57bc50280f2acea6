"""The same client without asyncio, for scripts and threads.

::

    with quicchat.sync.connect("127.0.0.1", 12345, user="ada", password="...") as chat:
        chat.join("#lobby").send("hello")
        for event in chat.events(timeout=30):
            print(event)

Waiting happens in Python, so Ctrl-C works. Several threads may use one chat.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ._calls import (
    ChatCalls,
    Placed,
    RoomCalls,
    encode_attributes,
    message_act,
    page_range,
    search_range,
)
from ._conversation import Act, Conversation
from ._dialling import Resolve, Target, dial, make_target, resolve_error
from ._files import (
    READ_MAX,
    Destination,
    Download,
    Progress,
    Source,
    Upload,
    saved_path,
)
from ._pump import Answer, Pump
from ._texts import encode_text
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
from .limits import Limits
from .qlogs import Qlog
from .reconnecting import Reconnect
from .roles import Access
from .trust import TLS

__all__ = ["Chat", "Room", "connect"]

_CLOSE_PATIENCE = 1.0


class Room(RoomCalls[Receipt]):
    """A room that was joined. A ``message`` is a :class:`quicchat.Message`, the receipt of one, or
    its offset. Calls without a ``timeout`` of their own wait as long as :attr:`Chat.timeout`."""

    def __init__(self, chat: Chat, joined: Joined) -> None:
        super().__init__(chat, joined)
        self._chat = chat

    def send(self, text: str, *, reply_to: Placed | int | None = None,
             attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
             timeout: float | None = None) -> Receipt:
        """Puts a message into the room and waits until the server has stored it."""
        return self._chat.send(self.name, text, reply_to=reply_to, attributes=attributes, id=id,
                               timeout=timeout)

    def send_file(self, source: Source, *, name: str | None = None,
                  reply_to: Placed | int | None = None,
                  attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
                  progress: Progress | None = None) -> Receipt:
        """Sends a file into the room."""
        return self._chat.send_file(self.name, source, name=name, reply_to=reply_to,
                                    attributes=attributes, id=id, progress=progress)

    def read_file(self, message: Placed | int, *, max_size: int = READ_MAX,
                  progress: Progress | None = None) -> bytes:
        """The bytes of a file that somebody sent, compared with its SHA-256."""
        return self._chat.read_file(self.name, message, max_size=max_size, progress=progress)

    def save_file(self, message: Placed | int, path: str | Path | None = None, *,
                  progress: Progress | None = None) -> Path:
        """Saves a file that somebody sent, and gives its path."""
        return self._chat.save_file(self.name, message, path, progress=progress)

    def history(self, *, before: Placed | int | None = None, after: Placed | int | None = None,
                around: Placed | int | None = None, limit: int = 50) -> HistoryPage:
        """A page of the room's log: the newest records, or those before, after or around a message.
        At most ``limit`` records, which is 100 at the most."""
        return self._chat.history(self.name, before=before, after=after, around=around,
                                  limit=limit)

    def search(self, text: str, *, before: Placed | int | None = None,
               limit: int = 50) -> SearchPage:
        """The newest messages of the room, or those before one, that have all of the words in
        ``text``, whatever the case of letters. At most ``limit`` of them, which is 100 at the
        most; :class:`quicchat.SearchPage` says how to go on."""
        return self._chat.search(self.name, text, before=before, limit=limit)

    def members(self) -> list[Member]:
        """All who belong to the room or are in it, sorted by name."""
        return self._chat.members(self.name)

    def leave(self) -> None:
        """Stops listening to the room. Whoever belongs to it still does."""
        self._chat.leave(self.name)

    def __repr__(self) -> str:
        return f"<quicchat.sync.Room {self.name}>"


class Chat(ChatCalls[Receipt]):
    """A connection that is logged in, and comes back when it is lost. Every wait ends after
    ``timeout`` seconds, of the call or of the chat, and raises TimeoutError then; what was sent may
    still arrive.
    """

    def __init__(self, pump: Pump) -> None:
        #: Seconds that calls without a ``timeout`` wait for an answer; None: as long as it takes.
        self.timeout: float | None = None
        self._pump = pump
        self._conversation = pump.conversation

    def join(self, room: str, *, last: int = 0, after: tuple[int, int] | None = None,
             timeout: float | None = None) -> Room:
        """Joins a room: from now on, with the ``last`` so many records, or with everything
        ``after`` an (epoch, offset) that was seen before. ``"@bob"`` is the room that we share
        with bob, who may be away."""
        encode_text(room, "the room's name")
        return Room(self, self._ask(self._conversation.join, timeout, room, last, after))

    def leave(self, room: str, *, timeout: float | None = None) -> None:
        """Leaves a room; what was under way to us is dropped."""
        self._ask(self._conversation.leave, timeout, room)

    def send(self, room: str, text: str, *, reply_to: Placed | int | None = None,
             attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
             timeout: float | None = None) -> Receipt:
        """Puts a message into a room that was joined, and waits until the server has stored it."""
        encode_text(text, "the message")
        act = message_act(0 if reply_to is None else self._place(room, reply_to))
        receipt: Receipt = self._ask(self._conversation.publish, timeout, room, text,
                                     encode_attributes(attributes), id, act)
        return receipt

    def tell(self, user: str, text: str, *, attributes: Mapping[str, Any] | None = None,
             id: bytes | None = None, timeout: float | None = None) -> Receipt:
        """Sends a message to one person, who gets it at the next login if they are away."""
        encode_text(user, "the user's name")
        encode_text(text, "the message")
        receipt: Receipt = self._ask(self._conversation.tell, timeout, user, text,
                                     encode_attributes(attributes), id)
        return receipt

    def send_file(self, room: str, source: Source, *, name: str | None = None,
                  reply_to: Placed | int | None = None,
                  attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
                  progress: Progress | None = None, timeout: float | None = None) -> Receipt:
        """Sends a file into a room, or to ``"@bob"``, and waits until the server has stored it. See
        :meth:`quicchat.Chat.send_file`."""
        encode_text(room, "the room's name")
        upload = Upload(source, name, progress)
        try:
            offer = upload.describe()
            encode_text(offer.name, "the file's name")
            receipt: Receipt = self._ask(
                self._conversation.send_file, timeout, room, upload, offer,
                encode_attributes(attributes),
                0 if reply_to is None else self._place(room, reply_to), id)
            return receipt
        finally:
            upload.close()

    def read_file(self, room: str, message: Placed | int, *, max_size: int = READ_MAX,
                  progress: Progress | None = None, timeout: float | None = None) -> bytes:
        """The bytes of a file that somebody sent, compared with its SHA-256."""
        target = io.BytesIO()
        self._fetch(room, message, Download(target, progress, max_size), timeout)
        return target.getvalue()

    def save_file(self, room: str, message: Placed | int, path: str | Path | None = None, *,
                  progress: Progress | None = None, timeout: float | None = None) -> Path:
        """Saves a file that somebody sent, and gives its path. See
        :meth:`quicchat.Chat.save_file`."""
        shown = message.text if isinstance(message, Message) else ""
        target = Destination(saved_path(path, room, self._place(room, message), shown))
        try:
            self._fetch(room, message, Download(target.file, progress), timeout)
            return target.commit()
        finally:
            target.abandon()

    def _fetch(self, room: str, message: Placed | int, download: Download,
               timeout: float | None) -> None:
        encode_text(room, "the room's name")
        self._ask(self._conversation.fetch_file, timeout, room, self._place(room, message),
                  download)

    def set_display_name(self, text: str, *, timeout: float | None = None) -> None:
        """Says what we want to be called beside our user name: up to 64 bytes in one line, kept
        with the account. An empty text takes it back."""
        self._ask(self._conversation.set_display_name, timeout, encode_text(text, "the name"))

    def rooms(self, *, timeout: float | None = None) -> list[RoomInfo]:
        """The rooms that we may see, sorted by name, with how much in them is unread."""
        rooms: list[RoomInfo] = []
        complete = False
        while not complete:
            more, complete = self._ask(self._conversation.request_rooms, timeout,
                                       rooms[-1].room if rooms else "")
            rooms += more
        return rooms

    def history(self, room: str, *, before: Placed | int | None = None,
                after: Placed | int | None = None, around: Placed | int | None = None,
                limit: int = 50, timeout: float | None = None) -> HistoryPage:
        """A page of the log of a room, joined or not; see :meth:`Room.history`."""
        encode_text(room, "the room's name")
        page: HistoryPage = self._ask(self._conversation.request_history, timeout, room,
                                      *page_range(before, after, around, limit))
        return page

    def search(self, room: str, text: str, *, before: Placed | int | None = None, limit: int = 50,
               timeout: float | None = None) -> SearchPage:
        """Searches in a room, joined or not; see :meth:`Room.search`."""
        encode_text(room, "the room's name")
        page: SearchPage = self._ask(self._conversation.request_search, timeout, room,
                                     *search_range(text, before, limit))
        return page

    def members(self, room: str, *, timeout: float | None = None) -> list[Member]:
        """All who belong to a room that was joined, or are in it, sorted by name."""
        people: list[Member] = []
        complete = False
        while not complete:
            more, complete = self._ask(self._conversation.request_members, timeout, room,
                                       people[-1].user if people else "")
            people += more
        return people

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
        answer = Answer()
        timeout = self.timeout if timeout is None else timeout
        with self._pump.changed:
            ticket = request(answer, *arguments)
        try:
            if not self._pump.wait_until(answer.done, timeout):
                raise TimeoutError(f"no answer within {timeout:g} s")
        finally:
            with self._pump.changed:
                self._conversation.forget(ticket)
        return answer.result()

    def _publish(self, room: str, text: str, attributes: str, id: bytes | None,
                 act: Act) -> Receipt:
        receipt: Receipt = self._ask(self._conversation.publish, None, room, text, attributes, id,
                                     act)
        return receipt

    def _create(self, room: str, access: Access, topic: str, id: bytes | None) -> Receipt:
        receipt: Receipt = self._ask(self._conversation.create_room, None, room, access, topic, id)
        return receipt

    def __repr__(self) -> str:
        return f"<quicchat.sync.Chat {self.user} at {self.address}>"


def connect(host: str, port: int, *, user: str, password: str | None = None,
            tls: TLS | None = None, limits: Limits | None = None, events: bool = True,
            reconnect: Reconnect | bool | None = True, state: str | Path | None = None,
            qlog: Qlog | str | Path | None = None) -> Chat:
    """Connects and logs in. The arguments and errors are those of :class:`quicchat.connect`."""
    return _connect(make_target(host, port, user, password, tls, limits, events, reconnect, state,
                                qlog=qlog))


def _connect(target: Target) -> Chat:
    steps = dial(target)
    pumps: dict[Conversation, Pump] = {}
    try:
        step = next(steps)
        while True:
            try:
                if isinstance(step, Resolve):
                    answer: Any = _resolve(step)
                else:
                    pump = pumps[step.conversation] = Pump(step.conversation)
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
