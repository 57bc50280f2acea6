"""One-time tickets, by which a web site logs its users in to a chat server (PROTOCOL.md §5.10).

The back end of the site shares a key with the server, and makes a ticket for each connection of a
page whose user is logged in at the site::

    ticket = quicchat.make_ticket("ada", key, "chat.example.org")

A ticket is an ordinary JSON Web Token (HS256), so back ends in other languages use any library for
these. The page never sends its signature: that is the key of a proof, of use at one server only.
The key is the text of a line in the file that ``"web": {"tickets": {"keys": ...}}`` names.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import time
from pathlib import Path

from .errors import ConfigError, QuicChatError
from .settings import USER_NAME, Tickets

__all__ = ["make_ticket"]

LIFETIME_MAX = 300  # seconds, and so on: see include/quicchat/auth/ticket.hpp
KEY_BYTES = (32, 512)
TEXT_BYTES_MAX = 255
KEYS_MAX = 2

_HEAD = b'{"alg":"HS256","typ":"JWT"}'

#: Keys, name of the server, hosts.
CoreTickets = tuple[list[str], str, list[str]]


def make_ticket(user: str, key: str | bytes, audience: str, *, origin: str | None = None,
                expires: int = 60) -> str:
    """A ticket for one login of ``user`` at the server whose name in tickets is ``audience``.

    It is good for ``expires`` seconds, 300 at most, and for pages of ``origin`` alone if that is
    given, such as ``"https://www.example.org"``. The caller must know that it talks to that user.
    Raises ConfigError for what no server would take."""
    key = key.encode() if isinstance(key, str) else key
    if not USER_NAME.match(user):
        raise ConfigError(f"not a user name: {user!r}",
                          hint="1 to 32 ASCII letters, digits, '_', '.' or '-'")
    if not KEY_BYTES[0] <= len(key) <= KEY_BYTES[1]:
        raise ConfigError(f"a key has {KEY_BYTES[0]} to {KEY_BYTES[1]} bytes, not {len(key)}",
                          hint="quicchat ticket --new-key makes one")
    if type(expires) is not int or not 1 <= expires <= LIFETIME_MAX:
        raise ConfigError(f"expires must be 1 to {LIFETIME_MAX} seconds, got {expires!r}")
    for name, text in (("audience", audience), ("origin", origin)):
        if text is not None and not is_claim(text):
            raise ConfigError(f"{name} must be a text of 1 to {TEXT_BYTES_MAX} bytes, "
                              f"got {text!r}")
    now = int(time.time())
    claims: dict[str, str | int] = {"sub": user, "aud": audience, "iat": now, "exp": now + expires,
                                    "jti": _base64url(secrets.token_bytes(16))}
    if origin is not None:
        claims["origin"] = origin
    return sign(claims, key)


def sign(claims: dict[str, str | int], key: bytes) -> str:
    """The compact form of a token, with a body whose names are sorted."""
    body = json.dumps(claims, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    text = f"{_base64url(_HEAD)}.{_base64url(body.encode())}"
    return f"{text}.{_base64url(hmac.digest(key, text.encode(), 'sha256'))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def is_claim(text: object) -> bool:
    """True for what can be the text of a claim."""
    if not isinstance(text, str):
        return False
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= TEXT_BYTES_MAX and text.isprintable()


def read_keys(path: Path) -> tuple[str, ...]:
    """The keys of a file: its lines, but empty ones and those that begin with ``#``. The first is
    the one to make tickets with. Raises QuicChatError, ``E-TICKET-KEY``."""
    try:
        text = path.read_bytes().decode("ascii")
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise _bad_file(path, "is not there",
                            "quicchat ticket --new-key makes it") from None
        what = error.strerror if isinstance(error, OSError) else "it is no ASCII text"
        raise _bad_file(path, f"cannot be read: {what}") from None
    keys = tuple(line for line in text.splitlines() if line and not line.startswith("#"))
    if not 1 <= len(keys) <= KEYS_MAX:
        raise _bad_file(path, f"has {len(keys)} keys",
                        "one or two lines, a key each: quicchat ticket --new-key makes them")
    for number, key in enumerate(keys, 1):
        if not KEY_BYTES[0] <= len(key) <= KEY_BYTES[1] or any(c <= " " for c in key):
            raise _bad_file(path, f"has no key as its key number {number}",
                            f"{KEY_BYTES[0]} to {KEY_BYTES[1]} characters without blanks")
    return keys


def _bad_file(path: Path, what: str, hint: str = "") -> QuicChatError:
    return QuicChatError(f"the file of keys for tickets {what}: {path}", code="E-TICKET-KEY",
                         hint=hint)


def add_key(path: Path) -> tuple[str, ...]:
    """Puts a new key before the one in use, in a file for its owner alone; what was behind that
    goes. All keys there are now."""
    old = read_keys(path)[:1] if os.path.lexists(path) else ()
    keys = (_base64url(secrets.token_bytes(32)), *old)
    new = path.with_name(path.name + ".new")
    try:
        # Made with its mode, so that it was never readable, and moved, so that it is whole.
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        raise _bad_file(path, f"cannot be written: {error.strerror}") from None
    return keys


def core_tickets(tickets: Tickets | None) -> CoreTickets:
    """As the core takes them. Reads the file of keys."""
    if tickets is None:
        return [], "", []
    return list(read_keys(tickets.keyfile)), tickets.audience, list(tickets.hosts)
