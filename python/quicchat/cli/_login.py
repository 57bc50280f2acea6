"""Logging in by what was kept from the last time, or by the password."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from ..client import Chat, connect
from ..config import user_path
from ..errors import AuthError, ConfigError, StorageError
from ..reconnecting import Reconnect
from ..terminal import is_terminal
from ._kept import Kept, Place
from ._lines import LineReader, ask_password
from ._own_files import warn_of_own_files
from ._place import add_address_arguments, chosen_place
from ._signals import or_signal
from ._trust import chosen_tls

_GIVE_UP_AFTER = 30.0  # seconds offline, where nobody watches
_TOKEN_PATIENCE = 5.0  # seconds
_TOKEN_PAUSE = 0.01  # seconds


async def log_in(states: list[Path], password: str | None,
                 dial: Callable[..., Awaitable[Chat]]) -> tuple[Chat, bool]:
    """With a state file, so that the next time needs no password, unless all are in use: True then.
    ``dial`` is given password and state."""
    for state in states:
        if password is None and not os.path.exists(state):
            break
        try:
            return await dial(password=password, state=state), True
        except StorageError:
            continue  # another program has it
    if password is None:
        raise AuthError("no login was kept that is not in use")
    return await dial(password=password), False


def add_login_arguments(parser: argparse.ArgumentParser) -> None:
    """For programs that do one thing."""
    parser.add_argument("--at", dest="server", metavar="SERVER",
                        help="a server that servers.toml names, or HOST[:PORT] (default: the last "
                             "one of 'quicchat chat')")
    add_address_arguments(parser)
    parser.add_argument("--password-file", type=user_path, metavar="FILE",
                        help="the password is the first line of this file; without it the login "
                             "that was kept counts, or the terminal is asked")
    parser.add_argument("--no-save", action="store_true",
                        help="keep no login for the next time, and use none that was kept")


def with_login(options: argparse.Namespace, program: str,
               talk: Callable[[Chat], Coroutine[Any, Any, int]], *, give_up: bool = True) -> int:
    """Logs in as the options say, and talks."""
    kept = None if options.no_save else Kept()
    place = chosen_place(options, kept)
    tls = chosen_tls(options)
    warn_of_own_files(options, place, kept, tls, program)
    if place.user is None:
        raise ConfigError("it is not said who you are", code="E-USAGE", hint="--user NAME")
    states = kept.states(place, program) if kept is not None else []
    password = None
    if options.password_file is not None:
        password = _read_password(options.password_file)
    elif not any(os.path.exists(state) for state in states):
        password = _ask(place)
    reconnect = Reconnect(give_up_after=_GIVE_UP_AFTER if give_up else None)

    async def dial(**how: Any) -> Chat:
        return await connect(place.host, place.port, user=place.user or "", tls=tls,
                             reconnect=reconnect, **how)

    async def run() -> int:
        chat, is_kept = await log_in(states, password, dial)
        async with chat:
            status = await or_signal(talk(chat))
            if is_kept and password is not None:
                await _token_is_kept(chat)
            return status

    try:
        return asyncio.run(run())
    except AuthError:
        if password is not None:
            raise
    password = _ask(place)  # what was kept is not taken any more
    return asyncio.run(run())


async def _token_is_kept(chat: Chat) -> None:
    """Until the next time needs no password: the server sends the token a moment after the login.
    """
    core = chat._conversation.core
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TOKEN_PATIENCE):
            while not core.token_generation() and chat.is_online:
                await asyncio.sleep(_TOKEN_PAUSE)


def _ask(place: Place) -> str:
    reader = LineReader()
    password = None
    if reader.is_terminal and is_terminal(sys.stdout):
        password = ask_password(reader, f"Password of {place.user}: ")
    if not password:
        raise AuthError(f"there is no password for '{place.user}' at {place.host}:{place.port}",
                        code="E-USAGE",
                        hint="run this once at a terminal, which asks for it and keeps the login, "
                             "or give --password-file FILE")
    return password


def _read_password(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
