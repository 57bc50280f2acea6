"""What happens in a chat, as frozen dataclasses, made for ``match``.

Names and texts come from other people. They are valid UTF-8 without control characters, but pass
them through :func:`quicchat.clean_text` before a terminal sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = [
    "ClientEvent",
    "Disconnected",
    "Gap",
    "GoingAway",
    "Joined",
    "LoginFailed",
    "LoginSucceeded",
    "MemberJoined",
    "MemberLeft",
    "Members",
    "Message",
    "Online",
    "PeerConnected",
    "PeerDisconnected",
    "PrivateMessage",
    "Receipt",
    "RoomLeft",
    "ServerEvent",
    "ServerFailed",
]


@dataclass(frozen=True, slots=True)
class Online:
    """The connection is logged in."""

    user: str  #: our own name, as the server spells it
    message_bytes_max: int  #: the longest text that the server takes, in bytes of UTF-8
    attributes_bytes_max: int  #: the longest attributes, in bytes of JSON
    rooms_max: int  #: rooms that one connection may be in
    address: str  #: the server's address
    fingerprint: str  #: of the server's key, as ``sha256:`` and 64 hexadecimal digits


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection ended. The last event; ``error`` is the protocol's name of the reason."""

    error: str
    by_peer: bool
    text: str
    transport_code: int  #: QUIC's or TLS's own number, for logs
    datagrams_received: int
    fingerprint: str  #: the key that the server showed, where trust in it was the reason


@dataclass(frozen=True, slots=True)
class GoingAway:
    """The server is going away; the connection ends within ``grace`` seconds."""

    error: str
    grace: float
    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in a room. Its events follow from offset ``next`` on."""

    room: str
    epoch: int
    head: int  #: the offset of the room's newest record
    next: int  #: the first offset that follows
    recovered: bool  #: True: everything after the position that was asked for follows


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """We are out of a room: we left it, or the server ended it and says why."""

    room: str
    error: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a room, also our own. Each comes once, in the room's order."""

    room: str
    epoch: int
    offset: int
    time: datetime  #: when the server stored it, in UTC
    id: bytes
    sender: str
    text: str
    attributes: str  #: a JSON object


@dataclass(frozen=True, slots=True)
class PrivateMessage:
    """A message from one person to another: to us, or from us (perhaps by another device)."""

    epoch: int
    offset: int
    time: datetime
    id: bytes
    sender: str
    recipient: str
    text: str
    attributes: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Our message is stored, under this offset of that epoch. ``durability`` tells how safe it is:
    ``"memory"``, ``"process"`` or ``"fsync"``."""

    epoch: int
    offset: int
    id: bytes
    durability: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """The records from ``first`` to ``last`` cannot be had any more."""

    room: str
    epoch: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Members:
    """Who is in the room. The server sends it by itself when it left presence changes out."""

    room: str
    users: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """Somebody came into a room of ours."""

    room: str
    user: str


@dataclass(frozen=True, slots=True)
class MemberLeft:
    """Somebody left a room of ours."""

    room: str
    user: str


ClientEvent = (
    GoingAway | Joined | RoomLeft | Message | PrivateMessage | Gap | Members | MemberJoined
    | MemberLeft
)


@dataclass(frozen=True, slots=True)
class PeerConnected:
    """At a server: somebody connected."""

    connection: int
    address: str


@dataclass(frozen=True, slots=True)
class LoginSucceeded:
    """At a server: somebody logged in."""

    connection: int
    user: str


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """At a server: a login failed. ``user`` is what the peer claimed to be, perhaps nothing."""

    connection: int
    user: str
    address: str
    error: str


@dataclass(frozen=True, slots=True)
class PeerDisconnected:
    """At a server: a connection ended. ``user`` is empty if nobody was logged in on it."""

    connection: int
    user: str
    error: str
    by_peer: bool
    text: str


@dataclass(frozen=True, slots=True)
class ServerFailed:
    """At a server: it stops because of a fault, such as a storage error."""

    error: str
    text: str


ServerEvent = PeerConnected | LoginSucceeded | LoginFailed | PeerDisconnected | ServerFailed
