"""The event loop that we run in, or words about why there is none."""

from __future__ import annotations

import asyncio
import sys

from .errors import WrongLoopError

__all__ = ["running_loop"]


def running_loop() -> asyncio.AbstractEventLoop:
    """asyncio's. Raises WrongLoopError, which is a RuntimeError."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        pass
    if _in_trio():
        raise WrongLoopError(
            "quicchat needs asyncio, and this is trio", reason="it waits by an event loop of "
            "asyncio, which trio does not have",
            hint="run it by asyncio.run, or trio as a guest of asyncio (trio-asyncio); with anyio "
                 'choose the backend "asyncio"; in a thread of its own quicchat.sync needs neither')
    raise WrongLoopError(
        "there is no running event loop here", reason="this is no coroutine that asyncio runs",
        hint="call it from a coroutine that asyncio.run runs; without asyncio use quicchat.sync")


def _in_trio() -> bool:
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_trio_token()
    except RuntimeError:
        return False
    return True
