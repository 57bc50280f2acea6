"""The commands of the chat: what is typed after a slash."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .._calls import offset_of
from ..errors import RequestError
from ..events import Member
from ..roles import Access, Role
from ._progress import Progress
from ._show import called, role_name

if TYPE_CHECKING:
    from ._session import Session

_HISTORY_DEFAULT = 20
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ACCESS = {"everybody": Access.EVERYBODY, "invitation": Access.INVITATION,
           "archived": Access.ARCHIVED}


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, what it does in words, and the function that does it."""

    usage: str
    help: str
    run: Callable[[Session, str], Awaitable[None]]

    @property
    def name(self) -> str:
        return self.usage.split()[0]


class Usage(ValueError):
    """A command was typed in a way that it cannot be understood."""


def _words(text: str, count: int) -> list[str]:
    """The first so many words, and the rest as one. Missing ones are empty."""
    parts = text.split(None, count)
    return parts + [""] * (count + 1 - len(parts))


def _need(text: str, what: str) -> str:
    if not text:
        raise Usage(f"say {what}, too; /help shows how")
    return text


def _number(text: str) -> tuple[int | None, str]:
    """A message's number such as #12 at the beginning of a text, and the rest."""
    found = re.match(r"#(\d{1,18})(?:\s+|$)", text)
    return (int(found[1]), text[found.end():]) if found else (None, text)


def _duration(text: str) -> tuple[timedelta | None, str]:
    """A time such as 10m, 2h or 3d at the beginning of a text, and the rest."""
    found = re.match(r"(\d{1,5})([mhd])(?:\s+|$)", text)
    return (int(found[1]) * _UNITS[found[2]], text[found.end():]) if found else (None, text)


def _user(text: str) -> tuple[str, str]:
    """A user's name, with or without an @, and the rest."""
    name, rest = _words(text, 1)
    return _need(name.removeprefix("@"), "whom"), rest


async def _own(session: Session, number: int | None) -> int:
    """The message that is meant: that number, or our newest one."""
    if number is not None:
        return number
    await session.catch_up()
    offset = session.lines.newest(mine=True)
    if offset is None:
        raise ValueError("you have written nothing here yet; /history shows messages with numbers")
    return offset


async def _others(session: Session, number: int | None) -> int:
    """The message that is meant: that number, or the newest one of somebody else."""
    if number is not None:
        return number
    await session.catch_up()
    offset = session.lines.newest(mine=False)
    if offset is None:
        raise ValueError("nobody else has written anything here; /history shows messages with "
                         "numbers, and a number such as #12 says which one you mean")
    return offset


# Who and where.

async def _who(session: Session, _: str) -> None:
    await session.catch_up()
    people = await session.chat.members(session.here().name)
    names = [called(p.user, p.display_name) for p in people if p.present]
    session.screen.note(f"here: {', '.join(names)}")


async def _members(session: Session, _: str) -> None:
    await session.catch_up()
    for person in await session.chat.members(session.here().name):
        session.screen.note(_person(person))


def _person(person: Member) -> str:
    name = called(person.user, person.display_name)
    return f"{name}: {role_name(person.role)}, {'here' if person.present else 'away'}"


async def _name(session: Session, text: str) -> None:
    await session.catch_up()
    try:
        await session.chat.set_display_name(text)
    except RequestError as error:
        if error.name != "forbidden":
            raise
        raise ValueError(f"{text} is the user name of somebody else") from None
    session.screen.note(f"you are called {text} now" if text
                        else "you are called by your user name again")


async def _rooms(session: Session, _: str) -> None:
    await session.catch_up()
    for room in await session.chat.rooms():
        unread = f", {room.unread}{'+' if room.unread >= 100 else ''} unread" if room.unread else ""
        unread += f", {room.mentions} of them to you" if room.mentions else ""
        access = "" if room.access is Access.EVERYBODY else f", {room.access.name.lower()}"
        topic = f": {room.topic}" if room.topic else ""
        session.screen.note(f"{room.room}{access}{unread}{topic}")


async def _join(session: Session, text: str) -> None:
    name = _need(text, "which room")
    await session.catch_up()
    room = await session.enter(name)
    session.screen.note(f"in {room.name}" + (f"; topic: {room.topic}" if room.topic else ""))


async def _create(session: Session, text: str) -> None:
    await session.catch_up()
    name, rest = _words(text, 1)
    word, topic = _words(rest, 1)
    access = Access.EVERYBODY
    if word == "invitation":
        access = Access.INVITATION
    else:
        topic = rest
    await session.chat.create_room(_need(name, "the name of the room"), access=access, topic=topic)
    room = await session.enter(name)
    session.screen.note(f"made {room.name}; it is yours, and you are in it")


async def _leave(session: Session, text: str) -> None:
    session.do(session.here().leave_for_good(text))


# The room itself.

async def _topic(session: Session, text: str) -> None:
    if text:
        session.do(session.here().set_topic(text))
        return
    await session.catch_up()
    here = session.here().name
    topics = [room.topic for room in await session.chat.rooms() if room.room == here]
    session.screen.note(f"topic: {topics[0]}" if topics and topics[0] else "there is no topic")


async def _invite(session: Session, text: str) -> None:
    session.do(session.here().invite(*_user(text)))


async def _kick(session: Session, text: str) -> None:
    session.do(session.here().kick(*_user(text)))


async def _ban(session: Session, text: str) -> None:
    user, rest = _user(text)
    until, reason = _duration(rest)
    session.do(session.here().ban(user, reason, until=until))


async def _unban(session: Session, text: str) -> None:
    session.do(session.here().unban(*_user(text)))


async def _mute(session: Session, text: str) -> None:
    user, rest = _user(text)
    until, reason = _duration(rest)
    session.do(session.here().mute(user, reason, until=until))


async def _unmute(session: Session, text: str) -> None:
    session.do(session.here().unmute(*_user(text)))


async def _role(session: Session, text: str) -> None:
    user, rest = _user(text)
    word, reason = _words(rest, 1)
    if word.upper() not in Role.__members__:
        raise Usage(f"a role is one of {', '.join(map(role_name, Role))}")
    session.do(session.here().set_role(user, Role[word.upper()], reason=reason))


async def _access(session: Session, text: str) -> None:
    if text not in _ACCESS:
        raise Usage(f"say one of {', '.join(_ACCESS)}")
    session.do(session.here().set_access(_ACCESS[text]))


async def _archive(session: Session, _: str) -> None:
    session.do(session.here().set_access(Access.ARCHIVED))


# Messages.

async def _history(session: Session, text: str) -> None:
    number, rest = _number(text)
    if rest and not (rest.isdecimal() and 1 <= int(rest) <= 100):
        raise Usage("say how many messages, 1 to 100, and perhaps before that which number they "
                    "come before: /history #120 50")
    await session.catch_up()
    page = await session.here().history(before=number, limit=int(rest or _HISTORY_DEFAULT))
    for record in page.records:
        session.screen.say(session.lines.record(record, numbered=True, times=True))
    if page.reaches_start:
        session.screen.note("that is all there was before" if page.records else "there is nothing")
    else:
        session.screen.note(f"more: /history #{page.first}")


async def _search(session: Session, text: str) -> None:
    number, words = _number(text)
    _need(words, "the words")
    await session.catch_up()
    page = await session.here().search(words, before=number)
    for record in reversed(page.records):
        session.screen.say(session.lines.record(record, numbered=True, times=True))
    if page.next is not None:
        found = "" if page.records else "nothing yet; "
        session.screen.note(f"{found}more: /search #{page.next} {words}")
    else:
        session.screen.note("that is all" if page.records else "nothing was found")


async def _edit(session: Session, text: str) -> None:
    number, rest = _number(text)
    _need(rest, "the new text")
    session.do(session.here().edit(await _own(session, number), rest))


async def _delete(session: Session, text: str) -> None:
    number, reason = _number(text)
    session.do(session.here().delete(await _own(session, number), reason))


async def _reply(session: Session, text: str) -> None:
    number, rest = _number(text)
    session.say(_need(rest, "what you answer"), await _others(session, number))


async def _react(session: Session, text: str) -> None:
    number, rest = _number(text)
    session.do(session.here().react(await _others(session, number), _need(rest, "with what")))


async def _unreact(session: Session, text: str) -> None:
    number, rest = _number(text)
    session.do(session.here().unreact(await _others(session, number), _need(rest, "what")))


# Files.

async def _send_file(session: Session, text: str) -> None:
    path = Path(_need(text, "the path of a file")).expanduser()
    bar = Progress(session.screen.note, f"sending {path.name}")
    session.do_beside(session.here().send_file(path, progress=bar.step))


async def _save(session: Session, text: str) -> None:
    number, rest = _number(text)
    await session.catch_up()
    room = session.here()
    message = session.lines.find_file(number)
    if message is None and number is None:
        raise ValueError("no file was shown here; /history shows messages with their numbers, and "
                         "a number such as #12 says which file is meant")
    place = message if message is not None else number
    assert place is not None
    bar = Progress(session.screen.note, f"fetching #{offset_of(place)}")

    async def save() -> None:
        path = await room.save_file(place, Path(rest).expanduser() if rest else None,
                                    progress=bar.step)
        session.screen.note(f"saved as {path}")

    session.run_beside(save())


# What is shown and told.

def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise Usage("say on or off")
    return text == "on"


async def _read(session: Session, text: str) -> None:
    session.shares_markers = session.lines.markers = _switch(text)


async def _typing(session: Session, text: str) -> None:
    session.sends_typing = session.lines.typing = _switch(text)


async def _numbers(session: Session, text: str) -> None:
    session.lines.numbers = _switch(text)


async def _help(session: Session, text: str) -> None:
    if text:
        command = find_command(text if text.startswith("/") else f"/{text}")
        if command is None:
            raise ValueError(f"no such command: {text}")
        session.screen.note(f"{command.usage}: {command.help}")
        return
    width = max(len(command.usage) for command in COMMANDS)
    for command in COMMANDS:
        session.screen.note(f"{command.usage:{width}}  {command.help}")
    session.screen.note("A number such as #12 says which message is meant; /history shows them.")


async def _quit(session: Session, _: str) -> None:
    """The loop that reads lines ends at it."""


COMMANDS = (
    Command("/who", "who is here", _who),
    Command("/members", "who belongs to the room, with their roles", _members),
    Command("/name [TEXT]", "be called that beside your user name; alone: by that one again",
            _name),
    Command("/rooms", "the rooms that you may see, with what is unread", _rooms),
    Command("/join ROOM", "go to another room; @name is the one that you share with that person",
            _join),
    Command("/create ROOM [invitation] [TOPIC]", "make a room; by invitation others do not see it",
            _create),
    Command("/leave [REASON]", "leave the room for good", _leave),
    Command("/history [#12] [COUNT]",
            "messages with their numbers: the newest, or those before #12", _history),
    Command("/search [#12] WORDS", "messages with these words: the newest, or those before #12",
            _search),
    Command("/edit [#12] TEXT", "give your last message, or that one, another text", _edit),
    Command("/delete [#12] [REASON]", "take your last message, or that one, away", _delete),
    Command("/reply [#12] TEXT", "answer the last message of somebody else, or that one", _reply),
    Command("/send PATH", "send a file into the room", _send_file),
    Command("/save [#12] [PATH]", "save the last file that somebody sent, or that one", _save),
    Command("/react [#12] EMOJI", "put a short text under it", _react),
    Command("/unreact [#12] EMOJI", "take it away again", _unreact),
    Command("/topic [TEXT]", "what the room is about, or from now on", _topic),
    Command("/invite NAME [REASON]", "make somebody a member", _invite),
    Command("/kick NAME [REASON]", "take somebody out; they may come back", _kick),
    Command("/ban NAME [10m|2h|3d] [REASON]", "take somebody out, and keep them out", _ban),
    Command("/unban NAME", "forget a ban", _unban),
    Command("/mute NAME [10m|2h|3d] [REASON]", "let somebody read only", _mute),
    Command("/unmute NAME", "let them write again", _unmute),
    Command("/role NAME ROLE [REASON]", "owner, moderator, member, muted, banned or none", _role),
    Command("/access everybody|invitation", "who may come in", _access),
    Command("/archive", "keep the room as it is: nobody writes in it any more", _archive),
    Command("/read on|off", "tell the others how far you have read, and see how far they have",
            _read),
    Command("/typing on|off", "tell the others that you type, and see when they do", _typing),
    Command("/numbers on|off", "show messages with their numbers", _numbers),
    Command("/help [COMMAND]", "this", _help),
    Command("/quit", "leave the chat", _quit),
)
_BY_NAME = {command.name: command for command in COMMANDS}


def find_command(word: str) -> Command | None:
    """The command that begins with that word, in any case."""
    return _BY_NAME.get(word.lower())
