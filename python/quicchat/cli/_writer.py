"""Lines for a log that may be a pipe nobody reads, or a file on a disk that is full."""

from __future__ import annotations

import os
import queue
import threading
from typing import TextIO

from ..terminal import line_bytes, show

_LINES_MAX = 10_000  # waiting; a burst of logins is a tenth of it
_PATIENCE = 1.0  # seconds to wait at the end for what is not written yet


class Writer:
    """Writes in a thread of its own, so that a log holds up nobody and ends nothing. What is not
    taken is dropped, and the next line that is taken says how much that was."""

    def __init__(self) -> None:
        self._lines: queue.Queue[tuple[TextIO, bytes] | None] = queue.Queue(_LINES_MAX)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="quicchat-log", daemon=True)
        self._thread.start()

    def put(self, text: str, to: TextIO | None) -> None:
        """One line for a stream, cleaned. A stream that was closed from the beginning is None."""
        if to is None:
            return
        if _has_descriptor(to):
            self.put_bytes(line_bytes(text, to), to)
        else:
            show(text, to=to)

    def put_bytes(self, line: bytes, to: TextIO | None) -> None:
        """The same for what is harmless, and has its end."""
        if to is None:
            return
        try:
            self._lines.put_nowait((to, line))
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Writes what waits, if that is possible at once."""
        try:
            self._lines.put(None, timeout=_PATIENCE)
        except queue.Full:
            return
        self._thread.join(_PATIENCE)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            to, data = line
            dropped, self._dropped = self._dropped, 0
            if dropped:
                data = f"({dropped} lines of the log could not be written)\n".encode() + data
            if not _write(to, data):
                self._dropped += dropped + 1


def _has_descriptor(stream: TextIO) -> bool:
    try:
        return stream.fileno() >= 0
    except (OSError, ValueError):
        return False  # of a test, say


def _write(to: TextIO, data: bytes) -> bool:
    # Not by the stream's own buffer: it keeps what a full disk refused, and its lock at the end.
    try:
        while data:
            data = data[os.write(to.fileno(), data):]
    except (OSError, ValueError):
        return False
    return True
