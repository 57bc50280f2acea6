"""The calls that are the same with asyncio and without. What they give differs in one thing: the
receipt, or something to await that gives it. So each is written, and documented, once.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from ._attributes import Attributes
from ._connected import Connected
from ._conversation import Act
from ._failures import request_error
from ._texts import encode_text
from .events import Joined
from .roles import Access, Role, until_milliseconds

#: What an act gives: a Receipt, or an awaitable of one.
ReceiptT = TypeVar("ReceiptT")

#: Records that one page of history may have.
PAGE_MAX = 100
_NEWEST = (1 << 62) - 1  # above every offset

# The kinds of acts that the core knows (include/quicchat/wire/act.hpp).
_MESSAGE, _EDIT, _DELETION, _REACTION, _UNREACTION, _TOPIC, _ROLE, _ACCESS = range(8)


class HasFile(Protocol):
    """What is a file in a room: a :class:`quicchat.Message`."""

    @property
    def room(self) -> str: ...
    @property
    def offset(self) -> int: ...


class Placed(Protocol):
    """What has a place in a room: a :class:`quicchat.Message` or another record, a
    :class:`quicchat.Receipt`."""

    @property
    def epoch(self) -> int: ...
    @property
    def offset(self) -> int: ...


def encode_attributes(attributes: Mapping[str, Any] | None) -> str:
    """The JSON text that travels beside a message."""
    if isinstance(attributes, Attributes):
        return attributes.text
    return "{}" if not attributes else json.dumps(dict(attributes), ensure_ascii=False)


def page_range(before: Placed | int | None, after: Placed | int | None,
               around: Placed | int | None, limit: int) -> tuple[int, int, int]:
    """What the core is asked for: an offset, how many records below it, and how many from it on.
    Raises ValueError."""
    if type(limit) is not int or not 1 <= limit <= PAGE_MAX:
        raise ValueError(f"a page has 1 to {PAGE_MAX} records, limit={limit!r} was asked for")
    if sum(place is not None for place in (before, after, around)) > 1:
        raise ValueError("give one of before, after and around, or none for the newest records")
    if after is not None:
        return offset_of(after) + 1, 0, limit
    if around is not None:
        return offset_of(around), limit // 2, limit - limit // 2
    return (_NEWEST if before is None else offset_of(before)), limit, 0


def search_range(text: str, before: Placed | int | None, limit: int) -> tuple[str, int, int]:
    """What the core is asked for: the words, an offset, and how many records below it."""
    encode_text(text, "what is searched for")
    offset, count, _ = page_range(before, None, None, limit)
    return text, offset, count


def offset_of(message: Placed | int) -> int:
    """The offset of a message, or of what has one."""
    offset = message if isinstance(message, int) else getattr(message, "offset", None)
    if type(offset) is not int:
        raise TypeError("a message is a quicchat.Message, the receipt of one, or its offset, not "
                        f"{type(message).__name__}")
    if not 0 <= offset < _NEWEST:
        raise ValueError(f"not an offset: {offset}")
    return offset


def message_act(reply_to: int) -> Act:
    """A message that answers another one, or none (0)."""
    return (_MESSAGE, reply_to, "", 0, 0)


def marker_of(message: Placed | int | None) -> tuple[int | None, int]:
    """Which life of its room a message is of, if it says so, and its offset; without one, above
    every message."""
    epoch = getattr(message, "epoch", None)
    return (epoch if isinstance(epoch, int) else None,
            _NEWEST if message is None else offset_of(message))


class ChatCalls(Connected, ABC, Generic[ReceiptT]):
    """What a chat does and is answered with a receipt, or not answered."""

    @abstractmethod
    def _publish(self, room: str, text: str, attributes: str, id: bytes | None,
                 act: Act) -> ReceiptT: ...

    @abstractmethod
    def _create(self, room: str, access: Access, topic: str, id: bytes | None) -> ReceiptT: ...

    def create_room(self, room: str, *, access: Access = Access.EVERYBODY, topic: str = "",
                    id: bytes | None = None) -> ReceiptT:
        """Makes a room that belongs to us; then join it. ``access`` is
        :attr:`Access.EVERYBODY` or :attr:`Access.INVITATION`."""
        encode_text(room, "the room's name")
        encode_text(topic, "the topic")
        if access == Access.ARCHIVED:
            raise ValueError("a new room cannot be archived: nobody could write into it")
        return self._create(room, Access(access), topic, id)

    def mark_read(self, room: str, message: Placed | int | None = None, *,
                  shared: bool = False) -> None:
        """Says that we have read a room: up to that message, or all that has come in. Our other
        devices are told; with ``shared`` the people in the room as well. Does not wait: the server
        is told when there is a connection. A marker goes only up."""
        encode_text(room, "the room's name")
        self._conversation.mark_read(room, self._place(room, message), shared)

    def typing(self, room: str) -> None:
        """Says that we are typing in a room. Call it at each key: it is sent every few seconds at
        most. It does not wait, and may be lost."""
        encode_text(room, "the room's name")
        self._conversation.say_typing(room)

    def _place(self, room: str, message: Placed | int | None) -> int:
        """The offset of a message of a room; of the newest one that has come in, if none is
        given."""
        place = self._conversation.place(room)
        if message is None:
            if place is None:
                raise request_error("not_in_room", 0, "", room)
            return place[1]
        epoch = None if isinstance(message, int) else getattr(message, "epoch", None)
        if place is not None and epoch is not None and epoch != place[0]:
            # The server has lost the log that it was in; another message has that offset now.
            raise request_error("no_such_message", 0, "", room)
        return offset_of(message)


class RoomActs(ABC, Generic[ReceiptT]):
    """What can be done in a room. A ``message`` is a :class:`quicchat.Message`, the receipt of one,
    or its offset (``Placed | int``). Each act gives a :class:`quicchat.Receipt`; with asyncio,
    something to await that gives it (``ReceiptT`` is the one or the other)."""

    @abstractmethod
    def _do(self, kind: int, text: str, message: Placed | int | None = None,
            attributes: str = "{}", *, subject: str = "", value: int = 0, until: int = 0,
            id: bytes | None = None) -> ReceiptT: ...

    def edit(self, message: Placed | int, text: str, *,
             attributes: Mapping[str, Any] | None = None, id: bytes | None = None) -> ReceiptT:
        """Gives a message of ours another text."""
        return self._do(_EDIT, text, message, encode_attributes(attributes), id=id)

    def delete(self, message: Placed | int, reason: str = "") -> ReceiptT:
        """Takes the text of a message away. Moderators may do so with what those below them wrote
        as well. Who reads the room later sees that there was a message, and the reason."""
        return self._do(_DELETION, reason, message)

    def react(self, message: Placed | int, text: str) -> ReceiptT:
        """Puts a short text, such as an emoji, under a message."""
        return self._do(_REACTION, text, message)

    def unreact(self, message: Placed | int, text: str) -> ReceiptT:
        """Takes our own reaction away again."""
        return self._do(_UNREACTION, text, message)

    def set_topic(self, text: str) -> ReceiptT:
        """Says what the room is about. For moderators."""
        return self._do(_TOPIC, text)

    def set_access(self, access: Access) -> ReceiptT:
        """Says who may come in. For owners."""
        return self._do(_ACCESS, "", value=int(Access(access)))

    def set_role(self, user: str, role: Role, *, until: datetime | timedelta | None = None,
                 reason: str = "") -> ReceiptT:
        """Says what somebody is in the room. Owners may appoint anybody to anything; moderators
        those below them to what is below them. A mute or a ban ends at ``until``, if that is given:
        a time, or so long from now by this computer's clock."""
        encode_text(user, "the user's name")
        role = Role(role)
        return self._do(_ROLE, reason, subject=user, value=int(role),
                        until=until_milliseconds(role, until))

    # The same by the names that people use.

    def invite(self, user: str, reason: str = "") -> ReceiptT:
        """Makes somebody a member, who may then join."""
        return self.set_role(user, Role.MEMBER, reason=reason)

    def kick(self, user: str, reason: str = "") -> ReceiptT:
        """Takes somebody out of the room. They may come back, if the room is for everybody."""
        return self.set_role(user, Role.NONE, reason=reason)

    def ban(self, user: str, reason: str = "", *,
            until: datetime | timedelta | None = None) -> ReceiptT:
        """Takes somebody out of the room and lets them not come back."""
        return self.set_role(user, Role.BANNED, until=until, reason=reason)

    def unban(self, user: str, reason: str = "") -> ReceiptT:
        """Forgets a ban. Into a room by invitation they need one again."""
        return self.set_role(user, Role.NONE, reason=reason)

    def mute(self, user: str, reason: str = "", *,
             until: datetime | timedelta | None = None) -> ReceiptT:
        """Lets somebody read only."""
        return self.set_role(user, Role.MUTED, until=until, reason=reason)

    def unmute(self, user: str, reason: str = "") -> ReceiptT:
        """Makes somebody a member who may write."""
        return self.set_role(user, Role.MEMBER, reason=reason)


class RoomCalls(RoomActs[ReceiptT]):
    """A room that was joined, and what can be done in it. A ``message`` is a
    :class:`quicchat.Message`, the receipt of one, or its offset."""

    def __init__(self, chat: ChatCalls[ReceiptT], joined: Joined) -> None:
        self._calls = chat
        self._take(joined)

    def _take(self, joined: Joined) -> None:
        self.name = joined.room
        self.epoch = joined.epoch  #: the life of the room's log that we are in
        self.head = joined.head  #: the offset of the newest record when we joined
        self.next = joined.next  #: the first offset that we get
        self.recovered = joined.recovered  #: nothing after the position we asked for is missing
        self.role = joined.role  #: what we were in the room when we joined
        self.access = joined.access  #: who might come in then
        self.topic = joined.topic  #: the topic then
        self.marker = joined.marker  #: the offset up to which we had read then

    def leave_for_good(self, reason: str = "") -> ReceiptT:
        """Leaves the room and belongs to it no more. (``leave`` only stops listening.) The last
        owner has to appoint another one first."""
        return self.set_role(self._calls.user, Role.NONE, reason=reason)

    # Without an answer.

    def mark_read(self, message: Placed | int | None = None, *, shared: bool = False) -> None:
        """Says that we have read the room: up to that message, or all that has come in. With
        ``shared`` the people in it may know. Does not wait."""
        self._calls.mark_read(self.name, message, shared=shared)

    def typing(self) -> None:
        """Says that we are typing. Call it at each key; does not wait."""
        self._calls.typing(self.name)

    def _do(self, kind: int, text: str, message: Placed | int | None = None,
            attributes: str = "{}", *, subject: str = "", value: int = 0, until: int = 0,
            id: bytes | None = None) -> ReceiptT:
        encode_text(text, "the text")
        target = 0 if message is None else self._calls._place(self.name, message)
        return self._calls._publish(self.name, text, attributes, id,
                                    (kind, target, subject, value, until))
