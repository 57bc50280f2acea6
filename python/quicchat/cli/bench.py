"""``quicchat bench``: how long messages take, and how many a second there are."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from .._pacing import paced
from ..certificates import make_pair
from ..client import Chat, connect
from ..errors import Closed, ConfigError, RateLimited
from ..events import Message, Receipt
from ..limits import Limits
from ..server import serve
from ..settings import DURABILITIES, Account, ServerConfig
from ..terminal import clean_line, clean_text, is_terminal, show
from ..trust import TLS
from ._login import add_login_arguments, with_login

NAME = "bench"
HELP = "Measure how long messages take, and how many a second there are."
EXAMPLES = """examples:
  quicchat bench                             a server of its own on this computer, for a moment
  quicchat bench --window 1                  one after the other: the time of one
  quicchat bench --durability process        without waiting for the disk
  quicchat bench --at work --user ada --room '#bench' --messages 200

With a server's name or address it sends into a room of that server, at the pace that this one
allows; everybody in the room sees it. "stored" is from the call until the server has acknowledged
the message, "seen" until it came back as an event. What one account stores in a room has a rate:
2 MiB at once and 64 KiB a second. Above that the table says that it was held up."""

_USER, _PASSWORD = "ada", "bench"
_BAR_COLUMNS = 62
_UNDER_WAY_MAX = 1_000_000  # bytes; a client keeps 1 MiB of what has no answer


@dataclass(frozen=True, slots=True)
class Result:
    """Times are in milliseconds."""

    messages: int
    bytes: int
    window: int
    durability: str  #: what the server said of the messages
    held_up: int  #: how often the server said rate_limited, and a message was sent again
    seconds: float
    stored_p50: float
    stored_p99: float
    stored_max: float
    seen_p50: float
    seen_p99: float
    seen_max: float

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=2000, metavar="N",
                        help="how many (default: 2000)")
    parser.add_argument("--bytes", type=int, default=100, metavar="N",
                        help="how long each is (default: 100)")
    parser.add_argument("--window", type=int, default=32, metavar="N",
                        help="how many are under way at a time (default: 32)")
    parser.add_argument("--durability", choices=DURABILITIES,
                        help="of the server of its own (default: fsync)")
    parser.add_argument("--room", help="on a server that is there already: the room")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    add_login_arguments(parser)


def run(options: argparse.Namespace) -> int:
    for name, most in (("messages", 1_000_000), ("bytes", 32_768), ("window", 1000)):
        if not 1 <= getattr(options, name) <= most:
            raise ConfigError(f"--{name} must be from 1 to {most}", code="E-USAGE")
    if options.window * options.bytes > _UNDER_WAY_MAX:
        raise ConfigError("so much cannot be under way: --window times --bytes is at most "
                          f"{_UNDER_WAY_MAX}", code="E-USAGE")
    is_remote = any(getattr(options, name) is not None for name in ("server", "host", "port"))
    if not is_remote:
        if options.room is not None or options.user is not None:
            raise ConfigError("a server of its own has its own room and user", code="E-USAGE",
                              hint="name the server as well: --at SERVER")
        with tempfile.TemporaryDirectory(prefix="quicchat-bench-") as folder:
            return asyncio.run(_local(options, Path(folder)))
    if options.room is None or not options.room.startswith("#"):
        raise ConfigError("it is not said into which room", code="E-USAGE",
                          hint="--room '#bench'; everybody in it sees the messages")
    if options.durability is not None:
        raise ConfigError("--durability is for a server of its own", code="E-USAGE",
                          hint="that of another server is what its configuration says")
    return with_login(options, NAME, partial(_talk, options, options.room))


async def _local(options: argparse.Namespace, folder: Path) -> int:
    pair = make_pair(folder / "server.crt", folder / "server.key", ["127.0.0.1"])
    lots = 1_000_000
    config = ServerConfig(
        "127.0.0.1", 0, folder / "server.crt", folder / "server.key",
        (Account(_USER, _PASSWORD),), rooms=("#bench",), iterations=100_000,
        database=folder / "quicchat.db", durability=options.durability or "fsync",
        limits=Limits(messages_per_account=lots, messages_per_room=lots, messages_per_prefix=lots,
                      room_age_min=0))
    async with (serve(config) as server,
                connect("127.0.0.1", server.address[1], user=_USER, password=_PASSWORD,
                        tls=TLS.pin(pair.fingerprint)) as chat):
        return await _talk(options, "#bench", chat)


async def _talk(options: argparse.Namespace, room: str, chat: Chat) -> int:
    result = await measure(chat, room, options.messages, options.bytes, options.window)
    if options.json:
        show(json.dumps({**asdict(result), "per_second": result.per_second}))
    else:
        show(clean_text(table(result)))
    return 0


async def measure(chat: Chat, name: str, messages: int, size: int, window: int) -> Result:
    """Sends them into a room, and waits until all are stored and have come back."""
    room = await chat.join(name)
    sent: dict[int, float] = {}  # by the offset at which it is stored: when it was sent,
    came: dict[int, float] = {}  # and when it came back; also what others say
    stored: list[float] = []
    durability = ""
    numbers = iter(range(messages))
    held_up = 0
    bar = _Bar(messages)

    async def send(text: str) -> Receipt:
        nonlocal held_up
        try:
            return await room.send(text)
        except RateLimited:
            held_up += 1
            raise

    async def speak() -> None:
        nonlocal durability
        for number in numbers:
            begin = time.perf_counter()
            receipt = await paced(partial(send, f"{number} ".ljust(size, "x")[:size]))
            stored.append(time.perf_counter() - begin)
            sent[receipt.offset] = begin
            durability = receipt.durability
            bar.step()

    async def listen() -> None:
        async for event in chat:
            if isinstance(event, Message) and event.room == room.name:
                came[event.offset] = time.perf_counter()
                if len(stored) == messages and event.offset >= max(sent):
                    return
        raise Closed("the connection ended before all messages had come back")

    begin = time.perf_counter()
    listener = asyncio.create_task(listen())
    speakers = [asyncio.create_task(speak()) for _ in range(min(window, messages))]
    try:
        await asyncio.gather(*speakers)
        if max(sent) not in came:
            await listener
    finally:
        for task in (listener, *speakers):
            task.cancel()
        bar.end()
    seconds = time.perf_counter() - begin
    seen = [came[offset] - moment for offset, moment in sent.items()]
    return Result(messages, size, window, durability, held_up, seconds, *_three(stored),
                  *_three(seen))


def _three(times: Iterable[float]) -> tuple[float, float, float]:
    """The median, the 99th percentile and the longest, in milliseconds."""
    ordered = sorted(times)
    last = len(ordered) - 1
    return (ordered[last // 2] * 1000, ordered[last * 99 // 100] * 1000, ordered[last] * 1000)


def table(result: Result) -> str:
    """For people."""
    r = result
    what = "message" if r.messages == 1 else "messages"
    return "\n".join([
        f"{r.messages} {what} of {r.bytes} bytes, {r.window} at a time, durability {r.durability}",
        f"{'ms':10}{'median':>10}{'99 %':>10}{'longest':>10}",
        f"{'stored':10}{r.stored_p50:10.2f}{r.stored_p99:10.2f}{r.stored_max:10.2f}",
        f"{'seen':10}{r.seen_p50:10.2f}{r.seen_p99:10.2f}{r.seen_max:10.2f}",
        f"{r.per_second:.0f} messages a second"
        + (f"; held up {r.held_up} times by the server's rates" if r.held_up else "")])


class _Bar:
    """How far it is, on a terminal."""

    def __init__(self, count: int) -> None:
        self._count, self._done, self._next = count, 0, 0.0
        self._shows = is_terminal(sys.stderr)

    def step(self) -> None:
        self._done += 1
        if not self._shows or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.1
        full = 40 * self._done // self._count
        self._draw(f"[{'#' * full}{'.' * (40 - full)}] {self._done} of {self._count}")

    def end(self) -> None:
        if self._shows:
            self._draw("")

    def _draw(self, text: str) -> None:
        show(clean_line(text.ljust(_BAR_COLUMNS)), end="\r", to=sys.stderr)
