"""What a server is told: by a file (:mod:`quicchat.config`) or by a program."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ._web_pages import Web
from .errors import ConfigError
from .limits import Limits
from .qlogs import Qlog

__all__ = ["Account", "ServerConfig", "Tickets"]

DEFAULT_ROOMS = ("#lobby",)
DEFAULT_ITERATIONS = 600_000  # of PBKDF2-HMAC-SHA-256; OWASP's advice of 2023
ITERATIONS_MIN, ITERATIONS_MAX = 100_000, 2_000_000  # what clients accept
PASSWORD_BYTES_MAX = 1024

USER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}\Z")
ROOM_NAME = re.compile(r"#[A-Za-z0-9_.-]{1,63}\Z")

THREADS_MAX = 64
DURABILITIES = ("fsync", "process", "memory")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in: with a password, or with the verifier made of one."""

    username: str
    password: str = field(default="", repr=False)
    verifier: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tickets:
    """Which one-time tickets of a web site a server takes from its pages; see
    :func:`quicchat.make_ticket`."""

    keyfile: Path  #: one or two lines, a key each; ``quicchat ticket --new-key`` makes one
    audience: str  #: the name of this server in tickets
    #: ``host:port`` by which pages reach it with a certificate that browsers trust. Pages that pin
    #: the certificate need none.
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """All that a server needs to start. Made by :func:`load_config` or by hand."""

    host: str
    port: int  #: 0: any free port
    certfile: Path
    keyfile: Path
    accounts: tuple[Account, ...]
    rooms: tuple[str, ...] = DEFAULT_ROOMS
    iterations: int = DEFAULT_ITERATIONS
    limits: Limits = Limits()
    database: Path | None = None  #: where rooms and accounts are kept; None: in memory
    durability: str = "fsync"  #: how safe an acknowledged message is: fsync, process or memory
    #: the folder with the files that people send; None: none are taken. Without a database they
    #: live in memory.
    files: Path | None = None
    operators: tuple[str, ...] = ()  #: users who are owners of every room
    anybody_makes_rooms: bool = True  #: otherwise only operators do
    metrics: str | None = None  #: where ``quicchat serve`` has figures: a loopback address and port
    qlog: Qlog | None = None  #: where what QUIC does is written down
    #: the socket by which ``quicchat serve`` is administered; see :mod:`quicchat.administration`
    admin: Path | None = None
    #: the name by which the server's program speaks for itself; nobody logs in by it. None:
    #: "server", unless an account has that name or a function decides about logins. Empty: it has
    #: none. If it is the name of an account that was removed, the program can read that person's
    #: private rooms.
    speaker: str | None = None
    tickets: Tickets | None = None  #: by which people log in in web pages
    #: people may log in by password in web pages; None: only in the one that the server serves
    page_passwords: bool | None = None
    #: so many threads carry connections, beside the one with the chat; "auto": as many as there are
    #: cores. 1: one thread does all.
    threads: int | Literal["auto"] = 1
    web: Web | None = None  #: which pages in browsers may come; None: none
    source: Path | None = None  #: the file it was read from
    notices: tuple[str, ...] = ()  #: what the reader of the file should know

    def __post_init__(self) -> None:
        if self.durability not in DURABILITIES:
            raise ConfigError(f"durability must be one of {', '.join(DURABILITIES)}, "
                              f"got {self.durability!r}")
        for name, kind in (("host", str), ("port", int), ("certfile", Path), ("keyfile", Path),
                           ("iterations", int)):
            if not isinstance(getattr(self, name), kind):
                raise ConfigError(f"{name} must be a {kind.__name__}, not "
                                  f"{type(getattr(self, name)).__name__}")
        if not ITERATIONS_MIN <= self.iterations <= ITERATIONS_MAX:
            raise ConfigError(f"iterations must be from {ITERATIONS_MIN} to {ITERATIONS_MAX}, "
                              f"got {self.iterations}", hint="clients accept no others")
        if isinstance(self.rooms, str) or not all(isinstance(room, str) for room in self.rooms):
            raise ConfigError("rooms must be several names, such as ('#lobby',)")
        if not all(isinstance(account, Account) for account in self.accounts):
            raise ConfigError("accounts must be of the class quicchat.Account")
        if self.speaker and not USER_NAME.match(self.speaker):
            raise ConfigError(f"speaker: not a user name: {self.speaker!r}")
        if problem := threads_problem(self.threads):
            raise ConfigError(f"threads {problem}, got {self.threads!r}")
        if not isinstance(self.web, Web | None):
            raise ConfigError("web must be of the class quicchat.Web")
        if isinstance(self.operators, str):
            raise ConfigError(f"operators must be several names, such as [{self.operators!r}]")
        for name in self.operators:
            if not isinstance(name, str) or not USER_NAME.match(name):
                raise ConfigError(f"operators: not a user name: {name!r}")

    @property
    def stores(self) -> bool:
        """True if rooms and accounts outlive the server."""
        return self.database is not None and self.durability != "memory"


def threads_problem(threads: object) -> str | None:
    """Why there cannot be so many threads, or None."""
    if threads == "auto" or (type(threads) is int and 1 <= threads <= THREADS_MAX):
        return None
    return f'must be "auto" or an integer from 1 to {THREADS_MAX}'


def thread_count(threads: int | Literal["auto"]) -> int:
    """How many that are on this machine, as far as this process may use its cores."""
    if threads != "auto":
        return threads
    return min(len(os.sched_getaffinity(0)), THREADS_MAX)


def password_problem(password: object) -> str | None:
    """Why ``password`` cannot be a password, or None."""
    if not isinstance(password, str) or not password:
        return "must be a text that is not empty"
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if size > PASSWORD_BYTES_MAX:
        return f"must be at most {PASSWORD_BYTES_MAX} bytes long"
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in password):
        return "must not hold control characters"
    return None
