"""One person in a chat, one line at a time: what they type, and what they are shown."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Coroutine
from typing import Any

from ..client import Chat, Room
from ..errors import QuicChatError
from ..events import (
    ClientEvent,
    Gap,
    Joined,
    NoAnswerYet,
    PrivateMessage,
    Receipt,
    RoomLeft,
)
from ..records import Message, RoomRecord
from ._commands import find_command
from ._screen import Screen
from ._show import Lines

_SHOW_PATIENCE = 5.0  # seconds to wait for what is on its way to the screen, before we leave
_UNACKED_MAX = 64  # lines on their way to the server; then we read on only as answers come
_MARK_DELAY = 0.2  # seconds; what is read is said for many lines at once


class Session:
    """One person in one room at a time."""

    def __init__(self, chat: Chat, screen: Screen, last: int) -> None:
        self.chat = chat
        self.room: Room | None = None
        self.screen = screen
        self.lines = Lines(chat.user)
        self.last = last  #: how many records are shown of a room that is entered
        self.refused = 0  #: lines that could not be sent
        self.shares_markers = False
        self.sends_typing = False
        self._sent: set[bytes] = set()  # our own messages come back as events too
        self._unacked: set[asyncio.Task[None]] = set()
        self._beside: set[asyncio.Task[None]] = set()  # what takes longer: files
        self._wanted = 0  # the newest offset that belongs on the screen before we go
        self._shown = 0
        self._shown_all = asyncio.Event()
        self._marked = 0
        self._marking: asyncio.TimerHandle | None = None
        screen.on_typing = self._note_typing

    async def begin(self, name: str) -> None:
        room = await self.enter(name)
        self.screen.note(f"connected to {self.chat.address} as {self.chat.user}, in {room.name}; "
                         "/who lists who is here, /quit leaves")
        if room.topic:
            self.screen.note(f"topic: {room.topic}")
        with contextlib.suppress(QuicChatError):  # no connection just now
            unread = [f"{r.room} {r.unread}{'+' if r.unread >= 100 else ''}"
                      + (f" ({r.mentions} to you)" if r.mentions else "")
                      for r in await self.chat.rooms() if r.unread and r.room != room.name]
            if unread:
                self.screen.note(f"unread: {', '.join(unread)}; /join and a room's name goes there")

    async def enter(self, name: str) -> Room:
        """Joins a room, and leaves the one before."""
        room = await self.chat.join(name, last=self.last)
        before, self.room = self.room, room
        self.lines.forget()
        self._shown = self._marked = room.next - 1
        self._wanted = room.head
        self._note_shown(self._shown)
        if before is not None:
            with contextlib.suppress(QuicChatError):
                await before.leave()
        return room

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
        if self._beside:
            if self.screen.shows_typing:
                self.screen.note(f"waiting for {len(self._beside)} file(s); Ctrl-C leaves at once")
            await asyncio.wait(self._beside)
        await self._settle()
        self._mark()

    async def _handle(self, text: str) -> None:
        if not text.strip():
            return
        if text.startswith("/") and not text.startswith("//"):
            await self._command(text)
        elif text.startswith("@"):
            name, _, private = text[1:].partition(" ")
            if not name or not private.strip():
                self.refuse("to write to one person: @name text")
                return
            id = self._new_id()
            self._send(self.chat.tell(name, private, id=id), id, in_room=False)
        else:
            self.say(text.removeprefix("/"))

    async def _command(self, text: str) -> None:
        word, _, rest = text.strip().partition(" ")
        command = find_command(word)
        if command is None:
            self.refuse(f"no such command: {word}; there are /who and /quit, and /help tells of "
                        "the others")
            return
        try:
            await command.run(self, rest.strip())
        except QuicChatError as error:
            self.refuse(f"{word}: {_in_words(error)}")
        except ValueError as error:
            self.refuse(f"{word}: {error}")

    def here(self) -> Room:
        """The room that we are in. Raises ValueError if there is none."""
        if self.room is None:
            raise ValueError("you are in no room; /join and a room's name enters one")
        return self.room

    def say(self, text: str, reply_to: int | None = None) -> None:
        """A message for the room."""
        try:
            room = self.here()
        except ValueError as error:
            self.refuse(f"not sent: {error}")
            return
        id = self._new_id()
        self._send(room.send(text, reply_to=reply_to, id=id), id, in_room=True)

    def do(self, request: Awaitable[Receipt]) -> None:
        """An act of ours in the room; it is shown when it comes back."""
        self._send(request, None, in_room=True)

    def do_beside(self, request: Awaitable[Receipt]) -> None:
        """An act of ours in the room that may take a while."""
        self._track(self._beside, self._finish(request, None, in_room=True))

    def run_beside(self, work: Awaitable[None]) -> None:
        """Something else that may take a while, and that we wait for before we leave."""
        self._track(self._beside, self._guarded(work))

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except QuicChatError as error:
            self.refuse(f"not done: {_in_words(error)}")

    async def catch_up(self) -> None:
        """Until what was typed so far is done and shown, so that what comes next counts it in. Not
        while there is no connection. Files go on beside what a person types."""
        if self.chat.is_online:
            if self._beside and not self.screen.shows_typing:
                await asyncio.wait(self._beside)
            await self._settle()

    async def _settle(self) -> None:
        if self._unacked:
            await asyncio.wait(self._unacked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SHOW_PATIENCE):
                await self._shown_all.wait()

    def _new_id(self) -> bytes:
        id = os.urandom(16)
        self._sent.add(id)
        return id

    def _send(self, request: Awaitable[Receipt], id: bytes | None, *, in_room: bool) -> None:
        self._track(self._unacked, self._finish(request, id, in_room=in_room))

    @staticmethod
    def _track(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _finish(self, request: Awaitable[Receipt], id: bytes | None, *,
                      in_room: bool) -> None:
        try:
            receipt = await request
            if in_room and self.room is not None and receipt.epoch == self.room.epoch:
                self._want(receipt.offset)
        except QuicChatError as error:
            if id is not None:
                self._sent.discard(id)
            if self.chat.is_open:
                self.refuse(f"not sent: {_in_words(error)}" if id else f"not done: "
                            f"{_in_words(error)}")

    def _want(self, offset: int) -> None:
        self._wanted = max(self._wanted, offset)
        self._note_shown(self._shown)

    def _note_shown(self, offset: int) -> None:
        self._shown = max(self._shown, offset)
        if self._shown >= self._wanted:
            self._shown_all.set()
        else:
            self._shown_all.clear()
        if self._shown > self._marked and self._marking is None:
            loop = asyncio.get_running_loop()
            self._marking = loop.call_later(_MARK_DELAY, self._mark)

    def _mark(self) -> None:
        """Says that what was shown is read."""
        if self._marking is not None:
            self._marking.cancel()
            self._marking = None
        if self.room is not None and self._shown > self._marked and self.chat.is_open:
            self._marked = self._shown
            with contextlib.suppress(QuicChatError):
                self.room.mark_read(self._shown, shared=self.shares_markers)

    def _note_typing(self) -> None:
        if self.sends_typing and self.room is not None and self.chat.is_online:
            with contextlib.suppress(QuicChatError):
                self.room.typing()

    def refuse(self, text: str) -> None:
        self.refused += 1
        self.screen.complain(text)

    async def show_events(self) -> None:
        async for event in self.chat:
            if not self._is_elsewhere(event):
                self._show(event)

    def _is_elsewhere(self, event: ClientEvent) -> bool:
        """What still comes from a room that we have left."""
        room = getattr(event, "room", None)
        here = self.room.name if self.room is not None else None
        return (isinstance(room, str) and room != here
                and not isinstance(event, RoomLeft | NoAnswerYet))

    def _show(self, event: ClientEvent) -> None:
        own = isinstance(event, Message | PrivateMessage) and event.id in self._sent
        line = "" if own and self.screen.shows_typing else self.lines.line(event)
        if line:
            self.screen.say(line)
        match event:
            case Joined():
                self._want(event.head)  # what was missed meanwhile
            case Message():
                self._sent.discard(event.id)
                self.lines.remember(event)
                self._note_shown(event.offset)
            case PrivateMessage():
                self._sent.discard(event.id)
            case Gap(cause="new_epoch"):
                self.lines.forget()
                self._shown = self._wanted = self._marked = event.last  # offsets begin anew
                self._shown_all.set()
            case Gap():
                self._note_shown(event.last)
            case RoomLeft():
                if self.room is not None and event.room == self.room.name:
                    self.room = None
                    self._note_shown(self._wanted)
            case _ if isinstance(event, RoomRecord):
                self.lines.note(event)
                self._note_shown(event.offset)


def _in_words(error: QuicChatError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)
