"""What happens at a server, as frozen dataclasses. :mod:`quicchat.events` has them as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ._plain import Plain

__all__ = [
    "CheckFailed",
    "HookFailed",
    "LoginFailed",
    "LoginSucceeded",
    "LoginsLocked",
    "PeerConnected",
    "PeerDisconnected",
    "ServerEvent",
    "ServerFailed",
    "StorageTrouble",
]


@dataclass(frozen=True, slots=True)
class StorageTrouble(Plain):
    """At a server: messages are refused for now, as the disk is full or another program has locked
    the database. With an empty ``error``: they are stored again.

    At a client with ``state``: the chat goes on, but for the same reasons nothing new is kept in
    that file. Who stops the program now loses what has no answer, and may need the password for
    the next login. With an empty ``error``: all is kept again."""

    error: str
    text: str


@dataclass(frozen=True, slots=True)
class PeerConnected(Plain):
    """At a server: somebody connected."""

    connection: int
    address: str


@dataclass(frozen=True, slots=True)
class LoginSucceeded(Plain):
    """At a server: somebody logged in."""

    connection: int
    user: str


@dataclass(frozen=True, slots=True)
class LoginFailed(Plain):
    """At a server: a login failed. ``user`` is what the peer claimed to be, perhaps nothing."""

    connection: int
    user: str
    address: str
    error: str


@dataclass(frozen=True, slots=True)
class LoginsLocked(Plain):
    """At a server: too many logins have failed, for ``user`` from the network of ``address`` or, if
    ``user`` is empty, from that network at all. Said once, until that has been quiet for ten
    minutes; what is refused meanwhile is no :class:`LoginFailed`. Known devices still log in."""

    user: str
    address: str


@dataclass(frozen=True, slots=True)
class PeerDisconnected(Plain):
    """At a server: a connection ended. ``user`` is empty if nobody was logged in on it."""

    connection: int
    user: str
    error: str
    by_peer: bool
    text: str


@dataclass(frozen=True, slots=True)
class HookFailed(Plain):
    """At a server: the ``authenticate`` function raised, took too long, or returned something that
    is no answer. The login was refused."""

    user: str  #: what the peer claims to be
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class CheckFailed(Plain):
    """At a server: the ``check`` function raised, took too long, or returned something that is no
    answer, or a text that cannot be a message. The message was refused, or accepted as it was where
    the server was told to (``check_failure``)."""

    user: str  #: whose message it was
    room: str  #: as that user calls it
    text: str


@dataclass(frozen=True, slots=True)
class ServerFailed(Plain):
    """At a server: it stops because of a fault, such as a storage error."""

    error: str
    text: str


ServerEvent = (
    PeerConnected | LoginSucceeded | LoginFailed | LoginsLocked | PeerDisconnected | HookFailed
    | CheckFailed | StorageTrouble | ServerFailed
)

#: By the kind that the core gives them.
SERVER_EVENTS: dict[str, Callable[..., ServerEvent]] = {
    "connected": PeerConnected, "logged_in": LoginSucceeded, "refused": LoginFailed,
    "locked": LoginsLocked, "disconnected": PeerDisconnected, "check_failed": CheckFailed,
    "storage_trouble": StorageTrouble, "failed": ServerFailed,
}
