"""One person in a chat, one line at a time: what they type, and what they are shown."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from .._pacing import paced
from ..client import Chat, Room
from ..errors import QuicChatError, RequestError
from ..events import ClientEvent, Online, PrivateMessage, Receipt, Reconnecting, RoomInfo
from ..records import Message
from ._commands import find_command, is_quit, unknown_command
from ._desk import ChatDesk
from ._followed import Followed
from ._progress import Bar
from ._screen import Surface
from ._show import Lines
from ._typed_lines import Interrupted

_SHOW_PATIENCE = 5.0  # seconds to wait for what is on its way to the screen, before we leave
_UNACKED_MAX = 64  # lines on their way to the server; then we read on only as answers come

#: Something that the server is asked for, perhaps several times.
Request = Callable[[], Awaitable[Receipt]]


class Session:
    """What one person does, in the room that is in front."""

    def __init__(self, chat: Chat, screen: Surface, last: int) -> None:
        self.chat = chat
        self.screen = screen
        self.windows = screen.follow(chat, last)
        self.wishes = self.windows.wishes
        self.refused = 0  #: lines that could not be sent
        self.keeps_unsent = False  #: what cannot be sent now is, the next time
        self.sends_typing = False
        self._sent: set[bytes] = set()  # our own messages come back as events too
        self._pending: dict[bytes, tuple[Followed | None, str]] = {}  # what is not stored yet
        self._unacked: set[asyncio.Task[None]] = set()
        self._beside: set[asyncio.Task[None]] = set()  # what takes longer: files, other rooms
        self._moves: set[asyncio.Task[None]] = set()  # to other rooms
        self._heading: Followed | None = None  # where the newest of them leads
        self._looking: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._shown_all = asyncio.Event()
        self._desk = ChatDesk(self)
        self._is_outage = False
        self.known_rooms: dict[str, str] = {}  #: their topics, by name
        self.windows.on_shown = self._note_shown
        self.on_place: Callable[[], None] = lambda: None  #: called where one is now, or ignores
        self.windows.on_front = self._note_front
        self.wishes.on_change = lambda: self.on_place()
        screen.open(self._desk)

    @property
    def room(self) -> Room | None:
        """The room in front."""
        return None if self.windows.front is None else self.windows.front.room

    @property
    def lines(self) -> Lines:
        """Of the room in front."""
        return self.windows.lines

    async def begin(self, name: str) -> None:
        room = await self.windows.enter(name)
        self.screen.note(f"connected to {self.chat.address} as {self.chat.user}, in {room.name}; "
                         "/who lists who is here, /quit leaves")
        if room.topic:
            self.screen.note(f"topic: {room.topic}")
        if self.screen.is_terminal:
            self._track(self._looking, self._look_around(room))
        else:
            await self._look_around(room)

    async def _look_around(self, room: Room) -> None:
        """What there is in other rooms."""
        with contextlib.suppress(QuicChatError):  # no connection just now
            if self.screen.is_terminal:
                await self.windows.follow_ours()
            unread = [f"{r.room} {r.unread}{'+' if r.unread >= 100 else ''}"
                      + (f" ({r.mentions} to you)" if r.mentions else "")
                      for r in await self.list_rooms() if r.unread and r.room != room.name]
            if unread:
                self.screen.note(f"unread: {', '.join(unread)}; /join and a room's name goes there")

    async def list_rooms(self) -> list[RoomInfo]:
        rooms = await self.chat.rooms()
        self.known_rooms = {room.room: room.topic for room in rooms}
        return rooms

    def _note_front(self, window: Followed) -> None:
        self.on_place()
        if self.screen.is_live:
            self._track(self._looking, self._learn_people(window))

    async def _learn_people(self, window: Followed) -> None:
        """Who is here, so that their names can be completed."""
        with contextlib.suppress(QuicChatError):
            window.learn(await window.room.members())
            self.screen.refresh()

    async def read_lines(self) -> None:
        """Until /quit or the end of the input; then until everything is answered. Ctrl-C waits for
        nothing."""
        reading = asyncio.ensure_future(self._read_lines())
        interruption = asyncio.ensure_future(self.screen.interruption())
        try:
            await asyncio.wait((reading, interruption), return_when=asyncio.FIRST_COMPLETED)
            (reading if reading.done() else interruption).result()
        except Interrupted:
            raise KeyboardInterrupt from None
        finally:
            interruption.cancel()
            if reading.cancel():
                await asyncio.wait((reading,))

    async def _read_lines(self) -> None:
        while (line := await self.screen.next_line()) is not None:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self.refuse("that line is not valid UTF-8; it was not sent")
                continue
            if is_quit(text):
                break
            await self._handle(text)
            if len(self._unacked) >= _UNACKED_MAX:
                await asyncio.wait(self._unacked, return_when=asyncio.FIRST_COMPLETED)
        if self._unacked and self.screen.is_terminal and not self.chat.is_online:
            # Who types /quit wants to go, also where nobody knows for how long the server is away.
            later = "; the next time they will be" if self.keeps_unsent else ""
            self.refuse(f"{len(self._unacked)} line(s) could not be sent{later}")
            return
        if self._beside:
            if self.screen.is_terminal:
                self.screen.note(f"waiting for {len(self._beside)} file(s); Ctrl-C leaves at once")
            await asyncio.wait(self._beside)
        await self._settle()
        self.windows.mark()

    async def _handle(self, text: str) -> None:
        if not text.strip():
            return
        if self._moves:
            await asyncio.wait(self._moves)  # a key led to another room
        if text.startswith("/") and not text.startswith("//"):
            await self._command(text)
        elif text.startswith("@"):
            name, _, private = text[1:].partition(" ")
            if not name or not private.strip():
                self.refuse("to write to one person: @name text")
                return
            self.tell(name, private)
        else:
            self.say(text.removeprefix("/"))

    async def _command(self, text: str) -> None:
        word, _, rest = text.strip().partition(" ")
        command = find_command(word)
        if command is None:
            self.refuse(unknown_command(word))
            return
        try:
            await paced(partial(command.run, self, rest.strip()))
        except QuicChatError as error:
            self.refuse(f"{word}: {_in_words(error)}")
        except ValueError as error:
            self.refuse(f"{word}: {error}")

    def here(self) -> Room:
        """The room that we are in. Raises ValueError if there is none."""
        if self.room is None:
            raise ValueError("you are in no room; /join and a room's name enters one")
        return self.room

    def tell(self, name: str, text: str) -> None:
        """A message for one person."""
        id = self._new_id(f"@{name} {text}")
        self._send(partial(self.chat.tell, name, text, id=id), id, None)

    def say(self, text: str, reply_to: int | None = None,
            attributes: Mapping[str, Any] | None = None) -> None:
        """A message for the room."""
        try:
            room = self.here()
        except ValueError as error:
            self.refuse(f"not sent: {error}")
            return
        id = self._new_id(text)
        request = partial(room.send, text, reply_to=reply_to, attributes=attributes, id=id)
        self._send(request, id, self.windows.front)

    def do(self, act: Callable[..., Awaitable[Receipt]], *arguments: Any, **more: Any) -> None:
        """An act of ours in the room; it is shown when it comes back."""
        self._send(partial(act, *arguments, **more), None, self.windows.front)

    def do_beside(self, act: Callable[..., Awaitable[Receipt]], *arguments: Any,
                  bar: Bar) -> None:
        """An act of ours in the room that may take a while."""
        request = partial(act, *arguments, progress=bar.step)
        self._track(self._beside, self._finish_beside(request, bar, self.windows.front))

    async def _finish_beside(self, request: Request, bar: Bar, window: Followed | None) -> None:
        try:
            await self._finish(request, None, window)
        finally:
            bar.end()

    def run_beside(self, work: Awaitable[None]) -> None:
        """Something else that may take a while, and that we wait for before we leave."""
        self._track(self._beside, self._guarded(work))

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except QuicChatError as error:
            self.refuse(f"not done: {_in_words(error)}")

    def go(self, window: Followed) -> None:
        """To the front with another room."""
        self._heading = window
        self._track(self._moves, self.windows.bring(window))

    @property
    def heading(self) -> Followed | None:
        """The room in front, or the one that comes there."""
        return self._heading if self._moves else self.windows.front

    def pending(self, window: Followed | None = None) -> list[str]:
        """Our lines that are not stored yet: all, or those for one room."""
        return [text for place, text in self._pending.values() if window in (None, place)]

    async def catch_up(self) -> None:
        """Until what was typed so far is done and shown, so that what comes next counts it in. Not
        while there is no connection. Files go on beside what a person types."""
        if self.chat.is_online:
            if self._beside and not self.screen.is_terminal:
                await asyncio.wait(self._beside)
            await self._settle()

    async def _settle(self) -> None:
        if self._unacked:
            await asyncio.wait(self._unacked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SHOW_PATIENCE):
                await self._shown_all.wait()

    def _new_id(self, text: str) -> bytes:
        id = os.urandom(16)
        self._sent.add(id)
        self._pending[id] = self.windows.front, text
        self.screen.refresh()
        return id

    def _send(self, request: Request, id: bytes | None, window: Followed | None) -> None:
        self._track(self._unacked, self._finish(request, id, window))

    @staticmethod
    def _track(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _finish(self, request: Request, id: bytes | None, window: Followed | None) -> None:
        try:
            receipt = await self._in_turn(request)
            if window is not None and receipt.epoch == window.room.epoch:
                window.wanted = max(window.wanted, receipt.offset)
                self._note_shown()
        except QuicChatError as error:
            _, text = self._pending.get(id or b"", (None, ""))
            if self.chat.is_open:
                said = f': "{text}"' if text and self.screen.is_live else ""
                self.refuse(f"not {'sent' if id else 'done'}: {_in_words(error)}{said}")
            self._sent.discard(id or b"")
        if id is not None:
            self._pending.pop(id, None)
            self.screen.refresh()

    async def _in_turn(self, request: Request) -> Receipt:
        """A script's lines are stored in their order, so each waits for those before it."""
        if self.screen.is_terminal:
            return await paced(request)
        async with self._turn:
            return await paced(request)

    def _note_shown(self) -> None:
        window = self.windows.front
        if window is None or window.is_shown:
            self._shown_all.set()
        else:
            self._shown_all.clear()

    def refuse(self, text: str) -> None:
        self.refused += 1
        self.screen.complain(text)

    async def show_events(self) -> None:
        async for event in self.chat:
            self._show(event)

    def _show(self, event: ClientEvent) -> None:
        own = (isinstance(event, Message | PrivateMessage)
               and event.id in self._sent)
        if isinstance(event, Message | PrivateMessage):
            self._sent.discard(event.id)
            self._pending.pop(event.id, None)
        if own and self.screen.is_terminal and not self.screen.is_live:
            if isinstance(event, Message):
                self.windows.saw(event)  # it was typed there
            return
        if isinstance(event, Reconnecting | Online):
            # Of an outage the first attempt is told, and then that it is over.
            told, self._is_outage = self._is_outage, isinstance(event, Reconnecting)
            self._desk.note_outage(over=not self._is_outage)
            if told and self._is_outage:
                return
        if self.windows.is_to_us(event):
            self._desk.call()
            assert isinstance(event, Message | PrivateMessage)
            self.screen.alert(f"{event.sender}: {event.text}")
        self.windows.take(event)


def _in_words(error: QuicChatError) -> str:
    if isinstance(error, RequestError) and error.name == "not_ready":
        return f"{error}; try again when it is back"  # its hint is for programs
    return f"{error} ({error.hint})" if error.hint else str(error)
