"""``quicchat chat``: a chat in a terminal, one line at a time."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import warnings
from collections.abc import Awaitable
from dataclasses import dataclass

from ..client import Chat, connect
from ..errors import AuthError, ConfigError, QuicChatError
from ..events import (
    ClientEvent,
    Gap,
    GoingAway,
    Joined,
    MemberJoined,
    MemberLeft,
    Message,
    Online,
    PrivateMessage,
    Receipt,
    Reconnecting,
    RoomLeft,
)
from ..reconnecting import Reconnect
from ..terminal import clean_line, clean_text, paint
from ..trust import TLS
from ._lines import LineReader, ask, ask_password
from ._screen import Screen

NAME = "chat"
HELP = "Chat from a terminal, or from a script's input."
EXAMPLES = """examples:
  quicchat chat --server-ip 127.0.0.1 --port 12345
  quicchat chat --server-ip chat.example.org --pin sha256:3f9a...
  printf 'ada\\nsecret\\nhello\\n' | quicchat chat

A line goes to everyone in the room. @name and a text goes to one person. /who lists who is here,
/quit leaves; so does the end of the input, once everything is stored by the server. A line that
begins with // is sent with one / less.

When the connection is lost it is made again; lines that are typed meanwhile are sent then. A script
is told after 30 s without a connection, by status 69.

Without an option the key of a server on this computer is trusted at its first visit; for another
computer you are asked. It is remembered either way."""

DEFAULT_PORT = 12345
_ATTEMPTS = 3  # at the password, on a terminal
_SHOW_PATIENCE = 5.0  # seconds to wait for what is on its way to the screen, before we leave
_GIVE_UP_AFTER = 30.0  # seconds offline, where nobody watches
_UNACKED_MAX = 64  # lines on their way to the server; then we read on only as answers come


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server-ip", "--server", dest="host", default="127.0.0.1",
                        metavar="HOST", help="the server's name or address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT,
                        help=f"the server's UDP port (default: {DEFAULT_PORT})")
    parser.add_argument("--user", help="your user name (default: ask)")
    parser.add_argument("--room", default="#lobby", help="the room (default: #lobby)")
    parser.add_argument("--last", type=int, default=10, metavar="N",
                        help="show the last N messages first (default: 10)")
    parser.add_argument("--plain", action="store_true", help="no line editor, no colours")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--pin", action="append", metavar="sha256:...",
                       help="the fingerprint of the server's key; may be given several times")
    trust.add_argument("--cafile", metavar="FILE",
                       help="a PEM file with the authority that signed the server's certificate, "
                            "or with that certificate")
    trust.add_argument("--system-ca", action="store_true",
                       help="trust the authorities of the operating system")
    trust.add_argument("--insecure", action="store_true",
                       help="do not check who the server is; for experiments only")


@dataclass(frozen=True, slots=True)
class _Login:
    user: str
    password: str


def run(options: argparse.Namespace) -> int:
    if options.last < 0:
        raise ConfigError(f"not a number of messages: {options.last}", code="E-USAGE")
    tls = _tls(options)
    reader = LineReader()
    attempts = _ATTEMPTS if reader.is_terminal else 1
    for attempt in range(1, attempts + 1):
        login = _ask_login(reader, options.user)
        try:
            return asyncio.run(_converse(options, tls, reader, login))
        except AuthError as error:
            if attempt == attempts:
                raise
            print(f"{clean_line(str(error))} (attempt {attempt} of {attempts})", file=sys.stderr)
    raise AssertionError("unreachable")


def _tls(options: argparse.Namespace) -> TLS | None:
    if options.pin:
        return TLS.pin(*options.pin)
    if options.cafile:
        return TLS.ca(options.cafile)
    if options.system_ca:
        return TLS.system()
    if options.insecure:
        print("quicchat: --insecure: nobody checks who the server is; whoever sits between reads "
              "and changes everything", file=sys.stderr)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return TLS.insecure()
    return None


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
                       tls=tls, reconnect=reconnect) as chat:
        screen = Screen(reader, plain=options.plain)
        session = _Session(chat, options.room, screen)
        await session.begin(options.last)
        reading = asyncio.create_task(session.show_events())
        typing = asyncio.create_task(session.read_lines())
        try:
            await asyncio.wait((reading, typing), return_when=asyncio.FIRST_COMPLETED)
            if not chat.is_open:
                await asyncio.wait((reading,))
            # Both may be over: why the connection ended says more.
            for task in (reading, typing):
                if task.done():
                    task.result()
        finally:
            for task in (typing, reading):
                task.cancel()
            await asyncio.gather(typing, reading, return_exceptions=True)
        return 65 if session.refused and not reader.is_terminal else 0


class _Session:
    """One person in one room."""

    def __init__(self, chat: Chat, room: str, screen: Screen) -> None:
        self.chat = chat
        self.room = room
        self.screen = screen
        self.refused = 0  #: lines that could not be sent
        self._sent: set[bytes] = set()  # our own messages come back as events too
        self._unacked: set[asyncio.Task[None]] = set()
        self._wanted = 0  # the newest offset that belongs on the screen before we go
        self._shown = 0
        self._shown_all = asyncio.Event()

    async def begin(self, last: int) -> None:
        room = await self.chat.join(self.room, last=last)
        self.room = room.name
        self._shown = room.next - 1
        self._want(room.head)
        self.screen.note(f"connected to {self.chat.address} as {self.chat.user}, in {room.name}; "
                         "/who lists who is here, /quit leaves")

    async def read_lines(self) -> None:
        """Until /quit or the end of the input; then until everything is answered."""
        while (line := await self.screen.next_line()) is not None:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self.refuse("that line is not valid UTF-8; it was not sent")
                continue
            if text.strip() == "/quit":
                break
            await self._handle(text)
            if len(self._unacked) >= _UNACKED_MAX:
                await asyncio.wait(self._unacked, return_when=asyncio.FIRST_COMPLETED)
        if self._unacked and self.screen.shows_typing and not self.chat.is_online:
            # Who types /quit wants to go, also where nobody knows for how long the server is away.
            self.refuse(f"{len(self._unacked)} line(s) could not be sent")
            return
        if self._unacked:
            await asyncio.wait(self._unacked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SHOW_PATIENCE):
                await self._shown_all.wait()

    async def _handle(self, text: str) -> None:
        if not text.strip():
            return
        if text.strip() == "/who":
            await self._who()
        elif text.startswith("/") and not text.startswith("//"):
            self.refuse(f"no such command: {clean_line(text.split()[0])}; there are /who and /quit")
        elif text.startswith("@"):
            name, _, private = text[1:].partition(" ")
            if not name or not private.strip():
                self.refuse("to write to one person: @name text")
                return
            id = self._new_id()
            self._send(self.chat.tell(name, private, id=id), id, in_room=False)
        else:
            id = self._new_id()
            self._send(self.chat.send(self.room, text.removeprefix("/"), id=id), id,
                       in_room=True)

    def _new_id(self) -> bytes:
        id = os.urandom(16)
        self._sent.add(id)
        return id

    def _send(self, request: Awaitable[Receipt], id: bytes, *, in_room: bool) -> None:
        task = asyncio.ensure_future(self._finish(request, id, in_room))
        self._unacked.add(task)
        task.add_done_callback(self._unacked.discard)

    async def _finish(self, request: Awaitable[Receipt], id: bytes, in_room: bool) -> None:
        try:
            receipt = await request
            if in_room:
                self._want(receipt.offset)
        except QuicChatError as error:
            self._sent.discard(id)
            if self.chat.is_open:
                hint = f" ({error.hint})" if error.hint else ""
                self.refuse(f"not sent: {error}{hint}")

    async def _who(self) -> None:
        try:
            names = await self.chat.members(self.room)
        except QuicChatError as error:
            self.refuse(str(error))
        else:
            self.screen.note(f"here: {', '.join(names)}")

    def _want(self, offset: int) -> None:
        self._wanted = max(self._wanted, offset)
        self._note_shown(self._shown)

    def _note_shown(self, offset: int) -> None:
        self._shown = max(self._shown, offset)
        if self._shown >= self._wanted:
            self._shown_all.set()
        else:
            self._shown_all.clear()

    def refuse(self, text: str) -> None:
        self.refused += 1
        self.screen.complain(text)

    async def show_events(self) -> None:
        async for event in self.chat:
            own = isinstance(event, Message | PrivateMessage) and event.id in self._sent
            line = "" if own and self.screen.shows_typing else _line(event, self.chat.user)
            if line:
                self.screen.say(line)
            match event:
                case Joined():
                    self._want(event.head)  # what was missed meanwhile
                case Message():
                    self._sent.discard(event.id)
                    self._note_shown(event.offset)
                case PrivateMessage():
                    self._sent.discard(event.id)
                case Gap(cause="new_epoch"):
                    self._shown = self._wanted = event.last  # offsets begin anew
                    self._shown_all.set()
                case Gap():
                    self._note_shown(event.last)
                case RoomLeft():
                    self._note_shown(self._wanted)


def _line(event: ClientEvent, me: str) -> str:
    """What is shown for an event. Everything from the network is cleaned."""
    match event:
        case Message():
            return f"{paint(f'<{clean_line(event.sender)}>', 'cyan', sys.stdout)} {_body(event)}"
        case PrivateMessage() if event.sender.lower() == me.lower():
            arrow = f"[to {clean_line(event.recipient)}]"
            return f"{paint(arrow, 'yellow', sys.stdout)} {_body(event)}"
        case PrivateMessage():
            arrow = f"[from {clean_line(event.sender)}]"
            return f"{paint(arrow, 'yellow', sys.stdout)} {_body(event)}"
        case MemberJoined():
            return paint(f"* {clean_line(event.user)} is here", "dim", sys.stdout)
        case MemberLeft():
            return paint(f"* {clean_line(event.user)} has left", "dim", sys.stdout)
        case RoomLeft():
            return paint(f"* you are out of {clean_line(event.room)}", "dim", sys.stdout)
        case Reconnecting():
            return paint(f"* connection lost: {clean_line(str(event.cause))}; trying again in "
                         f"{max(1, round(event.delay))} s", "yellow", sys.stdout)
        case Online():
            return paint("* back online", "green", sys.stdout)
        case Gap():
            return paint(f"* {_lost(event)}", "dim", sys.stdout)
        case GoingAway():
            return paint(f"* the server is going away {clean_line(event.text)}".rstrip(), "yellow",
                         sys.stdout)
    return ""


def _lost(event: Gap) -> str:
    count = event.last - event.first + 1
    match event.cause:
        case "new_epoch":
            return "the server has lost the room's messages; what was written meanwhile is unknown"
        case "rolled_back":
            return f"the server was set back: it does not know the last {count} messages any more"
    return f"{count} older messages are not kept any more"


def _body(event: Message | PrivateMessage) -> str:
    """A text of several lines is indented, so that no line of it can pose as another message."""
    return clean_text(event.text).replace("\n", "\n    ")
