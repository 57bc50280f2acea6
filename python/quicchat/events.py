"""What happens in a chat, as frozen dataclasses, made for ``match``.

Names and texts come from other people. They are valid UTF-8 without control characters, but pass
them through :func:`quicchat.clean_text` before a terminal sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ._attributes import read_attributes
from ._plain import Plain
from .errors import QuicChatError
from .records import (
    AccessChanged,
    Attributes,
    Deleted,
    Edited,
    FileInfo,
    HistoryPage,
    Message,
    Reaction,
    Record,
    RoleChanged,
    RoomCreated,
    RoomRecord,
    SearchPage,
    TopicChanged,
)
from .roles import Access, Role
from .server_events import (
    CheckFailed,
    HookFailed,
    LoginFailed,
    LoginsLocked,
    LoginSucceeded,
    PeerConnected,
    PeerDisconnected,
    ServerEvent,
    ServerFailed,
    StorageTrouble,
)

__all__ = [
    "AccessChanged",
    "Attributes",
    "CheckFailed",
    "ClientEvent",
    "Deleted",
    "Disconnected",
    "Edited",
    "FileInfo",
    "Gap",
    "GoingAway",
    "HistoryPage",
    "HookFailed",
    "Joined",
    "LoginFailed",
    "LoginSucceeded",
    "LoginsLocked",
    "MarkerMoved",
    "Member",
    "MemberJoined",
    "MemberLeft",
    "Members",
    "Message",
    "NoAnswerYet",
    "Online",
    "PeerConnected",
    "PeerDisconnected",
    "PrivateMessage",
    "ProfileChanged",
    "Reaction",
    "Record",
    "Receipt",
    "Reconnecting",
    "RoleChanged",
    "RoomCreated",
    "RoomInfo",
    "RoomLeft",
    "RoomRecord",
    "SearchPage",
    "SendFailed",
    "ServerEvent",
    "ServerFailed",
    "StorageTrouble",
    "TopicChanged",
    "Typing",
]


@dataclass(frozen=True, slots=True)
class Online(Plain):
    """The connection is logged in again, after :class:`Reconnecting`. The first time is no event:
    :func:`quicchat.connect` returns then."""

    user: str  #: our own name, as the server spells it
    message_bytes_max: int  #: the longest text that the server takes, in bytes of UTF-8
    attributes_bytes_max: int  #: the longest attributes, in bytes of JSON
    rooms_max: int  #: rooms that one connection may be in
    address: str  #: the server's address
    fingerprint: str  #: of the server's key, as ``sha256:`` and 64 hexadecimal digits


@dataclass(frozen=True, slots=True)
class Reconnecting(Plain):
    """The connection was lost, or another attempt failed; the next one follows by itself.

    Rooms go on where they were, and what was sent without an answer is sent again, once there is a
    connection. :class:`Online` says so.
    """

    cause: QuicChatError  #: why, in words
    delay: float  #: seconds until the next attempt
    attempt: int  #: its number, since a connection that held


@dataclass(frozen=True, slots=True)
class Disconnected(Plain):
    """The connection ended. The last event; ``error`` is the protocol's name of the reason."""

    error: str
    by_peer: bool
    text: str
    transport_code: int  #: QUIC's or TLS's own number, for logs
    datagrams_received: int
    fingerprint: str  #: the key that the server showed, where trust in it was the reason


@dataclass(frozen=True, slots=True)
class GoingAway(Plain):
    """The server is going away; the connection ends within ``grace`` seconds."""

    error: str
    grace: float
    text: str


@dataclass(frozen=True, slots=True)
class NoAnswerYet(Plain):
    """The server has not answered a request within ``Limits.answer_wait`` seconds. The answer may
    still come: whoever waits for it goes on waiting, and nothing is lost.

    It is said of the oldest request that waits, and not again until all that were late are
    answered. A server that says nothing at all for ``Limits.answer_timeout`` seconds is left, and
    :class:`Reconnecting` follows.
    """

    kind: str  #: of the request: "message" (or another act), "join", "rejoin" (a room that goes on
    #: after a reconnection), "creation", "members", "rooms", "history", "search", "profile",
    #: "file_sent" or "file_fetched"
    room: str  #: ``@`` and a name for a message to one person; empty: not about a room
    waited: float  #: seconds since it was sent


@dataclass(frozen=True, slots=True)
class Joined(Plain):
    """We are in a room, or in it again after a reconnection. Its events follow from offset ``next``
    on."""

    room: str
    epoch: int
    head: int  #: the offset of the room's newest record
    next: int  #: the first offset that follows
    recovered: bool  #: True: everything after the position that was asked for follows
    role: Role = Role.MEMBER  #: our own
    access: Access = Access.EVERYBODY
    marker: int = 0  #: the offset up to which we have read, as we said on any device
    topic: str = ""


@dataclass(frozen=True, slots=True)
class RoomLeft(Plain):
    """We are out of a room: we left it, or the server ended it and says why. The ``error``
    ``"removed"`` means that somebody took us out; ``text`` is the reason they gave."""

    room: str
    error: str
    text: str


@dataclass(frozen=True, slots=True)
class PrivateMessage(Plain):
    """A message from one person to another: to us, or from us (perhaps by another device)."""

    epoch: int
    offset: int
    time: datetime
    id: bytes
    sender: str
    recipient: str
    text: str
    attributes: Attributes
    reply_to: int | None = None  #: the offset of the message that it answers
    file: FileInfo | None = None  #: it is a file, as of a :class:`Message`

    def __post_init__(self) -> None:
        read_attributes(self)


@dataclass(frozen=True, slots=True)
class Receipt(Plain):
    """Our message is stored, under this offset of that epoch. ``durability`` tells how safe it is:
    ``"memory"``, ``"process"`` or ``"fsync"``."""

    epoch: int
    offset: int
    id: bytes
    durability: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Gap(Plain):
    """The records from ``first`` to ``last`` will not come. ``cause`` says why:

    ``"retention"``: the room does not keep them any more. ``"new_epoch"``: the server has lost the
    room's log and begun a new one; nobody knows what followed the last record that we have, and the
    offsets are those of the new log. ``"rolled_back"``: the server was set back to an older copy of
    its log, and these records, which we have seen, are no longer in it. ``"left"``: a reader of the
    room was behind when we came out of it, and what is in it is for its members.
    """

    room: str
    epoch: int  #: of the log as it is now
    first: int
    last: int  #: below ``first`` if there are none
    cause: str = "retention"


@dataclass(frozen=True, slots=True)
class SendFailed(Plain):
    """A message of an earlier run of the program, kept in the ``state`` file, was refused now."""

    room: str  #: empty if it was for one person
    error: QuicChatError


@dataclass(frozen=True, slots=True)
class Member(Plain):
    """Somebody who belongs to a room, or is in it."""

    user: str
    role: Role
    present: bool  #: is there now, with some device
    display_name: str = ""  #: what they want to be called; empty: nothing else


@dataclass(frozen=True, slots=True)
class Members(Plain):
    """Who is in the room. The server sends it by itself when it left presence changes out."""

    room: str
    people: tuple[Member, ...]
    complete: bool  #: False: there are more; ask with :meth:`Room.members`


@dataclass(frozen=True, slots=True)
class RoomInfo(Plain):
    """A room, as a list of rooms shows it to us."""

    room: str
    topic: str
    access: Access
    role: Role  #: our own
    head: int  #: the offset of the newest record
    marker: int  #: the offset up to which we have read, as we said
    unread: int  #: messages of others after that; 100 stands for more
    mentions: int = 0  #: how many of these mention us, see :attr:`Message.mentions`


@dataclass(frozen=True, slots=True)
class MarkerMoved(Plain):
    """Somebody has read a room up to ``offset``: we, on another device of ours, or a member who
    lets others know."""

    room: str
    user: str
    offset: int


@dataclass(frozen=True, slots=True)
class Typing(Plain):
    """Somebody types in a room of ours, or has stopped."""

    room: str
    user: str
    typing: bool


@dataclass(frozen=True, slots=True)
class MemberJoined(Plain):
    """Somebody came into a room of ours."""

    room: str
    user: str
    display_name: str = ""  #: what they want to be called; empty: nothing else


@dataclass(frozen=True, slots=True)
class MemberLeft(Plain):
    """Somebody left a room of ours."""

    room: str
    user: str


@dataclass(frozen=True, slots=True)
class ProfileChanged(Plain):
    """Somebody who is in a room with us, or our own account on another device, wants to be called
    something else. A display name is nobody's alone: show the user name beside it."""

    user: str
    display_name: str  #: empty: by the user name again


ClientEvent = (
    Reconnecting | Online | NoAnswerYet | GoingAway | Joined | RoomLeft | RoomRecord
    | PrivateMessage | Gap | Members | MemberJoined | MemberLeft | ProfileChanged | MarkerMoved
    | Typing | SendFailed | StorageTrouble
)
