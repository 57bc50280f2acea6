"""Programs that answer: a connection, what they do about commands and events, and nothing else.

::

    bot = quicchat.Bot(rooms=["#lobby"])

    @bot.command
    async def roll(context, sides: int = 6):
        \"\"\"Rolls a die.\"\"\"
        await context.reply(f"{context.sender} rolled {random.randint(1, sides)}")

    @bot.on(quicchat.MemberJoined)
    async def welcome(event):
        await bot.room(event.room).send(f"welcome, {event.user}")

    bot.run("127.0.0.1", 12345, user="dice", password="...")

**Order.** What happens in one room is handled one after the other; rooms do not wait for each
other, and neither do the people who write to the bot alone. A slow handler holds up its own room,
which loses nothing: see :meth:`quicchat.Room.events`. Of one person 256 messages may wait; what
comes beyond that is left out, and logged, so that nobody who floods the bot holds up the others.

**Faults.** An exception in a handler is logged under ``quicchat.bot``, with its traceback, and the
bot goes on; :meth:`Bot.run` shows it on standard error if the program has set up no ``logging``.
Only the end of the connection ends it.

**Rates.** A bot is paced: what the server refuses for now (``rate_limited``) is sent again when it
may be, a minute at most, and what is sent into the same room after that waits behind it. With
``pace=False`` in :meth:`Bot.run` the handler gets :class:`quicchat.RateLimited`.

**The end.** SIGTERM and SIGINT end :meth:`Bot.run`: handlers that are at work have
:attr:`Bot.grace` seconds to end, then they are cancelled, and the connection is closed. A second
signal does not wait.

A test needs no server: ``await bot.start(await network.connect("dice"))``, see
:mod:`quicchat.testing`.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import signal
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from ._chat import Chat
from ._commands import Command, UsageError
from ._lanes import Lanes
from ._room import Room
from .client import connect
from .errors import RequestError
from .events import ClientEvent, Message, PrivateMessage, Receipt
from .logs import BOT as _LOG
from .logs import OnStandardError

__all__ = ["Bot", "Context"]

HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])


class Context:
    """What a command is given: who asks, where, and how to answer."""

    def __init__(self, bot: Bot, message: Message | PrivateMessage, words: str) -> None:
        self.bot = bot
        self.message = message  #: what was written
        self.words = words  #: what stands behind the command's name

    @property
    def chat(self) -> Chat:
        """The bot's connection."""
        return self.bot.chat

    @property
    def sender(self) -> str:
        """Who asks."""
        return self.message.sender

    @property
    def room(self) -> str:
        """Where: ``"#lobby"``, or ``"@bob"`` if bob has written to the bot alone."""
        if isinstance(self.message, PrivateMessage):
            return "@" + self.message.sender
        return self.message.room

    async def send(self, text: str, **options: Any) -> Receipt:
        """Says something there; ``options`` are those of :meth:`quicchat.Chat.send`."""
        if self.room.startswith("@"):
            return await self.chat.tell(self.room[1:], text, **options)
        return await self.chat.send(self.room, text, **options)

    async def reply(self, text: str, **options: Any) -> Receipt:
        """The same, as an answer to the message."""
        if self.room.startswith("@"):
            return await self.send(text, **options)
        return await self.send(text, reply_to=self.message.offset, **options)


class Bot:
    """What a program does about commands and events. ``rooms`` are joined when it starts;
    ``prefix`` is how commands begin; ``help`` is the name of the command that lists them, None for
    none. One bot has one connection at a time."""

    def __init__(self, *, rooms: Iterable[str] = (), prefix: str = "!",
                 help: str | None = "help") -> None:
        if not prefix or any(c.isspace() for c in prefix):
            raise ValueError(f"not a prefix: {prefix!r}")
        self.rooms = tuple(rooms)  #: what it joins
        self.prefix = prefix
        self.grace = 5.0  #: seconds that handlers have to end when the bot is stopped
        self._commands: dict[str, Command] = {}
        self._handlers: list[tuple[type[Any], Callable[[Any], Any]]] = []
        self._chat: Chat | None = None
        self._stopping: asyncio.Event | None = None
        self._lanes: Lanes | None = None
        if help is not None:
            self.command(help)(self._help)

    # What it does.

    @overload
    def command(self, name: HandlerT, /) -> HandlerT: ...
    @overload
    def command(self, name: str, /, *more: str) -> Callable[[HandlerT], HandlerT]: ...

    def command(self, name: str | HandlerT, /, *more: str) -> Any:
        """A decorator: the function is called when somebody writes its name behind the prefix. With
        names, ``@bot.command("roll", "r")``, these; without, the function's own.

        It gets a :class:`Context`, and what was written behind the name as its parameters say: each
        a word, read as ``int``, ``float``, ``bool`` or ``str``; ``*words`` takes all that follow,
        and one behind ``*`` the rest of the line as it is. Who writes something else is told the
        usage, with the function's first line of documentation. Its own messages, and those that
        were edited later, are no commands to a bot."""
        if not isinstance(name, str):
            self._add_command(name, (name.__name__,))
            return name

        def decorate(function: HandlerT) -> HandlerT:
            self._add_command(function, (name, *more))
            return function

        return decorate

    def on(self, *kinds: type[Any]) -> Callable[[HandlerT], HandlerT]:
        """A decorator: the function is called with each event of these classes. Of several that
        fit, all are, in the order in which they were given to the bot. A
        :class:`quicchat.Message` of the bot's own is an event as well; one that is a command is
        handled by the command first."""
        if not kinds or not all(isinstance(kind, type) for kind in kinds):
            raise TypeError("@bot.on is given classes of events, such as quicchat.Message")

        def decorate(function: HandlerT) -> HandlerT:
            self._handlers += [(kind, function) for kind in kinds]
            return function

        return decorate

    # While it runs.

    @property
    def chat(self) -> Chat:
        """The connection. RuntimeError while there is none."""
        if self._chat is None:
            raise RuntimeError("the bot is not connected")
        return self._chat

    def room(self, name: str) -> Room:
        """A room that the bot is in. Raises RequestError (``not_in_room``)."""
        return self.chat.room(name)

    async def join(self, room: str) -> Room:
        """Joins another room, and does what it does there as well."""
        if self._lanes is None:
            raise RuntimeError("the bot is not connected")
        joined = await self.chat.join(room)
        self._lanes.follow(joined)
        return joined

    def stop(self) -> None:
        """Ends :meth:`start` and :meth:`run`, once the handlers that are at work have ended."""
        if self._stopping is not None:
            self._stopping.set()

    # Beginning and end.

    def run(self, host: str, port: int, *, user: str, password: str | None = None,
            pace: bool = True, **options: Any) -> None:
        """Connects and does its work until SIGTERM, SIGINT or :meth:`stop`. ``options`` are those
        of :func:`quicchat.connect`. Raises a :class:`quicchat.QuicChatError` if it cannot connect,
        or the connection ends for good."""

        async def main() -> None:
            task = asyncio.current_task()
            assert task is not None
            loop = asyncio.get_running_loop()
            signals = (signal.SIGTERM, signal.SIGINT)

            def interrupt() -> None:
                if self._stopping is None or self._stopping.is_set():
                    task.cancel()
                self.stop()

            for number in signals:
                loop.add_signal_handler(number, interrupt)
            try:
                async with connect(host, port, user=user, password=password, pace=pace,
                                   **options) as chat:
                    await self.start(chat)
            finally:
                for number in signals:
                    loop.remove_signal_handler(number)

        shown = OnStandardError()
        if not logging.getLogger().handlers and not _LOG.handlers:
            _LOG.addHandler(shown)  # or else nobody would see what goes wrong
        try:
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(main())
        finally:
            _LOG.removeHandler(shown)

    async def start(self, chat: Chat) -> None:
        """Does its work on a connection until :meth:`stop`, or until that ends: in a program with
        an event loop of its own, and in tests. Does not close it. Nobody else should iterate it.

        Raises RequestError if a room cannot be joined, and what the end of the connection raises.
        """
        if self._chat is not None:
            raise RuntimeError("the bot is at work already")
        self._chat, self._stopping = chat, asyncio.Event()
        chat._rooms_apart, chat._conversation.is_read = True, False
        self._lanes = Lanes(chat, self._handle)
        try:
            for name in self.rooms:
                await self.join(name)
            await self._until_stopped(self._lanes, self._stopping)
        finally:
            lanes, self._lanes = self._lanes, None
            await lanes.end(self.grace if self._stopping.is_set() else 0)
            chat._rooms_apart = False
            self._chat = self._stopping = None

    @staticmethod
    async def _until_stopped(lanes: Lanes, stopping: asyncio.Event) -> None:
        reading = asyncio.create_task(lanes.read())
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait((reading, stopped), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            for task in (reading, stopped):
                task.cancel()
            await asyncio.wait((reading, stopped))

    # Inside.

    def _add_command(self, function: Callable[..., Any], names: tuple[str, ...]) -> None:
        command = Command(function, names)
        for name in names:
            if not name or any(c.isspace() for c in name):
                raise ValueError(f"not a name for a command: {name!r}")
            if name.lower() in self._commands:
                raise ValueError(f"there is a command {name!r} already")
            self._commands[name.lower()] = command

    async def _handle(self, event: ClientEvent) -> None:
        if isinstance(event, Message | PrivateMessage):
            await self._try_command(event)
        for kind, function in list(self._handlers):
            if isinstance(event, kind):
                await self._call(function, event)

    async def _try_command(self, message: Message | PrivateMessage) -> None:
        if not message.text.startswith(self.prefix) or self._is_own(message):
            return
        if isinstance(message, Message) and (message.edited or message.deleted or message.file):
            return
        name, _, rest = message.text[len(self.prefix):].partition(" ")
        command = self._commands.get(name.lower())
        if command is None:
            return
        context = Context(self, message, rest.strip())
        try:
            positional, keyword = command.read(context.words)
        except UsageError as error:
            usage = f"usage: {self.prefix}{command.usage}"
            await self._call(context.reply, f"{error}; {usage}" if str(error) else usage)
            return
        await self._call(command.function, context, *positional, **keyword)

    def _is_own(self, message: Message | PrivateMessage) -> bool:
        return message.sender.lower() == self.chat.user.lower()

    async def _call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        try:
            found = function(*arguments, **named)
            if inspect.isawaitable(found):
                await found
        except RequestError as error:
            _LOG.warning("%s: %s", _name_of(function), error, exc_info=True)
        except Exception:
            _LOG.exception("%s has failed", _name_of(function))

    async def _help(self, context: Context, *words: str) -> None:
        """Says what there is."""
        wanted = {command: None for name, command in self._commands.items()
                  if not words or name == words[0].lower().removeprefix(self.prefix)}
        lines = [f"{self.prefix}{command.usage}" + (f": {command.about}" if command.about else "")
                 for command in wanted]
        await context.reply("\n".join(lines) or f"no such command: {words[0]}")


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
