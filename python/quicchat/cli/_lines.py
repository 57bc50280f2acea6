"""Lines from standard input: a terminal, a pipe, a file, or nothing at all.

``sys.stdin`` is not used: it reads ahead, so lines after the password would be lost to whoever
reads the descriptor next; and a thread that waits in it cannot be stopped at exit.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import sys

from .._json import other_encoding
from ..errors import ConfigError
from ..terminal import ask_hidden, show, wait_readable

LINE_BYTES_MAX = 1024 * 1024  # nobody types that; a longer line is cut here and refused later
_FD = 0


class LineReader:
    """Reads lines from standard input, with or without an event loop."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._begun = False  #: the first bytes have been looked at
        # A closed descriptor 0 may be given to the next socket: then it is not ours to read.
        self._ended = sys.stdin is None
        self.is_terminal = not self._ended and os.isatty(_FD)

    def readline(self) -> bytes | None:
        """The next line without its end; None after the last."""
        while (line := self._take()) is None and not self._ended:
            if self.is_terminal:
                wait_readable(_FD)
            self._read()
        return line if line is not None else self._rest()

    async def next_line(self) -> bytes | None:
        """The same, while the event loop goes on."""
        while (line := self._take()) is None and not self._ended:
            await self._readable()
            self._read()
        return line if line is not None else self._rest()

    def _take(self) -> bytes | None:
        at = self._buffer.find(b"\n")
        if at < 0 and len(self._buffer) > LINE_BYTES_MAX:
            at = len(self._buffer)
        if at < 0:
            return None
        line = bytes(self._buffer[:at]).removesuffix(b"\r")
        del self._buffer[: at + 1]
        return line

    def _rest(self) -> bytes | None:
        if not self._buffer:
            return None
        line = bytes(self._buffer)
        self._buffer.clear()
        return line

    def _read(self) -> None:
        try:
            data = os.read(_FD, 65536)
        except OSError:
            data = b""
        self._buffer += data
        self._ended = not data
        known = self._ended or b"\n" in self._buffer or len(self._buffer) >= 4
        if known and not self._begun:
            self._begun = True
            self._look_at_beginning()

    def _look_at_beginning(self) -> None:
        """What Windows puts before a text is none of it."""
        if self.is_terminal:
            return
        if other := other_encoding(bytes(self._buffer[:4])):
            raise ConfigError(f"the input is in {other}", code="E-INPUT",
                              hint="give it in the encoding UTF-8")
        if self._buffer.startswith(codecs.BOM_UTF8):
            del self._buffer[:len(codecs.BOM_UTF8)]

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        try:
            loop.add_reader(_FD, ready.set)
        except (PermissionError, OSError):
            return  # a plain file or /dev/null: epoll does not take it, and it never makes us wait
        try:
            await ready.wait()
        finally:
            loop.remove_reader(_FD)


def ask(reader: LineReader, prompt: str) -> str | None:
    """Prints ``prompt`` on standard output and reads a line. None at the end of the input."""
    show(prompt, end="")
    line = reader.readline()
    if not reader.is_terminal:
        show()
    return None if line is None else line.decode(errors="surrogateescape")


def ask_password(reader: LineReader, prompt: str) -> str | None:
    """The same; on a terminal what is typed is not shown."""
    if not reader.is_terminal:
        return ask(reader, prompt)
    try:
        return ask_hidden(prompt)
    except EOFError:
        return None
