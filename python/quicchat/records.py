"""What stands in a room's log, as frozen dataclasses: messages, and what happened to them and to
the room. All of a room come in one order, by their offsets.

Names and texts come from other people, as in :mod:`quicchat.events`: pass them through
:func:`quicchat.clean_text` before a terminal sees them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import _core
from ._attributes import Attributes, read_attributes
from ._plain import Plain
from .roles import Access, Role

__all__ = [
    "AccessChanged",
    "Attributes",
    "Deleted",
    "Edited",
    "FileInfo",
    "HistoryPage",
    "Message",
    "Reaction",
    "Record",
    "RoleChanged",
    "RoomCreated",
    "RoomRecord",
    "SearchPage",
    "TopicChanged",
]


# PROTOCOL.md §3.2 and §3.5, as in include/quicchat/base/mention.hpp: both read the same vectors.
_MENTION = re.compile(r"(?<![A-Za-z0-9_.-])@([A-Za-z0-9_.-]+)")
_NAME_MAX = 32


@dataclass(frozen=True, slots=True)
class Record(Plain):
    """What every record of a room's log has: where it stands, when, and who did it."""

    room: str
    epoch: int
    offset: int
    time: datetime  #: when the server stored it, in UTC
    id: bytes
    sender: str


@dataclass(frozen=True, slots=True)
class FileInfo(Plain):
    """What a message says of the file that it is. The message's text is the file's name; it is no
    path, and comes from somebody else: do not open anything by it."""

    size: int  #: in bytes
    sha256: str  #: 64 hexadecimal digits


@dataclass(frozen=True, slots=True)
class Message(Record):
    """A message in a room, also our own. Each comes once, in the room's order."""

    text: str
    attributes: Attributes  #: what was sent beside it, as a mapping
    reply_to: int | None = None  #: the offset of the message that it answers
    edited: bool = False  #: the text is a later one; the :class:`Edited` for it follows
    deleted: bool = False  #: the text is gone; the :class:`Deleted` for it follows
    file: FileInfo | None = None  #: it is a file; ``read_file`` and ``save_file`` fetch it

    def __post_init__(self) -> None:
        read_attributes(self)

    @property
    def mentions(self) -> tuple[str, ...]:
        """The user names that the text mentions as ``@name``, each once, as it stands there first.
        Whether there are such accounts is not known here."""
        names = (name.rstrip(".-") for name in _MENTION.findall(self.text))
        found: dict[str, str] = {}
        for name in names:
            if 1 <= len(name) <= _NAME_MAX:
                found.setdefault(name.lower(), name)
        return tuple(found.values())

    def mentions_user(self, name: str) -> bool:
        """True if the text mentions that account, whatever the case of its name."""
        return name.lower() in map(str.lower, self.mentions)


@dataclass(frozen=True, slots=True)
class Edited(Record):
    """The message at ``target`` has another text now."""

    target: int
    text: str
    attributes: Attributes
    deleted: bool = False  #: the text is gone: the message was deleted later

    def __post_init__(self) -> None:
        read_attributes(self)


@dataclass(frozen=True, slots=True)
class Deleted(Record):
    """The text of the message at ``target`` is gone. ``sender`` is who deleted it."""

    target: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reaction(Record):
    """Somebody put a short text, such as an emoji, under the message at ``target``; or, if it is
    ``removed``, took their own away again."""

    target: int
    text: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class TopicChanged(Record):
    """The room has another topic; an empty one is none."""

    topic: str


@dataclass(frozen=True, slots=True)
class RoleChanged(Record):
    """``user`` is now of that role, up to ``until`` if it ends by itself."""

    user: str
    role: Role
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class AccessChanged(Record):
    """Others may come into the room now than before."""

    access: Access


@dataclass(frozen=True, slots=True)
class RoomCreated(Record):
    """The first record of a room that somebody made."""

    name: str
    access: Access
    topic: str


RoomRecord = (
    Message | Edited | Deleted | Reaction | TopicChanged | RoleChanged | AccessChanged | RoomCreated
)


@dataclass(frozen=True, slots=True)
class HistoryPage(Plain):
    """A part of a room's log, in order.

    For the page before it ask with ``before=page.first``, for the one after it with
    ``after=page.last``. Messages are as they are now: edited or deleted.
    """

    room: str
    epoch: int
    records: tuple[RoomRecord, ...]
    reaches_start: bool  #: the server has nothing older
    reaches_head: bool  #: there was nothing newer
    #: The offsets of the first and the last record, also if it is of a kind that this version does
    #: not know, and not among ``records``; 0 if there is none.
    first: int = 0
    last: int = 0

    def __post_init__(self) -> None:
        if self.records and not self.first:
            object.__setattr__(self, "first", self.records[0].offset)
            object.__setattr__(self, "last", self.records[-1].offset)

    @property
    def messages(self) -> list[Message]:
        """Only the messages."""
        return [record for record in self.records if isinstance(record, Message)]


@dataclass(frozen=True, slots=True)
class SearchPage(Plain):
    """What a search has found so far, the newest first: as it is now, edited or not.

    The server looks at some thousand records for one request. To go on ask with ``before=next``,
    also if nothing was found yet, until ``next`` is None.
    """

    room: str
    epoch: int
    records: tuple[RoomRecord, ...]
    next: int | None  #: the records below this offset were not looked at; None: there are none

    @property
    def messages(self) -> list[Message]:
        """Only the messages."""
        return [record for record in self.records if isinstance(record, Message)]


def time_of(milliseconds: int) -> datetime:
    """What the core says is milliseconds since 1970. A server may say anything: what no calendar
    has is the end of Python's."""
    return _core.datetime_of(milliseconds)


def file_info(fields: tuple[int, str] | None) -> FileInfo | None:
    """What the core says of a file."""
    return None if fields is None else FileInfo(*fields)


def record_of(kind: str, fields: tuple[Any, ...]) -> RoomRecord | None:
    """The record that the core describes like this; None if it is of a kind that we do not know."""
    if kind == "unknown":
        return None
    room, epoch, offset, time, id, sender, *rest = fields
    head = (room, epoch, offset, time_of(time), id, sender)
    match kind:
        case "message":
            text, attributes, reply_to, edited, deleted, file = rest
            return Message(*head, text, attributes, reply_to or None, edited, deleted,
                           file_info(file))
        case "edited":
            return Edited(*head, *rest)
        case "deleted":
            return Deleted(*head, *rest)
        case "reaction":
            return Reaction(*head, *rest)
        case "topic":
            return TopicChanged(*head, *rest)
        case "role":
            user, role, until, reason = rest
            return RoleChanged(*head, user, Role(role), time_of(until) if until else None, reason)
        case "access":
            return AccessChanged(*head, Access(*rest))
        case "created":
            name, access, topic = rest
            return RoomCreated(*head, name, Access(access), topic)
    return None


def records_of(rows: list[tuple[str, tuple[Any, ...]]]) -> tuple[RoomRecord, ...]:
    """Those of a page that are of a kind that we know."""
    return tuple(record for kind, fields in rows if (record := record_of(kind, fields)))


def offsets_of(rows: list[tuple[str, tuple[Any, ...]]]) -> tuple[int, int]:
    """The first and the last offset of a page, whatever the kinds; 0 if it is empty."""
    return (rows[0][1][2], rows[-1][1][2]) if rows else (0, 0)
