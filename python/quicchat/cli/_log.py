"""Where ``quicchat serve`` says what happens: lines for people, or JSON for programs."""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from typing import Protocol

from ..events import ServerEvent
from ..logs import JsonFormatter, describe
from ..terminal import paint
from ._writer import Writer

FORMATS = ("text", "json")


class Log(Protocol):
    """One of the two."""

    def say(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...
    def fail(self, text: str) -> None: ...
    def event(self, event: ServerEvent) -> None: ...
    def close(self) -> None: ...


class TextLog:
    """For people."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._writer = Writer()

    def say(self, text: str) -> None:
        self._writer.put(text, sys.stdout)

    def warn(self, text: str) -> None:
        warning = paint("warning", "yellow", sys.stderr)
        self._writer.put("quicchat: " + warning + f": {text}", sys.stderr)

    def fail(self, text: str) -> None:
        self._writer.put(text, sys.stderr)

    def event(self, event: ServerEvent) -> None:
        if not self._quiet:
            time = paint(f"{datetime.now():%H:%M:%S}", "dim", sys.stdout)
            self._writer.put(time + " " + describe(event), sys.stdout)

    def close(self) -> None:
        self._writer.close()


class JsonLog:
    """For programs, by ``logging``: what the server logs is there already."""

    def __init__(self, *, quiet: bool) -> None:
        self._logger = logging.getLogger("quicchat.serve")
        self._handler = _Handler()
        self._handler.setFormatter(JsonFormatter())
        library = logging.getLogger("quicchat")
        library.addHandler(self._handler)
        library.setLevel(logging.INFO)
        if quiet:
            logging.getLogger("quicchat.server").setLevel(logging.WARNING)

    def say(self, text: str) -> None:
        self._logger.info("%s", text)

    def warn(self, text: str) -> None:
        self._logger.warning("%s", text)

    def fail(self, text: str) -> None:
        self._logger.error("%s", text)

    def event(self, event: ServerEvent) -> None:
        """Is logged by the server itself."""

    def close(self) -> None:
        logging.getLogger("quicchat").removeHandler(self._handler)
        self._handler.close()


class _Handler(logging.Handler):
    """Writes to standard output. What is JSON in ASCII harms no terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._writer = Writer()

    def emit(self, record: logging.LogRecord) -> None:
        self._writer.put_bytes(self.format(record).encode() + b"\n", sys.stdout)

    def close(self) -> None:
        self._writer.close()
        super().close()


def open_log(style: str, *, quiet: bool) -> Log:
    return JsonLog(quiet=quiet) if style == "json" else TextLog(quiet=quiet)
