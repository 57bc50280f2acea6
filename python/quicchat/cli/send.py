"""``quicchat send``: one message, or one for each line of the input."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

from .._pacing import paced
from ..client import Chat
from ..config import user_path
from ..errors import ConfigError
from ..events import Receipt
from ..terminal import show
from ._lines import LineReader
from ._login import add_login_arguments, with_login

NAME = "send"
HELP = "Send a message, each line of the input, or a file, and wait until it is stored."
EXAMPLES = """examples:
  quicchat send '#lobby' The backup is done
  quicchat send @ada Your build failed                      to one person
  tail -f log | quicchat send --at work '#ops'              each line is a message
  quicchat send '#lobby' --file plan.pdf --json

Nothing is printed unless something went wrong, and the status says so: 69 not reached, 77 login
refused, 65 message refused. The first login needs the password; it is kept, as of 'quicchat chat'.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("room", metavar="ROOM", help="a room, or @name for one person")
    parser.add_argument("text", nargs="*", metavar="TEXT",
                        help="the message (default: each line of the input)")
    parser.add_argument("--file", type=user_path, metavar="PATH", help="send this file instead")
    parser.add_argument("--json", action="store_true",
                        help="print where each message is stored, for programs")
    add_login_arguments(parser)


def run(options: argparse.Namespace) -> int:
    if options.file is not None and options.text:
        raise ConfigError("a text or a file, not both", code="E-USAGE")
    return with_login(options, NAME, partial(_send, options))


async def _send(options: argparse.Namespace, chat: Chat) -> int:
    send = await _way(chat, options.room, options.file)
    if options.file is not None:
        _tell(options, await paced(partial(send, "")))
        return 0
    async for text in _texts(options):
        _tell(options, await paced(partial(send, text)))
    return 0


async def _way(chat: Chat, name: str, file: Path | None) -> Callable[[str], Awaitable[Receipt]]:
    """How a text gets there."""
    if file is not None and name.startswith("@"):
        return lambda _: chat.send_file(name, file)
    if name.startswith("@"):
        return partial(chat.tell, name.removeprefix("@"))
    room = await chat.join(name)
    return room.send if file is None else lambda _: room.send_file(file)


async def _texts(options: argparse.Namespace) -> AsyncIterator[str]:
    if options.text:
        yield " ".join(options.text)
        return
    reader = LineReader()
    while (line := await reader.next_line()) is not None:
        if line.strip():
            yield line.decode(errors="surrogateescape")


def _tell(options: argparse.Namespace, receipt: Receipt) -> None:
    if options.json:
        show(json.dumps({"epoch": receipt.epoch, "offset": receipt.offset, "id": receipt.id.hex(),
                         "time": receipt.time.isoformat(), "durability": receipt.durability}))
