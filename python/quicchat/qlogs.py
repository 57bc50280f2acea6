"""Where what QUIC does is written down: qlog, one file for each connection.

Packets, frames, timers and congestion windows, as ngtcp2 writes them (JSON-SEQ, for qvis and other
viewers); neither messages nor addresses. But tokens are in it by which a stranger could end a
connection, so the files are for their owner only.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _core
from ._paths import path_bytes
from .errors import ConfigError

__all__ = ["Qlog"]

BYTES_MAX = 64 * 1024 * 1024
BYTES_RANGE = (1024 * 1024, 1 << 50)

_HINTS = {
    errno.ENOENT: "make the folder first: mkdir -m 700 {0}",
    errno.ENOTDIR: "give a folder, not a file",
    errno.ENOSPC: "make room on that disk, or choose a folder on another",
    errno.EDQUOT: "make room on that disk, or choose a folder on another",
}


@dataclass(frozen=True, slots=True)
class Qlog:
    """A folder, which must exist, and how many bytes all qlogs in it may have. When there are more,
    the file goes that was not written to for longest; one connection has a quarter at most."""

    directory: Path
    bytes_max: int = BYTES_MAX

    def __post_init__(self) -> None:
        if type(self.bytes_max) is not int or not (
                BYTES_RANGE[0] <= self.bytes_max <= BYTES_RANGE[1]):
            raise ConfigError(f"qlog: not a number of bytes: {self.bytes_max!r}",
                              hint=f"at least {BYTES_RANGE[0]}")


def as_qlog(found: Qlog | str | Path | None) -> Qlog | None:
    return Qlog(Path(found)) if isinstance(found, str | Path) else found


def chosen(qlog: Qlog | None) -> dict[str, Any]:
    """For the core."""
    if qlog is None:
        return {}
    return {"qlog": path_bytes(qlog.directory.absolute()), "qlog_bytes_max": qlog.bytes_max}


def check_folder(folder: Path) -> None:
    """Raises ConfigError if there is no such folder."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise _refusal(error.errno or 0, error.strerror or str(error), folder) from None


def qlog_error(error: _core.QlogError, qlog: Qlog | None) -> ConfigError:
    """Nothing can be written there."""
    return _refusal(*error.args, qlog.directory if qlog is not None else Path())


def _refusal(number: int, text: str, folder: Path) -> ConfigError:
    hint = _HINTS.get(number, "choose a folder that this user may write to")
    return ConfigError(f"cannot write qlogs to {folder}: {text.lower()}", code="E-QLOG",
                       hint=hint.format(folder))
