"""Files as they are sent and fetched: where their bytes come from and go to, without asyncio and
without threads. Both clients stand on it; ``steps`` says where reading and writing is done.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ._disk import Steps
from .errors import FileError

#: What can be sent: the path of a file, bytes, or a binary file that can be read from any place.
Source = str | os.PathLike[str] | bytes | BinaryIO
#: Called with the bytes that were sent or fetched, and how many there are.
Progress = Callable[[int, int], None]

#: The largest file that is fetched into memory without asking.
READ_MAX = 64 * 1024 * 1024
_HASH_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server is told of a file before it gets it."""

    name: str
    size: int
    digest: bytes


class Upload:
    """A file that is being sent."""

    def __init__(self, source: Source, name: str | None, progress: Progress | None) -> None:
        self._progress = progress
        self.steps = Steps()
        self.in_memory = isinstance(source, bytes)
        self._owned = isinstance(source, str | os.PathLike | bytes)
        self._file: BinaryIO
        if isinstance(source, bytes):
            self._file, known = io.BytesIO(source), None
        elif isinstance(source, str | os.PathLike):
            self._file, known = _open_regular(source), Path(source).name
        else:
            self._file, known = source, Path(str(getattr(source, "name", ""))).name or None
        self.name = name if name is not None else known
        if self.name is None:
            self.close()
            raise TypeError("a file without a name of its own needs name=")
        self.size = 0

    def describe(self) -> Offer:
        """Reads the file once, for its SHA-256. Takes a while for a large one."""
        assert self.name is not None
        digest = hashlib.sha256()
        self._file.seek(0)
        while piece := self._file.read(_HASH_PIECE):
            digest.update(piece)
            self.size += len(piece)
        return Offer(self.name, self.size, digest.digest())

    def sent(self, count: int) -> None:
        """The server has so many bytes."""
        if self._progress is not None:
            self._progress(count, self.size)

    def read(self, offset: int, count: int) -> bytes:
        """The next bytes. Raises FileError if there are none any more."""
        self._file.seek(offset)
        piece = self._file.read(count)
        if len(piece) != min(count, self.size - offset):
            raise FileError(f"{self.name} became shorter while it was being sent",
                            code="E-FILE-CHANGED", hint="send it again when nobody writes to it")
        return piece

    def close(self) -> None:
        if self._owned:
            self.steps.finally_do(self._file.close)


class Download:
    """A file that is being fetched. Its bytes go to ``target``."""

    def __init__(self, target: BinaryIO, progress: Progress | None,
                 size_max: int | None = None) -> None:
        self.steps = Steps()
        self.in_memory = isinstance(target, io.BytesIO)
        self._target = target
        self._progress = progress
        self._size_max = size_max
        self._hash = hashlib.sha256()
        self._digest = ""
        self.name = ""
        self.size = 0
        self.received = 0

    def begun(self, name: str, size: int, digest: str) -> None:
        """What it is, as the server says. Raises FileError if it is too large."""
        self.name, self.size, self._digest = name, size, digest
        if self._size_max is not None and size > self._size_max:
            raise FileError(f"the file has {size} bytes, which is more than max_size="
                            f"{self._size_max}", code="E-FILE-TOO-LARGE",
                            hint="use save_file, or give a larger max_size")

    def write(self, offset: int, bytes: bytes) -> None:
        assert offset == self.received, "the core hands out a file in order"
        self._target.write(bytes)
        self._hash.update(bytes)
        self.received += len(bytes)

    def written(self, count: int) -> None:
        """So many bytes are where they belong."""
        if self._progress is not None:
            self._progress(count, self.size)

    def finish(self) -> None:
        """All has come. Raises FileError if it is not the file that was announced."""
        if self._hash.hexdigest() != self._digest:
            raise FileError("the file that came is not the one that was announced: its SHA-256 is "
                            "another", code="E-FILE-MISMATCH", hint="fetch it again")


class Destination:
    """A file that appears under its name when it is complete, and not before. Never replaces
    another one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_free(path)
        # A name of our own, and only if nothing is there: no link of others is followed.
        self._partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self.file: BinaryIO = os.fdopen(os.open(self._partial, flags, 0o600), "wb")
        except OSError as error:
            raise _os_error(error, path, "written") from None

    def commit(self) -> Path:
        try:
            self.file.flush()
            self.file.close()
            os.link(self._partial, self.path)  # fails if there is one: rename would replace it
        except FileExistsError:
            _check_free(self.path)
            raise
        except OSError as error:
            raise _os_error(error, self.path, "written") from None
        finally:
            self.abandon()
        return self.path

    def abandon(self) -> None:
        self.file.close()
        self._partial.unlink(missing_ok=True)


def saved_path(path: str | os.PathLike[str] | None, room: str, offset: int, name: str) -> Path:
    """Where a file that somebody sent is saved."""
    chosen = Path() if path is None else Path(path)
    return chosen / default_name(room, offset, name) if os.path.isdir(chosen) else chosen


def default_name(room: str, offset: int, name: str) -> str:
    """A name for a file that somebody sent, made of the room and its number. Of the name that the
    sender gave only an ending such as ``.pdf`` is kept."""
    ending = re.search(r"\.[A-Za-z0-9]{1,8}\Z", name)
    where = re.sub(r"[^A-Za-z0-9_-]", "", room) or "file"
    return f"{where}-{offset}{ending[0].lower() if ending else ''}"


def _open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        # A pipe that nobody writes to must not hold us up.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _os_error(error, Path(path), "read") from None
    if not os.path.isfile(fd):
        os.close(fd)
        raise FileError(f"{os.fspath(path)} is not a file", code="E-FILE-KIND",
                        hint="name a file; make an archive of a folder first")
    return os.fdopen(fd, "rb")


def _check_free(path: Path) -> None:
    if os.path.lexists(path):
        raise FileError(f"there is a file {path} already", code="E-FILE-EXISTS",
                        hint="choose another name, or move that file away")


def _os_error(error: OSError, path: Path, done: str) -> FileError:
    hints = {errno.ENOENT: "check the name", errno.ENOSPC: "make room on the disk",
             errno.EACCES: "this user may not do that there", errno.EISDIR: "name a file",
             errno.ENOTDIR: "check the name", errno.ENAMETOOLONG: "choose a shorter name"}
    return FileError(f"{path} cannot be {done}: {(error.strerror or str(error)).lower()}",
                     code="E-FILE", hint=hints.get(error.errno or 0, ""))
