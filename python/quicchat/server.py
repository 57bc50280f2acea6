"""A chat server for asyncio programs.

::

    async with quicchat.serve("config.json") as server:
        print("listening on", server.address, server.fingerprint)
        await server.serve_forever()

Who may log in is what the configuration and the database say, or a function of yours::

    async def authenticate(question: quicchat.AccountQuestion):
        if await is_blocked(question.user, question.peer):
            return False
        return True      # the server's accounts decide; or the user's password, or an Account

    async with quicchat.serve("config.json", authenticate=authenticate) as server: ...

What may be said is what roles allow, or a function of yours decides as well::

    async def check(question: quicchat.MessageQuestion):
        if "http://" in question.text:
            return quicchat.Refuse("no links here")
        return True      # or another text, or quicchat.Replace(text=..., attributes=...)

    async with quicchat.serve("config.json", check=check) as server: ...

What can change while people are connected is taken from the file again, and nobody is cut::

    done = await server.reload()        # or another ServerConfig
    print("reloaded:", done)            # certificate sha256:..., 3 accounts, limits

The chat itself runs on the engine thread; Python sees only what is worth a line in a log.
"""

from __future__ import annotations

import asyncio
import json
import platform
import threading
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType

from . import _core
from ._asking import DEFAULT_TIMEOUT, checked_timeout, engine_timeout
from ._binding import account_rows, bind_address
from ._check import Check, MessageCheck, MessageQuestion
from ._dialling import ALPN, is_free
from ._failures import bind_error, storage_error, text_of
from ._hashing import Hashing
from ._hook import AccountQuestion, Authenticate, Hook
from ._loops import running_loop
from ._modes import exposed_files
from ._paths import path_bytes
from ._people_view import Person
from ._program import Program
from ._restored import take_restored
from ._server_accounts import ServerAccounts
from ._speaking import Speaking
from ._web_pages import web_options, web_pair_options
from .certificates import CertificatePair, load_pair
from .config import load_config
from .errors import ConfigError, QuicChatError, WrongLoopError
from .events import ServerEvent, ServerFailed
from .logs import describe as describe
from .logs import log_server
from .qlogs import chosen, qlog_error
from .reloading import Reloaded, effective, reload_core, summary, with_web_pair
from .server_events import SERVER_EVENTS
from .settings import ServerConfig, thread_count
from .stats import ConnectionStats, ServerStats, server_stats
from .tickets import CoreTickets, core_tickets

__all__ = ["AccountQuestion", "Server", "serve"]

_DEFAULT_DRAIN = 3.0
_UNREAD_MAX = 4096  # events of a server that nobody reads; then the oldest go


class Server(Speaking, AsyncIterator[ServerEvent]):
    """A server that starts with ``async with`` and ends with it, in peace. Iterating gives its
    events; reading them is optional, since the oldest of those unread are dropped."""

    def __init__(self, config: ServerConfig, *, authenticate: Authenticate | None = None,
                 hook_timeout: float = DEFAULT_TIMEOUT, check: Check | None = None,
                 check_timeout: float = DEFAULT_TIMEOUT, check_failure: str = "refuse",
                 _alpn: str = ALPN) -> None:
        if check_failure not in ("refuse", "accept"):
            raise ConfigError(f'check_failure must be "refuse" or "accept", got {check_failure!r}')
        self.config = config
        self.notices: tuple[str, ...] = ()  #: what should be known about the start
        self.hashing = Hashing()  #: of passwords, at the start; it says how far it is
        self.pair: CertificatePair | None = None  #: the certificate in use, once started
        #: what browsers are shown instead, and the file of its certificate; None: the same
        self.web_pair: tuple[CertificatePair, Path] | None = None
        self._alpn = _alpn
        self._authenticate = authenticate
        self._hook_timeout = checked_timeout(hook_timeout, "hook_timeout")
        self._hook: Hook | None = None
        self._check_function = check
        self._check_timeout = checked_timeout(check_timeout, "check_timeout")
        self._check_failure = check_failure
        self._check: MessageCheck | None = None
        self._core: _core.Server | None = None
        self._programs: Program | None = None
        self.accounts = ServerAccounts(self)  #: who may log in
        self._loop: asyncio.AbstractEventLoop | None = None
        self._events: deque[ServerEvent] = deque(maxlen=_UNREAD_MAX)
        self._news = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failure: ServerFailed | None = None
        self._tickets: CoreTickets = core_tickets(None)
        self._reloading = threading.Lock()

    @classmethod
    def from_config(cls, path: str | Path) -> Server:
        """A server as a configuration file describes it. Raises ConfigError."""
        return cls(load_config(path))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, with the port that the system chose."""
        host, _, port = self._started().address.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def fingerprint(self) -> str:
        """What clients pin: ``sha256:`` and 64 hexadecimal digits, of the public key."""
        self._started()
        assert self.pair is not None
        return self.pair.fingerprint

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return self._started().connections

    def stats(self) -> ServerStats:
        """What there is to watch. Raises RequestError (``not_ready``) once it has ended."""
        return server_stats(self._started())[0]

    def connection_stats(self) -> tuple[ConnectionStats, ...]:
        """How each connection is."""
        return server_stats(self._started())[1]

    async def start(self) -> None:
        """Reads the certificate, opens the database and listens. Raises CertificateError,
        BindError, ConfigError, StorageError."""
        loop = running_loop()
        # Hashing passwords is slow on purpose; other tasks go on meanwhile.
        try:
            core = await asyncio.to_thread(self._make)
        except asyncio.CancelledError:
            self.hashing.stop()
            raise
        self._listen(loop, core)

    async def reload(self, config: ServerConfig | str | Path | None = None) -> Reloaded:
        """Takes another configuration, or the one at this path, or the same file again, without
        cutting anybody: certificate and key for new connections, accounts, limits, operators,
        ``anybody_makes_rooms``, and rooms that are listed newly. All of it is checked first. Raises
        ConfigError, CertificateError, StorageError; the server then goes on as it was.

        An account that is gone cannot log in any more, and stays where it is logged in; accounts in
        a database are only added and given other passwords. What needs a restart is in the
        ``notices`` of the answer."""
        self._started()
        return await asyncio.to_thread(self._reload, config)

    async def serve_forever(self) -> None:
        """Returns when the server has been closed. Raises QuicChatError if it had to stop: with a
        database most likely StorageError."""
        self._started()
        await self._stopped.wait()
        if self._failure is not None and self._failure.error.startswith("storage_"):
            raise storage_error(self._failure.text, self._failure.error)
        if self._failure is not None:
            raise QuicChatError(f"the server had to stop: {text_of(self._failure.error)}",
                                reason=self._failure.text)

    async def close(self) -> None:
        """Tells all clients, waits for them a little (``Limits.drain_timeout``), and ends."""
        if self._core is None or self._loop is None:
            return
        if running_loop() is not self._loop:
            raise WrongLoopError("this server belongs to another event loop")
        self._core.shutdown()
        drain = self.config.limits.drain_timeout
        try:
            async with asyncio.timeout((_DEFAULT_DRAIN if drain is None else drain) + 2):
                await self._stopped.wait()
        except TimeoutError:
            pass
        finally:
            self._release()

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        traceback: TracebackType | None) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._started().shutdown()  # cancelled, or Ctrl-C: the engine says good-bye alone
            self._release()
        else:
            await self.close()

    def __aiter__(self) -> Server:
        return self

    async def __anext__(self) -> ServerEvent:
        while True:
            if self._events:
                return self._events.popleft()
            if self._stopped.is_set():
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()

    def _started(self) -> _core.Server:
        if self._core is None:
            raise RuntimeError("the server is not started: use it with 'async with'")
        return self._core

    def _voice_of_its_own(self) -> str:
        """Who may log in by which name is not known beforehand where a function decides."""
        if self.config.speaker is None:
            return "" if self._authenticate is not None else "server"
        return self.config.speaker

    def _program(self) -> Program:
        self._started()
        assert self._programs is not None
        return self._programs

    def _listen(self, loop: asyncio.AbstractEventLoop, core: _core.Server) -> None:
        self._loop, self._core, self._programs = loop, core, Program(core, loop)
        loop.add_reader(core.fileno(), self._on_readable)

    def _release(self) -> None:
        if self._core is not None and self._loop is not None:
            self._loop.remove_reader(self._core.fileno())
        self._forget()

    def _forget(self) -> None:
        if self._programs is not None:
            self._programs.end()
        for asking in (self._hook, self._check):
            if asking is not None:
                asking.close()
        self._stopped.set()
        self._news.set()

    def _on_readable(self) -> None:
        core = self._started()
        for kind, fields in core.drain(256):
            if kind == "stopped":
                self._release()
                break
            if kind == "answer":
                self._program().take_answer(*fields)
                continue
            if kind == "news":
                self._program().take_news(*fields)
                continue
            if kind == "told":
                self._program().take_told(*fields)
                continue
            if kind == "person":
                self._program().take_person(Person(*fields))
                continue
            if kind == "question":
                assert self._hook is not None
                self._hook.ask(core, fields[0], AccountQuestion(*fields[1:]))
                continue
            if kind == "check":
                assert self._check is not None
                self._check.ask(core, fields[0], MessageQuestion(*fields[1:]))
                continue
            event = SERVER_EVENTS[kind](*fields)
            if isinstance(event, ServerFailed):
                self._failure = event
            self._events.append(event)
            log_server(event)
        self._news.set()

    def _report(self, event: ServerEvent) -> None:
        self._events.append(event)
        log_server(event)
        self._news.set()

    def _make(self) -> _core.Server:
        config = self.config
        where = f"{config.source.name}: certfile, keyfile" if config.source else ""
        pair = load_pair(config.certfile, config.keyfile, config.host, where)
        self.pair, self.web_pair = with_web_pair(pair, config, "start")
        agent = {"name": "quicchat-python", "version": _core.version,
                 "python": platform.python_version()}
        address = bind_address(config.host, config.port)
        accounts = account_rows(config, self.pair.key_pem)
        if is_free(address):  # or else that is what should be read first
            accounts = self.hashing.hashed(accounts, config.iterations,
                                           config.database if config.stores else None)
        self._tickets = core_tickets(config.tickets)
        self._offers_pages = config.web is not None
        self._ask_functions(self.pair.key_pem)
        try:
            core = _core.Server(
                address=address, certificate_pem=self.pair.certificate_pem,
                key_pem=self.pair.key_pem, accounts=accounts, iterations=config.iterations,
                database=path_bytes(config.database if config.stores else None),
                durability=config.durability,
                files=path_bytes(config.files if config.stores else None),
                files_in_memory=config.files is not None,
                hook_timeout=engine_timeout(self._hook_timeout) if self._hook else None,
                check_timeout=engine_timeout(self._check_timeout) if self._check else None,
                accepts_unchecked=self._check_failure == "accept",
                rooms=list(config.rooms), operators=list(config.operators),
                anybody_makes_rooms=config.anybody_makes_rooms, speaker=self._voice_of_its_own(),
                alpn=self._alpn,
                agent=json.dumps(agent), limits=config.limits.chosen(),
                threads=thread_count(config.threads), **chosen(config.qlog),
                tickets=self._tickets, **web_options(config.web, config.page_passwords),
                **web_pair_options(self.web_pair))
        except _core.QlogError as error:
            raise qlog_error(error, config.qlog) from None
        except _core.StorageFailure as error:
            raise storage_error(error.args[1], error.args[0]) from None
        except _core.CoreError as error:
            raise bind_error(error, config.host, config.port) from None
        source = config.source.name if config.source else "the configuration"
        restored = take_restored(config.database) if config.database and config.stores else None
        if restored is not None:
            self.notices = (
                f"this is a restored copy, as it was at {restored}: what was said later is gone, "
                "and clients are told so",)
        self.notices += tuple(exposed_files(config)) + tuple(
            f"the password of '{name}' in {source} is another one than in the database: the one in "
            f"{source} counts from now on, and devices of {name} have to log in with it"
            for name in core.replaced)
        return core

    def _ask_functions(self, key_pem: str) -> None:
        """Gets ready to ask the functions of the program, if there are any."""
        if self._authenticate is not None:
            self._hook = Hook(self._authenticate, self._hook_timeout, key_pem,
                              self.config.iterations, self._report)
        if self._check_function is not None:
            self._check = MessageCheck(self._check_function, self._check_timeout, self._report)

    def _reload(self, config: ServerConfig | str | Path | None) -> Reloaded:
        """In a thread, and one at a time. It is done even if nobody waits for it any more."""
        with self._reloading:
            old, before = self.config, self.pair
            assert before is not None
            if config is None and old.source is None:
                raise ConfigError("cannot reload: the configuration was not read from a file",
                                  hint="give the new one: await server.reload(config)")
            new = config if isinstance(config, ServerConfig) else load_config(
                config if config is not None else old.source or "")
            where = f"{new.source.name}: certfile, keyfile" if new.source else ""
            pair = load_pair(new.certfile, new.keyfile, new.host, where, doing="reload")
            to_be = effective(old, new, self._offers_pages)
            pair, web_pair = with_web_pair(pair, to_be, "reload")
            tickets, rows = core_tickets(new.tickets), account_rows(new, pair.key_pem)
            accounts = reload_core(self._started(), pair, web_pair_options(web_pair), to_be, rows,
                                   tickets)
            changed, self._tickets = tickets != self._tickets, tickets
            self.config, self.pair, self.web_pair = to_be, pair, web_pair
            return summary(old, new, before, pair, accounts, changed, self._offers_pages)


def serve(config: ServerConfig | str | Path, *, authenticate: Authenticate | None = None,
          hook_timeout: float = DEFAULT_TIMEOUT, check: Check | None = None,
          check_timeout: float = DEFAULT_TIMEOUT, check_failure: str = "refuse") -> Server:
    """A server for this configuration, or for the file at this path. Start it with
    ``async with``.

    ``authenticate`` is asked about every login, a function or coroutine function (others run in a
    thread). It gets an :class:`AccountQuestion` and returns ``True`` (the server's accounts
    decide), ``False`` or ``None`` (refused, and a stranger cannot tell that from a wrong password),
    the user's password, or an :class:`Account`. If it raises, or takes longer than ``hook_timeout``
    seconds, the login is refused and a :class:`HookFailed` event says so.

    ``check`` is asked about every message and edit before it is stored, a function as above. It
    gets a :class:`MessageQuestion` and returns ``True`` (stored as it is), a text or a
    :class:`Replace` (stored like that), ``False`` or a :class:`Refuse` (not stored; the client's
    :class:`RequestError` has the name ``"not_accepted"`` and the reason). If it raises, or takes
    longer than ``check_timeout`` seconds, a :class:`CheckFailed` event says so, and the message is
    refused (``"not_checked"``) or, with ``check_failure="accept"``, stored as it is. It is asked
    about many messages at once; what one client sends stays in order, whatever is answered first.
    Without it no message comes to Python."""
    found = config if isinstance(config, ServerConfig) else load_config(config)
    return Server(found, authenticate=authenticate, hook_timeout=hook_timeout, check=check,
                  check_timeout=check_timeout, check_failure=check_failure)
