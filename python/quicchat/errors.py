"""What can go wrong, and what to do about it.

Every exception says what happened (its text), why (``reason``) and what to do (``hint``), and has a
stable ``code`` such as ``"E-AUTH"`` for programs and searches. :func:`explain` prints one for
people; :func:`exit_status` gives the exit status of a command that ends with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .error_codes import find_error_code
from .terminal import Clean, clean_lines

__all__ = [
    "AuthError",
    "BindError",
    "CertificateError",
    "Closed",
    "ConfigError",
    "ConnectError",
    "FileError",
    "ForkError",
    "HandshakeTimeout",
    "InboxFull",
    "Kicked",
    "OutputError",
    "ProtocolVersionError",
    "QuicChatError",
    "RateLimited",
    "RequestError",
    "ServerFull",
    "ServerShutdown",
    "SlowConsumer",
    "StorageError",
    "Unreachable",
    "WrongLoopError",
    "exit_status",
    "explain",
]


class QuicChatError(Exception):
    """The base of all errors of this package.

    ``code`` is stable; ``reason`` and ``hint`` are sentences and may be empty; ``detail`` holds raw
    numbers and names for logs.
    """

    code = "E-INTERNAL"
    default_hint = ""

    def __init__(
        self,
        what: str,
        *,
        reason: str = "",
        hint: str = "",
        code: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(what)
        self.reason = reason
        self.hint = hint or self.default_hint
        self.detail = dict(detail or {})
        if code:
            self.code = code

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ConfigError(QuicChatError, ValueError):
    """The configuration cannot be used. ``problems`` lists all that is wrong with it."""

    code = "E-CONFIG"

    def __init__(
        self, what: str, *, problems: list[str] | None = None, excerpt: str = "", **rest: Any
    ) -> None:
        super().__init__(what, **rest)
        self.problems = list(problems or [])
        self.excerpt = excerpt  #: the line of the file with a caret below the mistake


class CertificateError(QuicChatError):
    """A certificate or key is missing, broken, expired, or not trusted.

    ``fingerprint`` is the key that the server showed, if that is what the error is about.
    """

    code = "E-CERT-UNTRUSTED"

    def __init__(self, what: str, *, fingerprint: str = "", **rest: Any) -> None:
        super().__init__(what, **rest)
        self.fingerprint = fingerprint


class BindError(QuicChatError, OSError):
    """The server's address cannot be used."""

    code = "E-BIND"


class StorageError(QuicChatError, OSError):
    """The database with rooms and accounts cannot be used, or not any more."""

    code = "E-STORAGE"


class FileError(QuicChatError, OSError):
    """A file on this computer cannot be sent or saved, or what came is not what was announced."""

    code = "E-FILE"


class OutputError(QuicChatError, OSError):
    """Standard output takes nothing, so what should be shown is lost."""

    code = "E-OUTPUT"
    default_hint = "make room where the output goes, or let it go elsewhere"


class ConnectError(QuicChatError, ConnectionError):
    """No connection could be made."""

    code = "E-UNREACHABLE"


class Unreachable(ConnectError):
    """Nothing answers at that address."""


class HandshakeTimeout(ConnectError, TimeoutError):
    """Something may be there, but it did not answer in time."""

    code = "E-TIMEOUT"


class ProtocolVersionError(ConnectError):
    """Client and server have no version of the protocol in common."""

    code = "E-VERSION"
    default_hint = "update the older side: pip install --upgrade quicchat"


class ServerFull(ConnectError):
    """The server has no room for another connection."""

    code = "E-FULL"
    default_hint = "try again a little later"


class AuthError(QuicChatError, PermissionError):
    """The login was refused. The text is the same for an unknown user and a wrong password."""

    code = "E-AUTH"


class Closed(QuicChatError, ConnectionError):
    """The connection ended. ``by_peer`` tells who ended it."""

    code = "E-CLOSED"

    def __init__(self, what: str, *, by_peer: bool = False, **rest: Any) -> None:
        super().__init__(what, **rest)
        self.by_peer = by_peer


class SlowConsumer(Closed):
    """The server ended the connection because we read too slowly."""

    code = "E-SLOW"


class Kicked(Closed):
    """The people who run the server ended the connection."""

    code = "E-KICKED"


class ServerShutdown(Closed):
    """The server went away on purpose."""

    code = "E-SHUTDOWN"


class RequestError(QuicChatError):
    """One request was refused; the connection lives on.

    ``name`` is the protocol's name of the error, for example ``"no_such_room"``.
    """

    code = "E-REFUSED"

    def __init__(self, what: str, *, name: str = "", **rest: Any) -> None:
        super().__init__(what, **rest)
        self.name = name


class RateLimited(RequestError):
    """Too many requests. Try again after ``retry_after`` seconds."""

    code = "E-RATE"

    def __init__(self, what: str, *, retry_after: float = 0.0, **rest: Any) -> None:
        super().__init__(what, **rest)
        self.retry_after = retry_after


class InboxFull(QuicChatError):
    """Answers wait behind more unread events than we keep."""

    code = "E-INBOX-FULL"
    default_hint = "read the events, or connect with events=False if you do not want them"


class ForkError(QuicChatError, RuntimeError):
    """An object from before ``os.fork()`` was used in the child process."""

    code = "E-FORK"
    default_hint = (
        "create it in the child; multiprocessing does so with the start methods "
        "'spawn' and 'forkserver'"
    )


class WrongLoopError(QuicChatError, RuntimeError):
    """An object of one event loop was used in another."""

    code = "E-LOOP"
    default_hint = "use it only in the event loop in which it was created"


def exit_status(error: BaseException) -> int:
    """The exit status of a command that ends with ``error``: the numbers of sysexits.h, 130 for
    Ctrl-C, 1 for what we do not know."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, QuicChatError):
        found = find_error_code(error.code)
        return found.status if found else 65 if isinstance(error, RequestError) else 1
    return 1


def exit_status_of(code: str) -> int:
    """The same for an error's code; 1 for one that we do not know."""
    found = find_error_code(code)
    return 1 if found is None else found.status


def explain(error: QuicChatError, program: str = "quicchat") -> Clean:
    """Three lines for people: what happened, why, and what to do; then the code."""
    lines = [f"{program}: {error} [{error.code}]"]
    if isinstance(error, ConfigError):
        lines.extend(f"    {line}" for line in error.excerpt.split("\n") if line)
        lines.extend(f"  - {problem}" for problem in error.problems)
    if error.reason:
        lines.append(f"  why: {error.reason}")
    if error.hint:
        lines.append(f"  fix: {error.hint}")
    return clean_lines(lines)
