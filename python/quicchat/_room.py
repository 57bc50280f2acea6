"""A room as asyncio programs see it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._calls import Placed, RoomCalls
from ._files import READ_MAX, Progress, Source
from ._views import RoomView
from .events import ClientEvent, HistoryPage, Joined, Member, Receipt, SearchPage

if TYPE_CHECKING:
    from ._chat import Chat

#: What an act gives: await it to have the receipt.
Pending = Coroutine[Any, Any, Receipt]


class Room(RoomCalls[Pending], AsyncIterable[ClientEvent]):
    """A room that was joined. ``async for event in room`` gives what happens in it (see
    :meth:`events`). Acts such as :meth:`edit` are to be awaited; they give a
    :class:`quicchat.Receipt` once the server has stored them. A ``message`` is a
    :class:`quicchat.Message`, the receipt of one, or its offset."""

    def __init__(self, chat: Chat, joined: Joined) -> None:
        super().__init__(chat, joined)
        self._chat = chat

    def events(self) -> RoomView:
        """What happens in the room, for one reader; each call makes another one, and each gets
        everything from then on. The first one gets also what has come since the room was joined, if
        nobody has iterated the chat. A slow one loses nothing, and holds up nobody: what does not
        fit into its 1024 events is read from the room's history when it comes to that.

        Who iterates the chat gets the events of all rooms as well. A chat that nobody iterates
        needs nobody to: rooms that have readers do not fill its queue."""
        return self._chat._view(self.name)

    def __aiter__(self) -> RoomView:
        return self.events()

    def send(self, text: str, *, reply_to: Placed | int | None = None,
             attributes: Mapping[str, Any] | None = None, id: bytes | None = None) -> Pending:
        """Puts a message into the room and waits until the server has stored it: over reconnections
        as well, so put ``asyncio.timeout`` around it if you cannot wait. Sending the same again
        under the same 16-byte ``id`` is safe: it is stored once."""
        return self._chat.send(self.name, text, reply_to=reply_to, attributes=attributes, id=id)

    async def send_file(self, source: Source, *, name: str | None = None,
                        reply_to: Placed | int | None = None,
                        attributes: Mapping[str, Any] | None = None, id: bytes | None = None,
                        progress: Progress | None = None) -> Receipt:
        """Sends a file into the room; see :meth:`Chat.send_file`."""
        return await self._chat.send_file(self.name, source, name=name, reply_to=reply_to,
                                          attributes=attributes, id=id, progress=progress)

    async def read_file(self, message: Placed | int, *, max_size: int = READ_MAX,
                        progress: Progress | None = None) -> bytes:
        """The bytes of a file that somebody sent, compared with its SHA-256."""
        return await self._chat.read_file(self.name, message, max_size=max_size,
                                          progress=progress)

    async def save_file(self, message: Placed | int, path: str | Path | None = None, *,
                        progress: Progress | None = None) -> Path:
        """Saves a file that somebody sent; see :meth:`Chat.save_file`."""
        return await self._chat.save_file(self.name, message, path, progress=progress)

    async def history(self, *, before: Placed | int | None = None,
                      after: Placed | int | None = None, around: Placed | int | None = None,
                      limit: int = 50) -> HistoryPage:
        """A page of the room's log: the newest records, or those before, after or around a message.
        At most ``limit`` records, which is 100 at the most."""
        return await self._chat.history(self.name, before=before, after=after, around=around,
                                        limit=limit)

    async def search(self, text: str, *, before: Placed | int | None = None,
                     limit: int = 50) -> SearchPage:
        """The newest messages of the room, or those before one, that have all of the words in
        ``text``, whatever the case of letters. At most ``limit`` of them, which is 100 at the
        most; :class:`quicchat.SearchPage` says how to go on."""
        return await self._chat.search(self.name, text, before=before, limit=limit)

    async def members(self) -> list[Member]:
        """All who belong to the room or are in it, sorted by name."""
        return await self._chat.members(self.name)

    async def leave(self) -> None:
        """Stops listening to the room. Whoever belongs to it still does."""
        await self._chat.leave(self.name)

    def __repr__(self) -> str:
        return f"<quicchat.Room {self.name}>"
