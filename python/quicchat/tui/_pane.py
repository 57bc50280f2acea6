"""A room of the full screen: its log, who is in it, and up to where a person has seen it."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from .._attributes import Attributes
from ..cli._followed import Followed
from ..cli._progress import size_text
from ..cli._show import ACTION, Lines, Wishes, now
from ..client import Room
from ..events import (
    ClientEvent,
    Gap,
    Joined,
    MarkerMoved,
    Member,
    MemberJoined,
    MemberLeft,
    Members,
    ProfileChanged,
    Typing,
)
from ..records import Message, RoleChanged, RoomRecord, TopicChanged
from ..roles import Role
from ..terminal import uncoloured
from ._room_log import Happened, Hole, RoomLog, Said

_MEMBERS_MAX = 2000
_TYPING_FOR = 8.0  # seconds; who types says it every few


@dataclass(slots=True, eq=False)
class Transfer:
    """A file on its way."""

    what: str
    done: int = 0
    size: int = 0

    def text(self, width: int = 12) -> str:
        """How far it is."""
        if not self.size:
            return self.what
        full = min(width, width * self.done // self.size)
        return (f"{self.what} {'█' * full}{'░' * (width - full)} "
                f"{100 * self.done // self.size} % of {size_text(self.size)}")


class LogLines(Lines):
    """Makes lines of what is said of the messages in a log."""

    def __init__(self, me: str, wishes: Wishes, pane: Pane) -> None:
        super().__init__(me, wishes)
        self._pane = pane

    def newest(self, *, mine: bool) -> int | None:
        for said in reversed(self._pane.log.messages()):
            if (said.sender.lower() == self.me.lower()) == mine and not said.deleted:
                return said.offset
        return None

    def find_file(self, offset: int | None) -> Message | None:
        for said in reversed(self._pane.log.messages()):
            if said.file is not None and offset in (None, said.offset):
                return self._pane.as_message(said)
        return None

    def seen(self, offset: int) -> Message | None:
        said = self._pane.log.quoted(offset)
        return None if said is None else self._pane.as_message(said)


class Pane(Followed):
    """One room. All that comes goes into its log; what is read is what was on the screen."""

    def __init__(self, room: Room, me: str, wishes: Wishes) -> None:
        super().__init__(room, LogLines(me, wishes, self), min(room.marker, room.next - 1))
        self.log = RoomLog(room.head)
        self.taken = room.next - 1  #: the newest record that has come
        self.topic = room.topic
        self.members: dict[str, Member] = {}  #: by the name in lower case
        self.markers: dict[str, tuple[str, int]] = {}  #: who has read up to where, as far as said
        self.divider: int | None = None  #: what is new begins behind this record
        self.sending: list[Transfer] = []
        self.opened = False  #: it was in front once
        self.is_loading = False
        self.asked_for: set[int] = set()  #: messages that are quoted and were looked for
        self.top = 0  #: the record at the top of the view, to come back to
        self._typing: dict[str, tuple[str, float]] = {}

    @property
    def is_shown(self) -> bool:
        return self.taken >= self.wanted

    def readable(self) -> int:
        return self.shown

    def note(self, event: ClientEvent) -> None:
        self.take(event)

    # What comes.

    def take(self, event: ClientEvent) -> None:
        """Whatever came for this room."""
        match event:
            case Gap():
                self._lose(event)
            case Joined():
                self.topic = event.topic
                self.log.head = max(self.log.head, event.head)
                if not event.recovered:
                    self.taken = max(self.taken, event.next - 1)
            case Members():
                self._take_present(event)
            case MemberJoined():
                before = self.members.get(event.user.lower())
                role = before.role if before is not None else Role.NONE
                self._keep(Member(event.user, role, True, event.display_name))
            case MemberLeft():
                self._go(event.user)
            case ProfileChanged():
                self.rename(event)
            case Typing():
                self._typing.pop(event.user.lower(), None)
                if event.typing and len(self._typing) < _MEMBERS_MAX:
                    self._typing[event.user.lower()] = (event.user, time.monotonic() + _TYPING_FOR)
            case MarkerMoved():
                if event.user.lower() in self.markers or len(self.markers) < _MEMBERS_MAX:
                    self.markers[event.user.lower()] = (event.user, event.offset)
            case _ if isinstance(event, RoomRecord):
                self._take_record(event)

    def _take_record(self, record: RoomRecord) -> None:
        self.log.add(record)
        self.taken = max(self.taken, record.offset)
        match record:
            case TopicChanged():
                self.topic = record.topic
            case RoleChanged():
                before = self.members.get(record.user.lower())
                present = before is not None and before.present
                name = before.display_name if before is not None else ""
                if record.role is Role.NONE and not present:
                    self.members.pop(record.user.lower(), None)
                else:
                    self._keep(Member(record.user, record.role, present, name))
            case Message():
                self.people[record.sender.lower()] = record.sender
                self._typing.pop(record.sender.lower(), None)
        if self.is_news(record):
            assert isinstance(record, Message)
            self.unread += 1
            self.mentions += self.lines.is_to_me(record)
        self.log.trim(self.top or self.log.head)

    def _lose(self, gap: Gap) -> None:
        if gap.cause == "new_epoch":
            self.log.clear(gap.last)
            self.shown = self.wanted = self.marked = self.taken = gap.last
            self.unread = self.mentions = self.top = 0
            self.divider = None
            self.markers.clear()
            self.asked_for.clear()
        else:
            self.log.pass_over(gap.first, gap.last)
            self.taken = max(self.taken, gap.last)
        self.log.remark(uncoloured(self.lines.line(gap)).removeprefix("* "), "event", now())

    def add_page(self, records: Iterable[RoomRecord], first: int, last: int, as_of: int) -> None:
        """Records of the room's past."""
        records = list(records)
        self.log.add_page(records, first, last, as_of)
        for record in records:
            if isinstance(record, Message):
                self.people.setdefault(record.sender.lower(), record.sender)
        self.recount()

    # People.

    def learn(self, people: Iterable[Member]) -> None:
        people = list(people)
        super().learn(people)
        self.members = {person.user.lower(): person for person in people[:_MEMBERS_MAX]}

    def _take_present(self, event: Members) -> None:
        here = {person.user.lower() for person in event.people}
        for person in event.people:
            self._keep(person)
            self.people.setdefault(person.user.lower(), person.user)
        if event.complete:
            for name in [name for name in self.members if name not in here]:
                self._go(name)

    def _keep(self, person: Member) -> None:
        if person.user.lower() in self.members or len(self.members) < _MEMBERS_MAX:
            self.members[person.user.lower()] = person

    def _go(self, user: str) -> None:
        person = self.members.get(user.lower())
        if person is not None and person.role is Role.NONE:
            del self.members[user.lower()]
        elif person is not None:
            self.members[user.lower()] = replace(person, present=False)
        self._typing.pop(user.lower(), None)

    def rename(self, event: ProfileChanged) -> None:
        """Somebody wants to be called something else."""
        person = self.members.get(event.user.lower())
        if person is not None:
            self.members[event.user.lower()] = replace(person, display_name=event.display_name)

    def typists(self) -> list[str]:
        """Who types just now."""
        return [user for user, until in self._typing.values() if until > time.monotonic()]

    def readers_of(self, offset: int, below: int) -> list[str]:
        """Others who have read up to that record and not up to the one below it on the screen."""
        return sorted(user for user, place in self.markers.values()
                      if offset <= place < below and user.lower() != self.lines.me.lower())

    # What is read.

    def see(self, offsets: Container[int]) -> None:
        """These records are on the screen."""
        end = self.log.known.end_from(self.shown + 1)
        for item in self.log.visible_after(self.shown):
            if item.offset > end:
                break
            if not (item.offset in offsets or self._needs_no_look(item)):
                end = item.offset - 1
                break
        if end > self.shown:
            self.shown = end
            self.recount()

    def _needs_no_look(self, item: Said | Happened) -> bool:
        who = item.sender if isinstance(item, Said) else item.record.sender
        return (who.lower() == self.lines.me.lower()
                or (isinstance(item, Said) and who.lower() in self.lines.wishes.ignored))

    def recount(self) -> None:
        """Counts what was not on the screen, if all of that is known."""
        seen = max(self.shown, self.marked)
        if self.log.known.missing(seen + 1, self.log.head):
            return
        news = [said for said in self.log.visible_after(seen)
                if isinstance(said, Said) and not said.deleted and not self._needs_no_look(said)]
        self.unread = len(news)
        self.mentions = sum(self.lines.is_to_me(self.as_message(said)) for said in news)

    def read_elsewhere(self, offset: int) -> None:
        if offset > self.marked:
            self.marked = offset
            self.shown = max(self.shown, offset)
            self.recount()

    def skip(self) -> None:
        """All there is need not be read."""
        self.shown = self.log.head
        self.unread = self.mentions = 0
        self.divider = None

    def first_unread(self) -> int | None:
        """The first record that was not on the screen, if there is one."""
        return self.shown + 1 if self.shown < self.log.head else None

    # Holes.

    def hole_at(self, offset: int) -> Hole | None:
        return next((hole for hole in self.log.holes() if hole.first <= offset <= hole.last), None)

    def as_message(self, said: Said) -> Message:
        """What is known of a message, for what knows no log."""
        return Message(self.name, self.room.epoch, said.offset, said.time, bytes(16), said.sender,
                       said.text, Attributes(json.dumps(ACTION) if said.is_action else "{}"),
                       said.reply_to, said.edited, said.deleted, said.file)
