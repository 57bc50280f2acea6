"""Where ``quicchat serve`` says what happens: lines for people, or JSON for programs."""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from typing import Protocol

from ..events import ServerEvent
from ..logs import JsonFormatter, describe
from ..terminal import paint, show

FORMATS = ("text", "json")


class Log(Protocol):
    """One of the two."""

    def say(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...
    def fail(self, text: str) -> None: ...
    def event(self, event: ServerEvent) -> None: ...


class TextLog:
    """For people."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, text: str) -> None:
        show(text)

    def warn(self, text: str) -> None:
        show("quicchat: " + paint("warning", "yellow", sys.stderr) + f": {text}", to=sys.stderr)

    def fail(self, text: str) -> None:
        show(text, to=sys.stderr)

    def event(self, event: ServerEvent) -> None:
        if not self._quiet:
            time = paint(f"{datetime.now():%H:%M:%S}", "dim", sys.stdout)
            show(time + " " + describe(event))


class JsonLog:
    """For programs, by ``logging``: what the server logs is there already."""

    def __init__(self, *, quiet: bool) -> None:
        self._logger = logging.getLogger("quicchat.serve")
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        library = logging.getLogger("quicchat")
        library.addHandler(handler)
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


def open_log(style: str, *, quiet: bool) -> Log:
    return JsonLog(quiet=quiet) if style == "json" else TextLog(quiet=quiet)
