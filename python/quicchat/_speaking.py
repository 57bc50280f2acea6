"""A server's program speaks and administers, without a login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._calls import Placed, encode_attributes, message_act, offset_of
from ._conversation import Act
from ._failures import request_error
from ._files import READ_MAX, Progress, Source
from ._people_view import PeopleView, Person, online
from ._plain import Plain
from ._private_view import PrivateView
from ._program import Program, receipt_of
from ._retention import RoomRetention, retention_of
from ._server_room import ServerRoom
from ._texts import encode_text
from .errors import ConfigError
from .events import Receipt, RoomInfo
from .roles import Access, Role

__all__ = ["Person", "RoomReport", "Speaking"]


@dataclass(frozen=True, slots=True)
class RoomReport(Plain):
    """A room, as the server's program sees it."""

    room: str
    topic: str
    creator: str  #: empty: the server's configuration
    access: Access
    first: int  #: the offset of the oldest record that is kept
    head: int  #: of the newest one; 0 if there never was one
    accounts: int  #: that it knows: with a role, or a place up to which they have read
    members: int  #: connections that are in it
    records_max: int  #: how many records it keeps
    retention: RoomRetention  #: how much of its history it keeps


class Speaking:
    """What a :class:`quicchat.Server` says and asks, once it is started.

    ``user`` is whose name something is said in, or who wants to see something. It is not asked for
    a password, and need not be logged in, or have an account: the program answers for that. Its
    roles count, and what it says is judged, stored and sent to everybody as if it had said it
    itself; into a room for everybody it comes by speaking there. Without ``user`` the server itself
    speaks, by the name :attr:`speaker`, which may do everywhere what an operator may. The rates of
    accounts do not count, and the ``check`` function is not asked.

    What is refused raises :class:`quicchat.RequestError`, as at a client. What two people share is
    theirs: the program can write to somebody (:meth:`tell`), and reads only what they tell the
    server itself (:meth:`private_messages`).
    """

    def _program(self) -> Program:
        raise NotImplementedError

    @property
    def speaker(self) -> str:
        """The name of the server itself; empty if it has none (``ServerConfig.speaker``)."""
        return self._program().core.speaker

    async def send(self, room: str, text: str, *, user: str | None = None,
                   reply_to: Placed | int | None = None,
                   attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Puts a message into a room, and waits until it is stored, as safely as any other. The
        same again under the same 16-byte ``id`` is stored once."""
        act = message_act(0 if reply_to is None else offset_of(reply_to))
        return await self._say(room, user, text, encode_attributes(attributes), id, act)

    async def tell(self, to: str, text: str, *, user: str | None = None,
                   attributes: Mapping[str, Any] | None = None,
                   id: bytes | None = None) -> Receipt:
        """Sends a message to one person, who has an account and gets it at the next login."""
        encode_text(to, "the user's name")
        return await self._say("@" + to, user, text, encode_attributes(attributes), id,
                               message_act(0))

    async def send_file(self, room: str, source: Source, *, user: str | None = None,
                        name: str | None = None, reply_to: Placed | int | None = None,
                        attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
                        progress: Progress | None = None) -> Receipt:
        """Puts a file into a room, or tells it to one person (``"@bob"``), and waits until it is
        stored, as safely as any other. ``source`` is a path, bytes, or a binary file that can be
        read from any place; ``progress`` is called with the bytes that are sent, and all. It counts
        for what the room and ``user`` may have. Eight are sent at once, the others wait for their
        turn. What fails or is cancelled leaves nothing behind, unless its record was on its way to
        the log already: the same again under the same 16-byte ``id`` is stored once."""
        return await self.room(room, user=user).send_file(
            source, name=name, reply_to=reply_to, attributes=attributes, id=id, progress=progress)

    async def read_file(self, room: str, message: Placed | int, *, user: str | None = None,
                        max_size: int = READ_MAX, progress: Progress | None = None) -> bytes:
        """The bytes of a file in a room, compared with its SHA-256."""
        return await self.room(room, user=user).read_file(message, max_size=max_size,
                                                          progress=progress)

    async def save_file(self, room: str, message: Placed | int, path: str | Path | None = None, *,
                        user: str | None = None, progress: Progress | None = None) -> Path:
        """Saves a file of a room, as :meth:`quicchat.Chat.save_file` does."""
        return await self.room(room, user=user).save_file(message, path, progress=progress)

    def private_messages(self) -> PrivateView:
        """What people tell the server itself, whoever they are: ``async for message in
        server.private_messages()``, and ``await server.tell(message.sender, ...)`` answers. It
        begins with what was not given before, also after a restart: what was given counts as read
        as soon as the next one is asked for. For one reader at a time. Of what the server does not
        keep any more there is a :class:`quicchat.Gap`. The room of two is ``server.room("@bob")``,
        with history, search and acts. Raises ConfigError if the server has no name."""
        return PrivateView(self._program(), self._voice(None), self.rooms_of)

    def room(self, name: str, *, user: str | None = None) -> ServerRoom:
        """A room, to read it and act in it: in the name of ``user``, or of the server itself. Does
        not ask whether there is such a room."""
        encode_text(name, "the room's name")
        return ServerRoom(self._program(), self._say, self._voice, name, user)

    async def create_room(self, room: str, *, owner: str | None = None,
                          access: Access = Access.EVERYBODY, topic: str = "",
                          id: bytes | None = None) -> Receipt:
        """Makes a room that belongs to ``owner``, or to the server itself."""
        encode_text(room, "the room's name")
        encode_text(topic, "the topic")
        if access == Access.ARCHIVED:
            raise ValueError("a new room cannot be archived: nobody could write into it")
        program = self._program()
        key = os.urandom(16) if id is None else id
        return receipt_of(key, await program.ask(
            room, program.core.create_room, room, self._voice(owner), key, int(Access(access)),
            topic))

    async def remove_room(self, room: str) -> None:
        """Deletes a room with its records and files; who is in it is told. One that the
        configuration lists comes back, empty, at the next start or reload."""
        await self.room(room).remove()

    async def list_rooms(self) -> list[RoomReport]:
        """All rooms, but those of two people."""
        program = self._program()
        [rows] = await program.ask("", program.core.request_reports)
        return [RoomReport(room, topic, creator, Access(access), first, head, accounts, members,
                           kept[0], retention_of(kept, chosen))
                for room, topic, creator, access, first, head, accounts, members, kept, chosen
                in rows]

    async def rooms_of(self, user: str) -> list[RoomInfo]:
        """The rooms that somebody may see, with how much in them is unread, as
        :meth:`quicchat.Chat.rooms` shows them to that account."""
        encode_text(user, "the user's name")
        program = self._program()
        found: list[RoomInfo] = []
        complete = False
        while not complete:
            rows, complete = await program.ask(user, program.core.request_rooms_of, user,
                                               found[-1].room if found else "")
            found += [RoomInfo(room, topic, Access(access), Role(role), *rest)
                      for room, topic, access, role, *rest in rows]
        return found

    async def mark_read(self, room: str, message: Placed | int | None = None, *,
                        user: str | None = None, shared: bool = False) -> None:
        """Says that ``user`` has read a room: up to that message, or all that is there. The devices
        of that account are told; with ``shared`` the people in the room as well. A marker goes only
        up, and is kept with the room a moment later; who was never in a room for everybody comes
        into it, as by joining."""
        encode_text(room, "the room's name")
        await self.room(room, user=user).mark_read(message, shared=shared)

    async def set_display_name(self, text: str, *, user: str | None = None) -> None:
        """Says what ``user`` wants to be called beside the user name, by the rules of
        :meth:`quicchat.Chat.set_display_name`; an empty text takes it back. Returns when it is
        stored; who should know is told."""
        program = self._program()
        voice = self._voice(user)
        await program.ask(voice, program.core.set_display_name, voice,
                          encode_text(text, "the name"))

    async def person(self, user: str) -> Person:
        """How somebody is called, and whether they are here. Does not ask whether there is such an
        account."""
        encode_text(user, "the user's name")
        program = self._program()
        [row], _ = await program.ask(user, program.core.request_person, user)
        return Person(*row)

    async def online(self) -> list[Person]:
        """Who is logged in, sorted by name. Who is in a room:
        :meth:`quicchat.ServerRoom.members`. Who comes and goes: :meth:`people`."""
        return await online(self._program())

    def people(self) -> PeopleView:
        """Who comes on line and who goes: ``async for person in server.people()`` gives everybody
        who is logged in, and then, as :class:`quicchat.Person`, whoever comes with a first
        connection or goes with the last one (``person.is_online``). However slow it is read, it
        keeps one entry for each account at most: who came and went meanwhile is not told. Ends with
        the server. Each call is a reader of its own."""
        return PeopleView(self._program())

    async def disconnect(self, user: str) -> int:
        """Ends all connections of an account; their programs are told that it was ended on purpose
        and do not come back by themselves (:class:`quicchat.Kicked`). Keeping somebody from logging
        in again is up to accounts. How many connections there were."""
        encode_text(user, "the user's name")
        program = self._program()
        [count] = await program.ask(user, program.core.disconnect, user)
        return int(count)

    def _voice(self, user: str | None) -> str:
        if user is not None:
            return encode_text(user, "the user's name")
        if not self.speaker:
            raise ConfigError(
                "the server itself has no name to speak by", code="E-NO-SPEAKER",
                reason="an account may have it, or who may log in is up to a function of yours",
                hint='give "user", or another name as "speaker" of the ServerConfig')
        return self.speaker

    async def _say(self, room: str, user: str | None, text: str, attributes: str,
                   id: bytes | None, act: Act) -> Receipt:
        encode_text(room, "the room's name")
        encode_text(text, "the text")
        if not room:
            raise request_error("invalid_name", 0, "", room)
        program = self._program()
        key = os.urandom(16) if id is None else id
        return receipt_of(key, await program.ask(room, program.core.say, room, self._voice(user),
                                               key, text, attributes, act))
