"""Copies of all that a server keeps, and how they are put back.

A copy is a folder with ``backup.json`` and, under names of its own, what the configuration names:
the database, the folder of files, the configuration, certificate and key. It is made by another
process than the server's, which goes on meanwhile: SQLite gives what was committed at one moment.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import _core
from ._json import read_json
from ._restored import note_restored
from .config import load_config
from .errors import ConfigError, QuicChatError, StorageError
from .settings import ServerConfig

try:
    import sqlite3
except ImportError:
    raise StorageError(
        "this Python has no module sqlite3, which copies databases",
        hint="run this command by a Python that was built with it") from None

__all__ = ["Backup", "make_backup", "put_back"]

_FORMAT = 1
_ABOUT = "backup.json"
_DATABASE, _FILES, _CONFIG = "quicchat.db", "files", "config.json"
_CERTIFICATE, _KEY = "server.crt", "server.key"
_ASIDE = ".before-restore"
_SQLITE_MIN = (3, 37, 0)  # an earlier one cannot read tables that are STRICT
_FILE_KIND = 10  # of records (include/quicchat/wire/act.hpp)


@dataclass(frozen=True, slots=True)
class Backup:
    """What a copy says of itself."""

    time: str  #: when it was made, ISO 8601 in UTC
    version: str  #: of the program that made it
    schema: int  #: of the database: see the upgrade notes
    rooms: int
    accounts: int
    files: int
    bytes: int

    def __str__(self) -> str:
        return (f"{self.rooms} room(s), {self.accounts} account(s) and {self.files} file(s), "
                f"{self.bytes} bytes")


def make_backup(config: ServerConfig, folder: Path) -> Backup:
    """Copies what a server keeps into a new folder. Raises ConfigError, StorageError."""
    _check_library()
    if not config.stores or config.database is None:
        raise ConfigError("there is nothing to copy: rooms and accounts live in memory",
                          reason='"database" is null, or "durability" is "memory"')
    if not os.path.exists(config.database):
        raise StorageError(f"there is no database at {config.database}", code="E-NO-DATABASE",
                           hint="name the right configuration by --config")
    if os.path.exists(folder):
        raise ConfigError(f"{folder} is there already", code="E-FILE-EXISTS",
                          hint="name a folder that is not there; 'backup \"$(date +%F)\"' has the "
                               "date")
    beside = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        # The database first: a file that it knows may be deleted meanwhile, and is missing then as
        # if that had been a little earlier. One that it does not know is removed at the start.
        _copy_database(config.database, beside / _DATABASE)
        files, size = _copy_files(config.files, beside / _FILES)
        for path, name in ((config.source, _CONFIG), (config.certfile, _CERTIFICATE),
                           (config.keyfile, _KEY)):
            if path is not None and os.path.exists(path):
                _copy(path, beside / name)
        schema, rooms, accounts = _numbers(beside / _DATABASE)
        size += (beside / _DATABASE).stat().st_size
        backup = Backup(datetime.now(UTC).isoformat(timespec="seconds"), _core.version, schema,
                        rooms, accounts, files, size)
        about = json.dumps({"format": _FORMAT, **asdict(backup)}, indent=1)
        (beside / _ABOUT).write_text(about + "\n")
        (beside / _ABOUT).chmod(0o600)
        for path in beside.rglob("*"):
            _sync(path)
        _sync(beside)
        beside.rename(folder)
        _sync(folder.parent)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise StorageError(f"cannot copy to {folder}: {_text(error)}",
                           hint="choose a folder with more room, or one that may be written to"
                           ) from None
    return backup


def put_back(folder: Path, config_path: Path) -> tuple[Backup, list[Path]]:
    """Puts a copy where the configuration says, and what is there aside. Raises ConfigError,
    StorageError; nothing has changed then."""
    _check_library()
    backup = _read_about(folder)
    if not os.path.exists(config_path) and os.path.exists(folder / _CONFIG):
        _copy(folder / _CONFIG, config_path)
    config = load_config(config_path)
    if not config.stores or config.database is None:
        raise ConfigError(f"{config_path} keeps rooms and accounts in memory",
                          reason='"database" is null, or "durability" is "memory"',
                          hint="name the right configuration by --config")
    try:
        with _only_user(config.database):
            fresh = config.database.with_name(config.database.name + ".restoring")
            _copy(folder / _DATABASE, fresh)
            new_files = None
            if config.files is not None and os.path.isdir(folder / _FILES):
                new_files = config.files.with_name(config.files.name + ".restoring")
                shutil.rmtree(new_files, ignore_errors=True)
                _copy_files(folder / _FILES, new_files)
            _begin_anew(fresh, new_files)
            aside = _move_aside([*(Path(os.fspath(config.database) + end)
                                   for end in ("", "-wal", "-shm")),
                                 *([config.files] if new_files and config.files else [])])
            note_restored(config.database, backup.time)
            fresh.rename(config.database)
            if new_files is not None and config.files is not None:
                new_files.rename(config.files)
            if not os.path.exists(config.certfile) and not os.path.exists(config.keyfile):
                for name, path in ((_CERTIFICATE, config.certfile), (_KEY, config.keyfile)):
                    if os.path.exists(folder / name):
                        _copy(folder / name, path)
            _sync(config.database.parent)
    except QuicChatError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"cannot put back {folder}: {_text(error)}",
                           hint="make room, or run this as the user of the server") from None
    return backup, aside


def _check_library() -> None:
    """The SQLite of Python may be another than the one that the server uses."""
    if sqlite3.sqlite_version_info >= _SQLITE_MIN:
        return
    needed = ".".join(map(str, _SQLITE_MIN))
    raise StorageError(
        f"the SQLite of this Python, {sqlite3.sqlite_version}, is too old for the database",
        reason=f"copies need {needed} or later; the server has an SQLite of its own",
        hint="run this command by another Python ('import sqlite3; print(sqlite3.sqlite_version)' "
             "says what it has), or update the system's libsqlite3")


def _copy_database(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
                  ) as reading, closing(sqlite3.connect(target)) as writing):
        reading.backup(writing)
        # One file, without a log beside it.
        writing.execute("PRAGMA journal_mode=DELETE")
        broken = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
        if broken != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {broken}")


def _copy_files(source: Path | None, target: Path) -> tuple[int, int]:
    """How many, and their bytes. Files are never changed, only made and removed."""
    if source is None or not os.path.isdir(source):
        return 0, 0
    count, size = 0, 0
    target.mkdir(mode=0o700)
    for path in sorted(source.iterdir()):
        # What somebody has begun to send is sent again; a lock is of a process.
        if not path.is_file() or path.is_symlink() or path.name.endswith((".part", ".lock")):
            continue
        try:
            _copy(path, target / path.name)
        except FileNotFoundError:
            continue  # deleted meanwhile
        count += 1
        size += (target / path.name).stat().st_size
    return count, size


def _numbers(database: Path) -> tuple[int, int, int]:
    with closing(sqlite3.connect(database)) as connection:
        def number(query: str) -> int:
            return int(connection.execute(query).fetchone()[0])

        rooms = number("SELECT count(*) FROM room WHERE substr(name, 1, 1) = '#'")
        return number("PRAGMA user_version"), rooms, number("SELECT count(*) FROM account")


def _begin_anew(database: Path, files: Path | None) -> None:
    """Gives each room another epoch: what clients have seen since the copy was made is not there,
    and other messages will have those offsets. The names of files come of it, too."""
    with closing(sqlite3.connect(database)) as connection, connection:
        secret = connection.execute("SELECT value FROM meta WHERE key='secret'").fetchone()[0]
        for room, name, old in connection.execute("SELECT id, name, epoch FROM room").fetchall():
            new = secrets.randbits(62)
            connection.execute("UPDATE room SET epoch=? WHERE id=?", (new, room))
            if files is None:
                continue
            for author, device, id in connection.execute(
                    "SELECT author, device, id FROM record WHERE room=? AND kind=?",
                    (room, _FILE_KIND)):
                before, after = (
                    files / _file_name(secret, f"{name}/{epoch % (1 << 64)}/{author}/"
                                               f"{device.hex()}{id.hex()}")
                    for epoch in (old, new))
                if os.path.exists(before):
                    before.rename(after)


def _file_name(secret: bytes, key: str) -> str:
    """What the server calls a file in its folder (include/quicchat/disk/file_worker.hpp); the key
    is that of include/quicchat/server/files/file_index.hpp."""
    return hmac.digest(secret, key.encode(errors="surrogateescape"), "sha256").hex()


def _read_about(folder: Path) -> Backup:
    if not os.path.exists(folder / _ABOUT):
        raise ConfigError(f"{folder} is not what 'quicchat backup' makes", code="E-INPUT",
                          reason=f"there is no {_ABOUT} in it",
                          hint="name the folder that was given to 'quicchat backup'")
    about: Any = read_json(folder / _ABOUT)
    try:
        if about.pop("format") != _FORMAT:
            raise ValueError("it was made by a later version; update this program first")
        return Backup(**about)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{folder / _ABOUT} cannot be used: {error}", code="E-INPUT") from None


@contextmanager
def _only_user(database: Path) -> Iterator[None]:
    """The lock that a server has on its database while it runs."""
    lock = os.open(os.path.realpath(database) + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
                   0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(f"a server uses {database}",
                               hint="stop it, restore, and start it again") from None
        yield
    finally:
        os.close(lock)


def _move_aside(paths: list[Path]) -> list[Path]:
    moved = []
    for path in paths:
        if not os.path.exists(path):
            continue
        aside = path.with_name(path.name + _ASIDE)
        if os.path.isdir(aside):
            shutil.rmtree(aside)
        path.replace(aside)
        moved.append(aside)
    return moved


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, os.fdopen(
            os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as writing:
        shutil.copyfileobj(reading, writing, 1024 * 1024)
        os.fsync(writing.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
