"""``quicchat chat``: a chat in a terminal, one line at a time."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from ..client import Chat, connect
from ..config import user_path
from ..errors import AuthError, ConfigError
from ..qlogs import check_folder
from ..reconnecting import Reconnect
from ..terminal import show
from ..trust import TLS
from ._kept import DEFAULT_ROOM, Kept, Place
from ._lines import LineReader, ask, ask_password
from ._login import log_in
from ._own_files import warn_of_own_files
from ._place import add_place_arguments, chosen_place, room_of
from ._screen import Screen, Surface, can_place
from ._session import Session
from ._signals import or_signal
from ._trust import chosen_tls

_TEXTUAL_MIN = 7  # as in the extra [tui]

NAME = "chat"
HELP = "Chat from a terminal, or from a script's input."
EXAMPLES = """examples:
  quicchat chat --server-ip 127.0.0.1 --port 12345
  quicchat chat                                       where one was, at a terminal
  quicchat chat work                                  a server that servers.toml names
  quicchat chat work --full                           on the full screen; F1 explains its keys
  quicchat chat --server-ip chat.example.org --pin sha256:3f9a...
  printf 'ada\\nsecret\\nhello\\n' | quicchat chat

A line goes to everyone in the room. @name and a text goes to one person. /who lists who is here,
/quit leaves; so does the end of the input, once everything is stored by the server. A line that
begins with // is sent with one / less. /help lists the other commands: rooms, history, edits,
replies, reactions, and what moderators do.

When the connection is lost it is made again; lines that are typed meanwhile are sent then. A script
is told after 30 s without a connection, by status 69.

At a terminal the login, the rooms and what was typed are kept for the next time, in
~/.local/state/quicchat for yourself alone. ~/.config/quicchat/servers.toml names servers:

  [work]
  host = "chat.example.org"
  port = 12345
  user = "ada"
  room = "#lobby"
  pin = ["sha256:3f9a..."]         or cafile = "...", or system_ca = true

Without an option the key of a server on this computer is trusted at its first visit; for another
computer you are asked. It is remembered either way."""

_ATTEMPTS = 3  # at the password, on a terminal
_GIVE_UP_AFTER = 30.0  # seconds offline, where nobody watches


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)
    parser.add_argument("--room", help=f"the room (default: the last one, or {DEFAULT_ROOM})")
    parser.add_argument("--last", type=int, default=10, metavar="N",
                        help="show the last N messages first (default: 10)")
    parser.add_argument("--qlog", type=user_path, metavar="DIR",
                        help="write down in this folder what QUIC does, for bug reports")
    parser.add_argument("--log", type=user_path, metavar="FILE",
                        help="append what is shown to this file; with --full what comes in any "
                             "room, with its name, and no pages of history")
    parser.add_argument("--full", action="store_true",
                        help="rooms, messages and members side by side on the full screen; needs "
                             "textual, of the extra [tui]")
    parser.add_argument("--plain", action="store_true", help="no line editor, no colours")
    parser.add_argument("--no-save", action="store_true",
                        help="keep nothing for the next time, and use nothing that was kept")


@dataclass(frozen=True, slots=True)
class _Login:
    user: str
    #: None: the token that was kept
    password: str | None = field(repr=False)


def run(options: argparse.Namespace) -> int:
    if options.last < 0:
        raise ConfigError(f"not a number of messages: {options.last}", code="E-USAGE")
    if options.qlog:
        check_folder(options.qlog)  # before anybody types a password
    reader = LineReader()
    if options.full:
        _check_full(options, reader)
    kept = Kept() if reader.is_terminal and not options.no_save else None
    place = chosen_place(options, kept)
    tls = chosen_tls(options)
    warn_of_own_files(options, place, kept, tls)
    attempts = _ATTEMPTS if reader.is_terminal else 1
    attempt = 1
    may_use_token = True
    while True:
        login = _ask_login(reader, replace(place), kept if may_use_token else None)
        may_use_token = False
        try:
            return asyncio.run(_converse(options, replace(place, user=login.user), tls, reader,
                                         login, kept))
        except AuthError as error:
            if login.password is None:
                place.user = login.user  # the token is not taken any more
                continue
            if attempt == attempts:
                raise
            show(f"{error} (attempt {attempt} of {attempts})", to=sys.stderr)
            attempt += 1


def _check_full(options: argparse.Namespace, reader: LineReader) -> None:
    """Whether there can be a full screen. Raises ConfigError."""
    if options.plain:
        raise ConfigError("--full and --plain are two different screens", code="E-USAGE",
                          hint="give one of them")
    if not (reader.is_terminal and can_place(sys.stdout)):
        raise ConfigError("--full needs a terminal that can place text anywhere", code="E-USAGE",
                          hint="leave --full out for one line after the other")
    problem = ""
    try:
        from importlib.metadata import version  # takes long to load

        import textual  # noqa: F401

        found = version("textual")
        if int(found.partition(".")[0]) < _TEXTUAL_MIN:
            problem = f"of version {_TEXTUAL_MIN} or later; this one is {found}"
    except ImportError:
        problem = "which is not installed"
    if problem:
        raise ConfigError(f"--full needs textual, {problem}", code="E-USAGE",
                          hint="pip install '.[tui]' where quicchat was installed from, or "
                               f"pip install 'textual>={_TEXTUAL_MIN}'")


def _ask_login(reader: LineReader, place: Place, kept: Kept | None) -> _Login:
    name = place.user if place.user is not None else ask(reader, "Enter User name: ")
    if name is not None and kept is not None:
        place.user = name.strip()
        if any(os.path.exists(path) for path in kept.states(place)):
            return _Login(place.user, None)
    password = ask_password(reader, "Enter Password: ") if name is not None else None
    if name is None or password is None:
        raise AuthError("the input ended before user name and password were given",
                        code="E-USAGE", hint="give both as the first two lines")
    return _Login(name.strip(), password)


async def _dial(host: str, port: int, **how: Any) -> Chat:
    return await connect(host, port, **how)


async def _converse(options: argparse.Namespace, place: Place, tls: TLS | None,
                    reader: LineReader, login: _Login, kept: Kept | None) -> int:
    reconnect = Reconnect(give_up_after=None if reader.is_terminal else _GIVE_UP_AFTER)
    states = kept.states(place) if kept is not None else []
    log = _open_log(options.log)
    connected, is_kept = await log_in(states, login.password, partial(
        _dial, place.host, place.port, user=login.user, tls=tls, reconnect=reconnect,
        qlog=options.qlog))
    async with connected as chat:
        screen = _surface(options, reader, kept, log)
        session = Session(chat, screen, options.last)
        session.keeps_unsent = is_kept
        known = kept.place(place.key) if kept is not None else None
        room = room_of(options, place, known)
        if kept is not None:
            if known is not None:
                session.wishes.ignored.update(known.ignored)
                session.wishes.words.update(known.words)
            session.on_place = partial(_keep, kept, place, session)
        try:
            status = await or_signal(_talk(session, room))
        finally:
            with contextlib.suppress(OSError):  # the terminal may be gone
                await screen.close()
        return 65 if not status and session.refused and not reader.is_terminal else status


def _surface(options: argparse.Namespace, reader: LineReader, kept: Kept | None,
             log: TextIO | None) -> Surface:
    history = None if kept is None else kept.history()
    if not options.full:
        return Screen(reader, plain=options.plain, history=history, log=log)
    from ..tui._full_screen import FullScreen  # textual is loaded for those who want it

    screen = FullScreen(history=history, log=log)
    if kept is not None:
        screen.choose_theme(kept.theme, kept.keep_theme)
    return screen


def _open_log(path: Path | None) -> TextIO | None:
    if path is None:
        return None
    try:
        return path.open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {(error.strerror or str(error)).lower()}"
                          ) from None


def _keep(kept: Kept, place: Place, session: Session) -> None:
    """Where one is, for the next time."""
    front = session.windows.front
    room = place.room if front is None else front.name
    kept.keep(replace(place, room=room, ignored=sorted(session.wishes.ignored),
                      words=sorted(session.wishes.words)))


async def _talk(session: Session, room: str) -> int:
    await session.begin(room)
    reading = asyncio.create_task(session.show_events())
    typing = asyncio.create_task(session.read_lines())
    try:
        await asyncio.wait((reading, typing), return_when=asyncio.FIRST_COMPLETED)
        if not session.chat.is_open:
            await asyncio.wait((reading,))
        # Both may be over: why the connection ended says more.
        for task in (reading, typing):
            if task.done():
                task.result()
    finally:
        for task in (typing, reading):
            task.cancel()
        await asyncio.gather(typing, reading, return_exceptions=True)
    return 0
