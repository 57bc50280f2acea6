"""How far a transfer is, in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

_PAUSE = 2.0  # seconds between two lines


class Bar(Protocol):
    """What is told how far a transfer is."""

    def step(self, done: int, size: int) -> None:
        """So many bytes of so many."""
        ...

    def end(self, text: str = "") -> None:
        """It is over, and this is to be said of it."""
        ...


class Progress:
    """Says how far a transfer is, so often that somebody who waits knows that it goes on, and not
    at all for what is done at once."""

    def __init__(self, say: Callable[[str], None], what: str) -> None:
        self._say = say
        self._what = what
        self._next = time.monotonic() + _PAUSE

    def step(self, done: int, size: int) -> None:
        if time.monotonic() < self._next or done >= size:
            return
        self._next = time.monotonic() + _PAUSE
        self._say(f"{self._what}: {100 * done // size} % of {size_text(size)}")

    def end(self, text: str = "") -> None:
        if text:
            self._say(text)


def size_text(size: int) -> str:
    """A size for people: ``"1.4 MB"``."""
    if size < 1000:
        return f"{size} bytes" if size != 1 else "1 byte"
    units = iter(("kB", "MB", "GB", "TB"))
    value, unit = size / 1000, next(units)
    while value >= 999.95 and (larger := next(units, "")):
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"
