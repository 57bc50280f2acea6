"""The commands of the chat that are about rooms and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import RequestError
from ..events import Member
from ..roles import Access, Role
from ._show import called, role_name
from ._typed import Usage, duration_in, need, switch_in, user_in, words_of

if TYPE_CHECKING:
    from ._session import Session

_ACCESS = {"everybody": Access.EVERYBODY, "invitation": Access.INVITATION,
           "archived": Access.ARCHIVED}


# Who and where.

async def who(session: Session, _: str) -> None:
    await session.catch_up()
    people = await session.chat.members(session.here().name)
    names = [called(p.user, p.display_name) for p in people if p.present]
    session.screen.note(f"here: {', '.join(names)}")


async def members(session: Session, _: str) -> None:
    await session.catch_up()
    for person in await session.chat.members(session.here().name):
        session.screen.note(_person(person))


def _person(person: Member) -> str:
    name = called(person.user, person.display_name)
    return f"{name}: {role_name(person.role)}, {'here' if person.present else 'away'}"


async def name(session: Session, text: str) -> None:
    await session.catch_up()
    try:
        await session.chat.set_display_name(text)
    except RequestError as error:
        if error.name != "forbidden":
            raise
        raise ValueError(f"{text} is the user name of somebody else") from None
    session.screen.note(f"you are called {text} now" if text
                        else "you are called by your user name again")


async def rooms(session: Session, _: str) -> None:
    await session.catch_up()
    for room in await session.list_rooms():
        unread = f", {room.unread}{'+' if room.unread >= 100 else ''} unread" if room.unread else ""
        unread += f", {room.mentions} of them to you" if room.mentions else ""
        access = "" if room.access is Access.EVERYBODY else f", {room.access.name.lower()}"
        topic = f": {room.topic}" if room.topic else ""
        session.screen.note(f"{room.room}{access}{unread}{topic}")


async def join(session: Session, text: str) -> None:
    name = need(text, "which room")
    await session.catch_up()
    room = await session.windows.enter(name)
    session.screen.note(f"in {room.name}" + (f"; topic: {room.topic}" if room.topic else ""))


async def create(session: Session, text: str) -> None:
    await session.catch_up()
    name, rest = words_of(text, 1)
    word, topic = words_of(rest, 1)
    access = Access.EVERYBODY
    if word == "invitation":
        access = Access.INVITATION
    else:
        topic = rest
    await session.chat.create_room(need(name, "the name of the room"), access=access, topic=topic)
    room = await session.windows.enter(name)
    session.screen.note(f"made {room.name}; it is yours, and you are in it")


async def leave(session: Session, text: str) -> None:
    session.here()
    session.do(session.windows.leave_for_good, session.windows.front, text)


async def win(session: Session, text: str) -> None:
    windows = session.windows.all()
    if not text:
        for number, window in enumerate(windows, 1):
            unread = f", {window.unread} unread" if window.unread else ""
            here = ", here" if window is session.windows.front else ""
            session.screen.note(f"{number} {window.name}{unread}{here}")
    elif text.isdecimal():
        if not 1 <= int(text) <= len(windows):
            raise Usage(f"there are {len(windows)} of them; /win lists them")
        await session.windows.bring(windows[int(text) - 1])
    else:
        await join(session, text)


async def part(session: Session, text: str) -> None:
    name = text or session.here().name
    window = session.windows.find(name)
    if window is None:
        raise ValueError(f"you do not follow {name}; /win lists the rooms that you do")
    await session.catch_up()
    await session.windows.part(window)


# The room itself.

async def topic(session: Session, text: str) -> None:
    if text:
        session.do(session.here().set_topic, text)
        return
    await session.catch_up()
    here = session.here().name
    topics = [room.topic for room in await session.chat.rooms() if room.room == here]
    session.screen.note(f"topic: {topics[0]}" if topics and topics[0] else "there is no topic")


async def invite(session: Session, text: str) -> None:
    session.do(session.here().invite, *user_in(text))


async def kick(session: Session, text: str) -> None:
    session.do(session.here().kick, *user_in(text))


async def ban(session: Session, text: str) -> None:
    user, rest = user_in(text)
    until, reason = duration_in(rest)
    session.do(session.here().ban, user, reason, until=until)


async def unban(session: Session, text: str) -> None:
    session.do(session.here().unban, *user_in(text))


async def mute(session: Session, text: str) -> None:
    user, rest = user_in(text)
    until, reason = duration_in(rest)
    session.do(session.here().mute, user, reason, until=until)


async def unmute(session: Session, text: str) -> None:
    session.do(session.here().unmute, *user_in(text))


async def role(session: Session, text: str) -> None:
    user, rest = user_in(text)
    word, reason = words_of(rest, 1)
    if word.upper() not in Role.__members__:
        raise Usage(f"a role is one of {', '.join(map(role_name, Role))}")
    session.do(session.here().set_role, user, Role[word.upper()], reason=reason)


async def access(session: Session, text: str) -> None:
    if text not in _ACCESS:
        raise Usage(f"say one of {', '.join(_ACCESS)}")
    session.do(session.here().set_access, _ACCESS[text])


async def archive(session: Session, _: str) -> None:
    session.do(session.here().set_access, Access.ARCHIVED)


# What is shown and told.

async def read(session: Session, text: str) -> None:
    session.windows.shares_markers = session.wishes.markers = switch_in(text)


async def typing(session: Session, text: str) -> None:
    session.sends_typing = session.wishes.typing = switch_in(text)


async def numbers(session: Session, text: str) -> None:
    session.wishes.numbers = switch_in(text)


async def ignore(session: Session, text: str) -> None:
    ignored = session.wishes.ignored
    if text:
        ignored.add(user_in(text)[0].lower())
        session.wishes.on_change()
    session.screen.note(f"ignored: {', '.join(sorted(ignored)) or 'nobody'}")


async def highlight(session: Session, text: str) -> None:
    words = session.wishes.words
    if text:
        words ^= {text.lower()}  # the same again takes it away
        session.wishes.on_change()
    session.screen.note(f"words that call you: {', '.join(sorted(words)) or 'none'}")


async def unignore(session: Session, text: str) -> None:
    name, _ = user_in(text)
    if name.lower() not in session.wishes.ignored:
        raise ValueError(f"you do not ignore {name}")
    session.wishes.ignored.discard(name.lower())
    session.wishes.on_change()
