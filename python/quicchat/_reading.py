"""How a chat hears of news from its event loop, which does not keep the chat."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable

from . import _core


class LoopReader:
    """Has a loop call a method, as long as its object is there, when a core has news."""

    def __init__(self, loop: asyncio.AbstractEventLoop, core: _core.Client,
                 method: Callable[[], None]) -> None:
        self.active = False
        self._loop = loop
        self._core = core
        self._method: weakref.ref[Callable[[], None]] = weakref.WeakMethod(method)

    def start(self) -> None:
        if not self.active:
            self._loop.add_reader(self._core.fileno(), _call_if_there, self._method)
            self.active = True

    def stop(self) -> None:
        if self.active:
            self._loop.remove_reader(self._core.fileno())
            self.active = False

    def drop(self) -> None:
        """Stops for good, from whichever thread: the loop lets go first, and then the core goes."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and its descriptors with it
            self._loop.call_soon_threadsafe(self.stop)


def _call_if_there(method: weakref.ref[Callable[[], None]]) -> None:
    if (call := method()) is not None:
        call()
