"""How other programs of the same computer administer a server that runs, by a Unix socket.

The socket is made by ``quicchat serve`` beside its configuration (``"admin": "quicchat.sock"``;
null: none). Its mode is 0600, and who connects must be root or the user of the server. ``quicchat
room``, ``user`` and ``status`` speak to it; any program may.

A connection is one request. The request is a line, a JSON object; each line of the answer is one
as well. Lines with ``"row"`` come first, as many as there are; the last line has ``"done"``, or
``"error"`` with ``code``, ``text``, ``reason`` and ``hint``::

    -> {"ask": "rooms"}
    <- {"row": {"room": "#lobby", "topic": "", "creator": "", "access": "everybody", "first": 1,
                "head": 120, "accounts": 3, "members": 2, "records_max": 4096, "retention": {
                "records": 4096, "bytes": 8388608, "age": null, "chosen": []}}}
    <- {"done": {}}

==============  =======================================  ==========================================
``ask``         with                                     gives
==============  =======================================  ==========================================
``status``                                               ``done``: version, address, fingerprint,
                                                         connections, process, accounts (where
                                                         they are: "database" or "memory")
``rooms``                                                a row for each room, but for those of two
                                                         people
``export``      ``room``; ``after``, an offset           a row for each record, the oldest first,
                                                         as ``quicchat tail --json`` prints it
``delete``      ``room``                                 when it is gone, with records and files
``access``      ``room``; ``access``: everybody,         when it is stored; ``done``: who has
                invitation or archived; ``as``, an       done it
                account: otherwise the first operator,
                or who made the room
``retention``   ``room``; if it is to change,            ``done``: how much it keeps now, and
                ``records``, ``bytes`` and ``age``,      ``chosen``, which of these are not the
                seconds: at most, or null: as the        limits' own; ``age`` null: nothing goes
                limits say                               for its age
``keep``        ``room``; ``records``: how many at       when it counts
                most, or null: as the limits say
``users``                                                a row for each account: user, enabled,
                                                         created, devices (the last two are null
                                                         without a database)
``add``,        ``user``, ``verifier``                   ``done``: changed, false if there is one
``passwd``                                               already, or none
``disable``,    ``user``                                 ``done``: changed, false if there is none
``enable``,
``remove``
``devices``     ``user``                                 a row for each: device, created, used
``revoke``      ``user``; ``device``, or null: all       ``done``: changed, false if there is none
``disconnect``  ``user``                                 ``done``: how many connections were ended
==============  =======================================  ==========================================

Keys that are not known are ignored, but by ``retention``, which refuses them. What is not known as
``ask`` is the error ``E-ADMIN-REQUEST``.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
import stat
import struct
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

from . import _admin_accounts, _core
from ._calls import _ACCESS
from ._failures import request_error
from ._plain import as_json
from ._retention import asked_retention, find_retention, retention_row, set_retention
from .errors import ConfigError, QuicChatError, StorageError
from .records import record_of
from .roles import Access
from .server import Server

__all__ = ["AdminSocket"]

_REQUEST_BYTES_MAX = 64 * 1024
_REQUEST_PATIENCE = 10.0  # seconds for a request to come
_ROW_PATIENCE = 60.0  # seconds for a row to be read
_CONNECTIONS_MAX = 16
_PAGE = 200  # records that the engine is asked for at once
_STORED_PATIENCE = 5.0  # seconds until the log has what was asked


Rows = AsyncGenerator[dict[str, Any], None]


class AdminSocket:
    """The socket of one server. Use it with ``async with``, in the server's event loop."""

    def __init__(self, server: Server, path: Path) -> None:
        self._server = server
        self._path = path
        self._listening: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> AdminSocket:
        """Raises ConfigError if the socket cannot be made, or is another server's."""
        try:
            with short_path(self._path) as short:
                self._listening = await asyncio.start_unix_server(
                    self._accept, sock=_bind(short, self._path), limit=_REQUEST_BYTES_MAX)
        except OSError as error:
            raise ConfigError(
                f"cannot make the socket {self._path}: {(error.strerror or str(error)).lower()}",
                code="E-ADMIN-SOCKET",
                hint='choose another path for "admin", or null for none') from None
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.close()
        for task in self._open:
            task.cancel()
        with contextlib.suppress(OSError):
            self._path.unlink()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # who asked has gone, or reads nothing, or we go
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: dict[str, Any]) -> None:
            writer.write(json.dumps(line).encode() + b"\n")
            async with asyncio.timeout(_ROW_PATIENCE):
                await writer.drain()

        try:
            # First of all: what is not read when we close takes our answer with it.
            request = await _read_request(reader)
            _check_peer(writer.get_extra_info("socket"))
            if request is None:
                raise _refusal("a request is a line with a JSON object", 'such as {"ask": "rooms"}')
            if len(self._open) > _CONNECTIONS_MAX:
                raise _refusal("too many programs administer this server at once", "try again")
            async with contextlib.aclosing(self._rows(request)) as rows:
                async for row in rows:
                    await say(row)
        except QuicChatError as error:
            await say({"error": {"code": error.code, "text": str(error), "reason": error.reason,
                                 "hint": error.hint}})

    async def _rows(self, request: dict[str, Any]) -> Rows:
        ask = request.get("ask")
        room = request.get("room", "")
        if not isinstance(room, str):
            raise _refusal('"room" must be a text', 'such as "#lobby"')
        try:
            match ask:
                case "status":
                    yield {"done": self._status()}
                case "rooms":
                    for row in await self.rooms():
                        yield {"row": row}
                    yield {"done": {}}
                case "export":
                    async for row in self.export(room, _number(request, "after", 0)):
                        yield {"row": row}
                    yield {"done": {}}
                case "delete":
                    await asyncio.to_thread(self._core.remove_room, room)
                    yield {"done": {"listed": self._is_listed(room)}}
                case "access":
                    by = await self._change_access(room, request.get("access"), request.get("as"))
                    yield {"done": {"as": by}}
                case "keep":
                    records = asked_retention({"records": request.get("records")})["records"]
                    await set_retention(self._core, room, {"records": records})
                    yield {"done": {}}
                case "retention":
                    await set_retention(self._core, room, asked_retention(request))
                    found = await find_retention(self._core, room)
                    yield {"done": retention_row(*found)}
                case str() if ask in _admin_accounts.ASKS:
                    async for line in _admin_accounts.answer(self._server, ask, request):
                        yield line
                case _:
                    raise _refusal(f"not known: {json.dumps(ask)[:80]}",
                                   "ask for status, rooms, export, delete, access, retention, "
                                   "keep, " + ", ".join(_admin_accounts.ASKS))
        except _core.CoreError as error:
            raise request_error(error.args[2], 0, "", room) from None

    @property
    def _core(self) -> _core.Server:
        return self._server._started()

    def _status(self) -> dict[str, Any]:
        host, port = self._server.address
        return {"version": _core.version, "host": host, "port": port, "process": os.getpid(),
                "fingerprint": self._server.fingerprint, "connections": self._server.connections,
                "accounts": "database" if self._server.config.stores else "memory"}

    def _is_listed(self, room: str) -> bool:
        return room.lower() in map(str.lower, self._server.config.rooms)

    async def rooms(self) -> list[dict[str, Any]]:
        """Each room, but for those of two people."""
        names = ("room", "topic", "creator", "access", "first", "head", "accounts", "members")
        rows: list[dict[str, Any]] = []
        for *values, kept, chosen in await asyncio.to_thread(self._core.rooms):
            row: dict[str, Any] = dict(zip(names, values, strict=True))
            rows.append({**row, "access": Access(int(row["access"])).name.lower(),
                         "records_max": kept[0], "retention": retention_row(kept, chosen)})
        return rows

    async def _room(self, name: str) -> dict[str, Any]:
        for row in await self.rooms():
            if row["room"].lower() == name.lower():
                return row
        raise request_error("no_such_room", 0, "", name)

    async def export(self, room: str, after: int) -> Rows:
        """The records of a room, the oldest first."""
        while True:
            page = await asyncio.to_thread(self._core.read_room, room, after, _PAGE)
            after += len(page)  # at least: there are no holes, and not all may be known here
            for kind, fields in page:
                record = record_of(kind, fields)
                if record is not None:
                    yield as_json(record)
                    after = record.offset
            if len(page) < _PAGE:
                return

    async def _change_access(self, room: str, access: object, by: object) -> str:
        wanted = {each.name.lower(): each for each in Access}.get(str(access))
        if wanted is None:
            raise _refusal(f"not known as access: {json.dumps(access)[:80]}",
                           "everybody, invitation or archived")
        found = await self._room(room)
        author = by if isinstance(by, str) else None
        author = author or next(iter(self._server.config.operators), found["creator"])
        if not author:
            raise ConfigError(
                f"nobody may do that in {found['room']}: the configuration lists the room, and "
                "names no operators", code="E-NO-OPERATOR",
                hint='name somebody in "operators", or say by --as whose name it bears')
        if found["access"] == wanted.name.lower():
            return str(author)
        act = (_ACCESS, 0, "", int(wanted), 0)
        await asyncio.to_thread(self._core.act_in_room, room, author, os.urandom(16), "", act)
        try:
            async with asyncio.timeout(_STORED_PATIENCE):
                while (await self._room(room))["access"] != wanted.name.lower():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise StorageError(
                f"{found['room']} is still {found['access']}: the change is not stored",
                hint="the server's log says what is wrong with the disk; try again then") from None
        return str(author)


def _refusal(what: str, hint: str) -> QuicChatError:
    return QuicChatError(what, code="E-ADMIN-REQUEST", hint=hint)


def _number(request: dict[str, Any], key: str, default: int) -> int:
    found = request.get(key, default)
    if type(found) is not int or not 0 <= found < 1 << 62:
        raise _refusal(f'"{key}" must be a number, 0 or more', f'such as {{"{key}": 200}}')
    return found


async def _read_request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """None if it is none."""
    try:
        async with asyncio.timeout(_REQUEST_PATIENCE):
            line = await reader.readline()
        request = json.loads(line)
    except ValueError:  # also of a line that is too long
        return None
    return request if isinstance(request, dict) else None


def _check_peer(peer: socket.socket) -> None:
    """The folder may have been opened to others by mistake, and the socket's mode as well."""
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user = struct.unpack("3i", credentials)[1]
    if user not in (0, os.geteuid()):
        raise QuicChatError(f"user number {user} may not administer this server",
                            code="E-ADMIN-PEER", hint="do it as the user of the server")


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """The same path by fewer letters: a Unix socket has 107."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _bind(short: str, path: Path) -> socket.socket:
    """Listens. What a server has left that is no more is removed."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        for is_last in (False, True):
            before = os.umask(0o177)
            try:
                listening.bind(short)
                break
            except OSError as error:
                if is_last or error.errno != errno.EADDRINUSE or not _is_left(short):
                    raise
                os.unlink(short)
            finally:
                os.umask(before)
        listening.listen(_CONNECTIONS_MAX)
        listening.setblocking(False)
        return listening
    except BaseException:
        listening.close()
        raise


def _is_left(path: str) -> bool:
    """A socket that nobody listens on."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
