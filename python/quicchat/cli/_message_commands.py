"""The commands of the chat that are about messages and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._calls import offset_of
from ._show import ACTION
from ._typed import Usage, need, number_in, user_in

if TYPE_CHECKING:
    from ._session import Session

_HISTORY_DEFAULT = 20


# Messages.

async def history(session: Session, text: str) -> None:
    number, rest = number_in(text)
    if rest and not (rest.isdecimal() and 1 <= int(rest) <= 100):
        raise Usage("say how many messages, 1 to 100, and perhaps before that which number they "
                    "come before: /history #120 50")
    await session.catch_up()
    page = await session.here().history(before=number, limit=int(rest or _HISTORY_DEFAULT))
    if page.reaches_start:
        remark = "that is all there was before" if page.records else "there is nothing"
    else:
        remark = f"more: /history #{page.first}"
    session.screen.show_page(session.lines, page, remark)


async def unread(session: Session, text: str) -> None:
    if text not in ("", "skip"):
        raise Usage("say nothing more, or skip")
    await session.catch_up()
    session.here()
    if text:
        session.windows.skip_left_out()
    elif not await session.windows.show_left_out():
        session.screen.note("all that was unread here has been shown")


async def search(session: Session, text: str) -> None:
    number, words = number_in(text)
    need(words, "the words")
    await session.catch_up()
    page = await session.here().search(words.replace('"', " "), before=number)
    if page.next is not None:
        found = "" if page.records else "nothing yet; "
        remark = f"{found}more: /search #{page.next} {words}"
    else:
        remark = "that is all" if page.records else "nothing was found"
    session.screen.show_found(session.lines, page, remark)


async def me(session: Session, text: str) -> None:
    session.say(need(text, "what you do"), attributes=ACTION)


async def msg(session: Session, text: str) -> None:
    name, rest = user_in(text)
    session.tell(name, need(rest, "what you tell them"))


async def edit(session: Session, text: str) -> None:
    number, rest = number_in(text)
    need(rest, "the new text")
    session.do(session.here().edit, await _own(session, number), rest)


async def delete(session: Session, text: str) -> None:
    number, reason = number_in(text)
    session.do(session.here().delete, await _own(session, number), reason)


async def reply(session: Session, text: str) -> None:
    number, rest = number_in(text)
    session.say(need(rest, "what you answer"), await _others(session, number))


async def react(session: Session, text: str) -> None:
    number, rest = number_in(text)
    what = need(rest, "with what")
    session.do(session.here().react, await _others(session, number), what)


async def unreact(session: Session, text: str) -> None:
    number, rest = number_in(text)
    what = need(rest, "what")
    session.do(session.here().unreact, await _others(session, number), what)


# Files.

async def send_file(session: Session, text: str) -> None:
    path = Path(need(text, "the path of a file")).expanduser()
    room = session.here()
    bar = session.screen.progress(f"sending {path.name}", session.windows.front)
    session.do_beside(room.send_file, path, bar=bar)


async def save(session: Session, text: str) -> None:
    number, rest = number_in(text)
    await session.catch_up()
    room = session.here()
    message = session.lines.find_file(number)
    if message is None and number is None:
        raise ValueError("no file was shown here; /history shows messages with their numbers, and "
                         "a number such as #12 says which file is meant")
    place = message if message is not None else number
    assert place is not None
    bar = session.screen.progress(f"fetching #{offset_of(place)}", session.windows.front,
                                  offset_of(place))

    async def save() -> None:
        said = ""
        try:
            path = await room.save_file(place, Path(rest).expanduser() if rest else None,
                                        progress=bar.step)
            said = f"saved as {path}"
        finally:
            bar.end(said)

    session.run_beside(save())


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
