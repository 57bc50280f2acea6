"""What the chat shows for an event: lines that a terminal may see."""

from __future__ import annotations

import re
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from ..events import (
    ClientEvent,
    Gap,
    GoingAway,
    MarkerMoved,
    MemberJoined,
    MemberLeft,
    NoAnswerYet,
    Online,
    PrivateMessage,
    ProfileChanged,
    Reconnecting,
    RoomLeft,
    StorageTrouble,
    Typing,
)
from ..records import (
    AccessChanged,
    Deleted,
    Edited,
    FileInfo,
    Message,
    Reaction,
    RoleChanged,
    RoomCreated,
    RoomRecord,
    TopicChanged,
)
from ..roles import Access, Role
from ..terminal import Clean, clean_body, clean_line, paint, uses_colours
from ._progress import size_text

_REMEMBERED_MAX = 1000  # messages that a later line may quote
_QUOTE_MAX = 30  # characters

#: The attributes of a message that says what its sender does.
ACTION = {"action": True}

_NAME_COLOURS = ("green", "yellow", "cyan", "magenta", "blue")

_ROLES = {Role.NONE: "no member", Role.BANNED: "banned", Role.MUTED: "muted",
          Role.MEMBER: "a member", Role.MODERATOR: "a moderator", Role.OWNER: "an owner"}
_ACCESS = {Access.EVERYBODY: "for everybody", Access.INVITATION: "by invitation",
           Access.ARCHIVED: "archived: nobody writes in it any more"}


@dataclass(slots=True)
class Wishes:
    """What a person wants to see."""

    numbers: bool = False  #: messages with their offsets
    typing: bool = False  #: that others type
    markers: bool = False  #: how far others have read
    ignored: set[str] = field(default_factory=set)  #: people whose words are not shown
    words: set[str] = field(default_factory=set)  #: who says one of these speaks to us
    on_change: Callable[[], None] = lambda: None  #: called when these two change


class Lines:
    """Makes lines of the events of one room, and knows its messages that were shown lately."""

    def __init__(self, me: str, wishes: Wishes | None = None) -> None:
        self.me = me
        self.wishes = wishes or Wishes()
        self._seen: OrderedDict[int, Message] = OrderedDict()

    def forget(self) -> None:
        """Another life of the room's log: offsets mean other messages now."""
        self._seen.clear()

    def ignores(self, event: ClientEvent) -> bool:
        """Whether it is something said by a person whose words are not wanted."""
        return (isinstance(event, Message | Edited | Reaction | PrivateMessage)
                and event.sender.lower() in self.wishes.ignored)

    def is_to_me(self, message: Message) -> bool:
        """Whether it mentions us, or has a word in it that we look out for."""
        return message.mentions_user(self.me) or any(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", message.text, re.IGNORECASE)
            for word in self.wishes.words)

    def is_mine(self, message: Message | PrivateMessage) -> bool:
        """Whether we have said it, on whatever device."""
        return message.sender.lower() == self.me.lower()

    def stamp(self, when: datetime) -> Clean:
        """The time before a line, in this computer's time zone."""
        local = _local(when)
        return _dim(f"{local:%H:%M}" if local else "--:--") + " "

    def stamp_now(self) -> Clean:
        """The time of what has none of its own."""
        return self.stamp(now())

    def remember(self, message: Message) -> None:
        self._seen[message.offset] = message
        while len(self._seen) > _REMEMBERED_MAX:
            self._seen.popitem(last=False)

    def note(self, record: RoomRecord) -> None:
        """Messages that are changed are quoted as they are now."""
        match record:
            case Edited() if not record.deleted and record.target in self._seen:
                self._seen[record.target] = replace(self._seen[record.target], text=record.text)
            case Deleted() if record.target in self._seen:
                self._seen[record.target] = replace(self._seen[record.target], text="",
                                                    deleted=True)

    def newest(self, *, mine: bool) -> int | None:
        """The offset of the newest message of ours, or of others."""
        for offset, message in reversed(self._seen.items()):
            if self.is_mine(message) == mine and not message.deleted:
                return offset
        return None

    def find_file(self, offset: int | None) -> Message | None:
        """The message of that offset if it is a file; without one, the newest file."""
        for message in reversed(self._seen.values()):
            if message.file is not None and offset in (None, message.offset):
                return message
        return None

    def seen(self, offset: int) -> Message | None:
        """A message that was shown lately, as it is now."""
        return self._seen.get(offset)

    def quote(self, offset: int) -> str:
        """The first words of a message, by its offset. Not cleaned."""
        message = self.seen(offset)
        if message is None:
            return f"message #{offset}"
        text = message.text.replace("\n", " ")
        short = text if len(text) <= _QUOTE_MAX else text[:_QUOTE_MAX - 3] + "..."
        return f'{message.sender}\'s "{short}"' if text else f"message #{offset}"

    def line(self, event: ClientEvent) -> Clean:
        """What is shown for an event; nothing for some."""
        match event:
            case PrivateMessage() if self.is_mine(event):
                return _private(f"[to {event.recipient}]", _private_text(event))
            case PrivateMessage():
                return _private(f"[from {event.sender}]", _private_text(event))
            case MemberJoined():
                return _dim(f"* {called(event.user, event.display_name)} is here")
            case MemberLeft():
                return _dim(f"* {event.user} has left")
            case ProfileChanged(display_name=""):
                return _dim(f"* {event.user} is called by the user name again")
            case ProfileChanged():
                return _dim(f"* {event.user} is called {event.display_name} now")
            case RoomLeft():
                return _dim(f"* you are out of {event.room}{_why_out(event)}")
            case Reconnecting():
                return paint(f"* connection lost: {event.cause}; trying again in "
                             f"{max(1, round(event.delay))} s", "yellow", sys.stdout)
            case Online():
                return paint("* back online", "green", sys.stdout)
            case StorageTrouble(error=""):
                return _dim("* what has no answer is kept again")
            case StorageTrouble():
                return paint(f"* what has no answer is not kept: {event.text}", "yellow",
                             sys.stdout)
            case NoAnswerYet():
                return _dim("* no answer yet from the server; still waiting")
            case Gap():
                return _dim(f"* {_lost(event)}")
            case GoingAway():
                return paint(f"* the server is going away {event.text}".rstrip(),
                             "yellow", sys.stdout)
            case Typing(typing=True) if self.wishes.typing:
                return _dim(f"* {event.user} is typing")
            case MarkerMoved() if self.wishes.markers and event.user.lower() != self.me.lower():
                return _dim(f"* {event.user} has read up to "
                            f"{self.quote(event.offset)}")
            case (Message() | Edited() | Deleted() | Reaction() | TopicChanged() | RoleChanged()
                  | AccessChanged() | RoomCreated()):
                return self.record(event, numbered=self.wishes.numbers)
        return clean_line("")

    def record(self, record: RoomRecord, *, numbered: bool, times: bool = False) -> Clean:
        """What stands in a room's log, perhaps with its number and time before it."""
        line = self._message(record) if isinstance(record, Message) else _dim(self._act(record))
        number = f"#{record.offset} " if numbered else ""
        when = f"{clock(record.time)} " if times else ""
        return clean_line(number + when) + line

    def _message(self, message: Message) -> Clean:
        name = self._name(message)
        if message.deleted:
            return name + " " + _dim("(deleted)")
        answer = f"(to {self.quote(message.reply_to)}) " if message.reply_to else ""
        if message.file is not None:
            return name + " " + answer + _dim(_file(message.text, message.file)
                                              + f"; /save #{message.offset}")
        edited = " (edited)" if message.edited else ""
        if is_action(message):
            name = self._name(message, "*", "*")
        return name + " " + answer + clean_body(message.text) + edited

    def _name(self, message: Message, before: str = "<", after: str = ">") -> Clean:
        """Who said it; marked if it is to us: bold, or by a mark that no name has."""
        name = f"{before}{message.sender}{after}"
        if self.is_mine(message) or not self.is_to_me(message):
            return paint(name, colour_of(message.sender), sys.stdout)
        if uses_colours(sys.stdout):
            return paint(name, "bold", sys.stdout)
        return clean_line(f"{name}!")

    def _act(self, record: RoomRecord) -> str:
        who = record.sender
        match record:
            case Edited(deleted=True):
                return f"* {who} changed {self.quote(record.target)}; it was deleted later"
            case Edited():
                return (f"* {who} changed {self.quote(record.target)} to: "
                        + clean_body(record.text))
            case Deleted():
                return f"* {who} deleted {self.quote(record.target)}{_because(record.reason)}"
            case Reaction(removed=True):
                return f"* {who} took {record.text} off {self.quote(record.target)}"
            case Reaction():
                return f"* {who}: {record.text} to {self.quote(record.target)}"
            case TopicChanged(topic=""):
                return f"* {who} took the topic away"
            case TopicChanged():
                return f"* {who} set the topic: {record.topic}"
            case RoleChanged():
                return f"* {who} {_appointment(record)}{_because(record.reason)}"
            case AccessChanged():
                return f"* {who} made the room {_ACCESS[record.access]}"
            case RoomCreated():
                topic = f" about: {record.topic}" if record.topic else ""
                return f"* {who} made this room, {_ACCESS[record.access]}{topic}"
        return ""


def colour_of(name: str) -> str:
    """The same for a person everywhere."""
    return _NAME_COLOURS[sum(name.lower().encode(errors="replace")) % len(_NAME_COLOURS)]


def is_action(message: Message) -> bool:
    """Whether it says what somebody does."""
    return message.attributes.get("action") is True


def _file(name: str, file: FileInfo) -> str:
    return f"has sent the file {name} ({size_text(file.size)})"


def _private_text(event: PrivateMessage) -> str:
    if event.file is None:
        return event.text
    return f"(the file {event.text}, {size_text(event.file.size)})"


def called(user: str, display_name: str) -> str:
    """The name that somebody chose, and the one that is theirs alone. Not cleaned."""
    return f"{display_name} ({user})" if display_name else user


def role_name(role: Role) -> str:
    """In one word."""
    return role.name.lower()


def _appointment(change: RoleChanged) -> str:
    user = change.user
    until = f" until {clock(change.until)}" if change.until else ""
    if change.role is Role.NONE and change.user.lower() == change.sender.lower():
        return "has left for good"
    match change.role:
        case Role.NONE:
            return f"removed {user} from the room"
        case Role.BANNED:
            return f"banned {user}{until}"
        case Role.MUTED:
            return f"muted {user}{until}"
    return f"made {user} {_ROLES[change.role]}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _why_out(event: RoomLeft) -> str:
    if event.error == "closed":
        return ""
    text = "somebody removed you" if event.error == "removed" else ""
    return "".join(f": {part}" for part in (text, event.text) if part)


def clock(time: datetime) -> str:
    """In this computer's time zone; with the day, if that is another one."""
    local = _local(time)
    if local is None:
        return "a time far away"
    today = datetime.now().astimezone().date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def now() -> datetime:
    return datetime.now().astimezone()


def day_of(time: datetime) -> date | None:
    """In this computer's time zone; None if nobody can say."""
    local = _local(time)
    return None if local is None else local.date()


def day_text(day: date) -> str:
    """For people."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _local(time: datetime) -> datetime | None:
    """None for a time far away: a server may say anything."""
    try:
        return time.astimezone()
    except (OverflowError, ValueError, OSError):
        return None


def _private(whose: str, text: str) -> Clean:
    return paint(whose, "yellow", sys.stdout) + " " + clean_body(text)


def _dim(text: str) -> Clean:
    return paint(text, "dim", sys.stdout)


def _lost(event: Gap) -> str:
    count = event.last - event.first + 1
    match event.cause:
        case "new_epoch":
            return "the server has lost the room's messages; what was written meanwhile is unknown"
        case "rolled_back":
            return f"the server was set back: it does not know the last {count} messages any more"
        case "left":
            return f"{count} messages from before we were out of the room are not shown to us"
    return f"{count} older messages are not kept any more"
