"""How a connection is made, step by step, for the asyncio client and the blocking one alike."""

from __future__ import annotations

import ipaddress
import json
import logging
import platform
import re
import socket
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _core
from ._conversation import Conversation
from ._failures import Peer, connect_error, core_error, storage_error
from ._modes import exposed_client_files
from ._paths import path_bytes
from .errors import AuthError, CertificateError, ConfigError, ConnectError, Unreachable
from .limits import Limits
from .logs import log_client
from .qlogs import Qlog, as_qlog, qlog_error
from .qlogs import chosen as qlog_chosen
from .reconnecting import Reconnect, as_reconnect
from .settings import USER_NAME, password_problem
from .terminal import normalized_password
from .trust import TLS, default_tls

ALPN = "quicchat/1"
INBOX_EVENTS = 1024
INBOX_BYTES = 4 * 1024 * 1024
_DEFAULT_HANDSHAKE_TIMEOUT = 10.0


class StandIn(ABC):
    """What is connected to in the place of a server, in tests: see :mod:`quicchat.testing`."""

    @abstractmethod
    def start(self, target: Target) -> Conversation: ...


#: What takes the place of all servers, for connections that are made in this context.
stand_in: ContextVar[StandIn | None] = ContextVar("quicchat_stand_in", default=None)


@dataclass(frozen=True, slots=True)
class Target:
    """Everything a user says about a connection."""

    host: str
    port: int
    user: str
    password: str | None = field(repr=False)
    tls: TLS
    limits: Limits
    events: bool
    reconnect: Reconnect | None
    state: Path | None
    alpn: str = ALPN
    qlog: Qlog | None = None
    pace: bool = False
    stand_in: StandIn | None = field(default=None, repr=False)

    @property
    def account(self) -> str:
        """Whose messages and token these are, in a state file."""
        return f"{self.user.lower()}@{joined(self.host.lower(), self.port)}"


def make_target(host: str, port: int, user: str, password: str | None, tls: TLS | None,
                limits: Limits | None, events: bool, reconnect: Reconnect | bool | None,
                state: str | Path | None, alpn: str = ALPN,
                qlog: Qlog | str | Path | None = None, *, pace: bool = False) -> Target:
    """Checks what can be checked without a network. Raises ConfigError or AuthError."""
    if not isinstance(host, str) or not host or re.search(r"[\s\x00-\x1f\x7f]", host):
        raise ConfigError(f"not a host name or address: {host!r}")
    if type(port) is not int or not 1 <= port <= 65535:
        raise ConfigError(f"not a port: {port!r}", hint="a port is a number from 1 to 65535")
    if not isinstance(user, str) or not USER_NAME.match(user):
        raise AuthError(f"not a user name: {user!r}",
                        hint="user names are 1 to 32 ASCII letters, digits, '_', '.' or '-'")
    if password is None and state is None:
        raise AuthError("there is neither a password nor a state file with a token",
                        hint="give password=, or the state= of an earlier login")
    if password is not None and (problem := password_problem(password)):
        raise AuthError(f"the password {problem}")
    return Target(ascii_host(host.strip("[]")), port, user,
                  None if password is None else normalized_password(password),
                  tls or default_tls(), limits or Limits(), events, as_reconnect(reconnect),
                  None if state is None else Path(state), alpn, as_qlog(qlog), pace, stand_in.get())


def ascii_host(host: str) -> str:
    """As name servers and certificates have it: ``xn--mnchen-3ya.example``."""
    try:
        host.encode()
        name = _core.ascii_host(unicodedata.normalize("NFC", host))
    except UnicodeEncodeError:
        name = None
    if name is None:
        raise ConfigError(f"not a host name or address: {host!r}")
    return name


@dataclass(frozen=True, slots=True)
class Resolve:
    """A step: the answer is what ``getaddrinfo`` gives for these arguments."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Await:
    """A step: wait until this conversation is online or has ended."""

    conversation: Conversation


Step = Resolve | Await


def _numeric(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dial(target: Target) -> Generator[Step, Any, Conversation]:
    """Yields what must be waited for, is sent the answers, and returns a conversation that is
    online. The core tries the addresses of a name, a quarter of a second apart (RFC 8305)."""
    if target.stand_in is not None:
        return (yield from _dial_stand_in(target, target.stand_in))
    for problem in exposed_client_files(target.state, *target.tls._files()):
        log_client("exposed_file", logging.WARNING, problem)
    numeric = _numeric(target.host)
    if numeric is not None:
        addresses = [numeric]
    else:
        found = yield Resolve(target.host, target.port)
        addresses = list(dict.fromkeys(numeric_address(entry[4]) for entry in found))
    if not addresses:
        raise Unreachable(f"no address found for {target.host}")
    attempt = target.tls._attempt(target.host, target.port)
    timeout = target.limits.handshake_timeout or _DEFAULT_HANDSHAKE_TIMEOUT
    while True:
        peer = Peer(target.host, target.port, tuple(addresses), target.user, attempt.keys,
                    attempt.known_from, timeout)
        conversation = _start(target, peer, attempt.mode, attempt.pem, attempt.keys)
        try:
            yield Await(conversation)
        except BaseException:
            conversation.close()
            raise
        if conversation.online is not None:
            return conversation
        assert conversation.end is not None
        error = connect_error(conversation.end, peer)
        unknown_key = (target.tls._may_learn() and not attempt.keys
                       and isinstance(error, CertificateError) and error.fingerprint)
        if not unknown_key:
            raise error
        assert isinstance(error, CertificateError)
        attempt = target.tls._learn(target.host, target.port, error.fingerprint)


def _dial_stand_in(target: Target, place: StandIn) -> Generator[Step, Any, Conversation]:
    conversation = place.start(target)
    try:
        yield Await(conversation)
    except BaseException:
        conversation.close()
        raise
    if conversation.online is None:
        assert conversation.end is not None
        raise connect_error(conversation.end, conversation.peer)
    return conversation


def is_free(address: str) -> bool:
    """Whether a server could have that address, "127.0.0.1:0", now."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
        with socket.socket(found[0], socket.SOCK_DGRAM) as trial:
            trial.bind(found[4])
    except OSError:
        return False
    return True


def numeric_address(socket_address: tuple[Any, ...]) -> str:
    """The numeric address in a row of getaddrinfo; a link-local one with its interface."""
    host = str(socket_address[0])
    scope = socket_address[3] if len(socket_address) == 4 else 0
    return f"{host}%{scope}" if scope and "%" not in host else host


def _start(target: Target, peer: Peer, mode: str, pem: str,
           keys: tuple[str, ...]) -> Conversation:
    agent = {"name": "quicchat-python", "version": _core.version,
             "python": platform.python_version()}
    try:
        core = _core.Client(
            host=target.host, port=target.port,
            addresses=[joined(address, target.port) for address in peer.addresses],
            user=target.user, password=target.password,
            state=path_bytes(target.state), account=target.account, trust=mode,
            pem=pem, keys=list(keys), alpn=target.alpn, agent=json.dumps(agent),
            limits=target.limits.chosen(),
            reconnect=target.reconnect.chosen() if target.reconnect else None,
            inbox_events=INBOX_EVENTS, inbox_bytes=INBOX_BYTES, **qlog_chosen(target.qlog))
    except _core.QlogError as error:
        raise qlog_error(error, target.qlog) from None
    except _core.StorageFailure as error:
        raise storage_error(error.args[1], error.args[0]) from None
    except _core.CoreError as error:
        if target.password is None and error.args[2] == "invalid_request":
            raise AuthError(
                f"{target.state} has no token for '{target.user}' at {target.host}:{target.port}",
                hint="log in with the password once") from None
        raise core_error(error, f"cannot connect to {target.host}:{target.port}") from None
    return Conversation(core, peer, keep_events=target.events)


def resolve_error(target: Resolve, error: OSError) -> ConnectError:
    """A host name has no address, or nobody could say."""
    if isinstance(error, socket.gaierror):
        return Unreachable(f"unknown host name: {target.host}",
                           reason=str(error.strerror or error).lower(),
                           hint="check the spelling and the network")
    return Unreachable(f"cannot look up {target.host}: {error}")
