"""``quicchat chat``: a chat in a terminal, one line at a time."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ..client import connect
from ..config import user_path
from ..errors import AuthError, ConfigError
from ..qlogs import check_folder
from ..reconnecting import Reconnect
from ..terminal import show
from ..trust import TLS
from ._lines import LineReader, ask, ask_password
from ._screen import Screen
from ._session import Session
from ._trust import add_trust_arguments, chosen_tls

NAME = "chat"
HELP = "Chat from a terminal, or from a script's input."
EXAMPLES = """examples:
  quicchat chat --server-ip 127.0.0.1 --port 12345
  quicchat chat --server-ip chat.example.org --pin sha256:3f9a...
  printf 'ada\\nsecret\\nhello\\n' | quicchat chat

A line goes to everyone in the room. @name and a text goes to one person. /who lists who is here,
/quit leaves; so does the end of the input, once everything is stored by the server. A line that
begins with // is sent with one / less. /help lists the other commands: rooms, history, edits,
replies, reactions, and what moderators do.

When the connection is lost it is made again; lines that are typed meanwhile are sent then. A script
is told after 30 s without a connection, by status 69.

Without an option the key of a server on this computer is trusted at its first visit; for another
computer you are asked. It is remembered either way."""

DEFAULT_PORT = 12345
_ATTEMPTS = 3  # at the password, on a terminal
_GIVE_UP_AFTER = 30.0  # seconds offline, where nobody watches


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server-ip", "--server", dest="host", default="127.0.0.1",
                        metavar="HOST", help="the server's name or address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT,
                        help=f"the server's UDP port (default: {DEFAULT_PORT})")
    parser.add_argument("--user", help="your user name (default: ask)")
    parser.add_argument("--room", default="#lobby", help="the room (default: #lobby)")
    parser.add_argument("--last", type=int, default=10, metavar="N",
                        help="show the last N messages first (default: 10)")
    parser.add_argument("--qlog", type=user_path, metavar="DIR",
                        help="write down in this folder what QUIC does, for bug reports")
    parser.add_argument("--plain", action="store_true", help="no line editor, no colours")
    add_trust_arguments(parser)


@dataclass(frozen=True, slots=True)
class _Login:
    user: str
    password: str


def run(options: argparse.Namespace) -> int:
    if options.last < 0:
        raise ConfigError(f"not a number of messages: {options.last}", code="E-USAGE")
    if options.qlog:
        check_folder(options.qlog)  # before anybody types a password
    tls = chosen_tls(options)
    reader = LineReader()
    attempts = _ATTEMPTS if reader.is_terminal else 1
    for attempt in range(1, attempts + 1):
        login = _ask_login(reader, options.user)
        try:
            return asyncio.run(_converse(options, tls, reader, login))
        except AuthError as error:
            if attempt == attempts:
                raise
            show(f"{error} (attempt {attempt} of {attempts})", to=sys.stderr)
    raise AssertionError("unreachable")


def _ask_login(reader: LineReader, user: str | None) -> _Login:
    name = user if user is not None else ask(reader, "Enter User name: ")
    password = ask_password(reader, "Enter Password: ") if name is not None else None
    if name is None or password is None:
        raise AuthError("the input ended before user name and password were given",
                        code="E-USAGE", hint="give both as the first two lines")
    return _Login(name.strip(), password)


async def _converse(options: argparse.Namespace, tls: TLS | None, reader: LineReader,
                    login: _Login) -> int:
    reconnect = Reconnect(give_up_after=None if reader.is_terminal else _GIVE_UP_AFTER)
    async with connect(options.host, options.port, user=login.user, password=login.password,
                       tls=tls, reconnect=reconnect, qlog=options.qlog) as chat:
        screen = Screen(reader, plain=options.plain)
        session = Session(chat, screen, options.last)
        with _ended_by_signal() as ended:
            talking = asyncio.create_task(_talk(session, options.room))
            try:
                await asyncio.wait((talking, ended), return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    return 128 + ended.result()
                talking.result()
            finally:
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)
                with contextlib.suppress(OSError):  # the terminal may be gone
                    await screen.close()
        return 65 if session.refused and not reader.is_terminal else 0


async def _talk(session: Session, room: str) -> None:
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


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[asyncio.Future[int]]:
    """The signal that asks us to end, such as that the terminal was closed: others should see at
    once that we are gone."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(number: int) -> None:
        if not ended.done():
            ended.set_result(number)

    caught = [number for number in (signal.SIGTERM, signal.SIGHUP)
              if signal.getsignal(number) is signal.SIG_DFL]
    for number in caught:
        loop.add_signal_handler(number, end, number)
    try:
        yield ended
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
