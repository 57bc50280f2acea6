"""``quicchat tail``: what was said in a room, and what is."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from functools import partial

from .._calls import PAGE_MAX
from .._pacing import paced
from .._plain import as_json
from ..client import Chat
from ..errors import ConfigError
from ..events import ClientEvent, Gap, RoomLeft
from ..records import Message, RoomRecord
from ..terminal import show
from ._login import add_login_arguments, with_login
from ._show import Lines

NAME = "tail"
HELP = "Print the newest of a room, or all from a number on, and follow it."
EXAMPLES = """examples:
  quicchat tail '#lobby'                                  the last 10, with their numbers
  quicchat tail '#lobby' --from 120 --follow              all from number 120 on, and what comes
  quicchat tail '#ops' -f -n 0 --json | jq .text          what comes, for programs

With --json each line is an object: "type" is message, edited, deleted, reaction, topic_changed,
role_changed, access_changed, room_created, or gap for what is not kept any more. A lost connection
is made again, and goes on with the first that was missed. Nothing is marked as read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("room", metavar="ROOM", help="a room, or @name for that of you two")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("-n", "--last", type=int, default=10, metavar="N",
                       help="the last N (default: 10)")
    begin.add_argument("--from", type=int, dest="first", metavar="NUMBER",
                       help="all from that number on, as far as they are kept")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_login_arguments(parser)


def run(options: argparse.Namespace) -> int:
    if options.last < 0 or (options.first is not None and options.first < 1):
        raise ConfigError("not a number of messages", code="E-USAGE")
    return with_login(options, NAME, partial(_tail, options), give_up=not options.follow)


async def _tail(options: argparse.Namespace, chat: Chat) -> int:
    lines = Lines(chat.user)

    def tell(record: RoomRecord | Gap) -> None:
        if options.json:
            show(json.dumps(as_json(record), ensure_ascii=False))
        elif isinstance(record, Gap):
            show(lines.line(record))
        else:
            show(lines.record(record, numbered=True, times=True))
            if isinstance(record, Message):
                lines.remember(record)
            else:
                lines.note(record)

    await chat.join(options.room)  # from here on all that comes is an event
    last = 0
    async for record in _before(chat, options):
        tell(record)
        last = record.offset
    if not options.follow:
        return 0
    async for event in chat:
        if _is_there(event, options.room) and getattr(event, "offset", last + 1) > last:
            assert isinstance(event, RoomRecord | Gap)
            tell(event)
        elif isinstance(event, RoomLeft):
            raise ConfigError(f"you are out of {event.room}", code="E-REMOVED",
                              reason=event.text)
    return 0


def _is_there(event: ClientEvent, room: str) -> bool:
    return isinstance(event, RoomRecord | Gap) and event.room.lower() == room.lower()


async def _before(chat: Chat, options: argparse.Namespace) -> AsyncIterator[RoomRecord]:
    """What is there already."""
    if options.first is not None:
        after = options.first - 1
        while True:
            page = await paced(partial(chat.history, options.room, after=after, limit=PAGE_MAX))
            for record in page.records:
                yield record
            if page.reaches_head or not page.records:
                return
            after = page.last
    found: list[RoomRecord] = []
    before: int | None = None
    while len(found) < options.last:
        page = await paced(partial(chat.history, options.room, before=before,
                                   limit=min(PAGE_MAX, options.last - len(found))))
        found = [*page.records, *found]
        if page.reaches_start or not page.records:
            break
        before = page.first
    for record in found:
        yield record
