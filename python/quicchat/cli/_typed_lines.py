"""Lines that a person types at a screen which runs as a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Interrupted(Exception):
    """Ctrl-C: a person leaves at once, whatever is under way."""


class TypedLines:
    """Those that were typed and not taken yet. They are given also after the screen has ended."""

    def __init__(self, is_interrupted: Callable[[], bool]) -> None:
        self.running: asyncio.Task[None] | None = None  #: the screen
        self._is_interrupted = is_interrupted
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    def put(self, line: str | None) -> None:
        """One more; None for the end."""
        self._lines.put_nowait(line)

    async def next(self) -> str | None:
        """The next one; None at the end. Raises Interrupted, or what has ended the screen."""
        line = asyncio.ensure_future(self._lines.get())
        waited: set[asyncio.Future[object]] = {line}  # type: ignore[arg-type]
        if self.running is not None:
            waited.add(self.running)  # type: ignore[arg-type]
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not line.done():
                line.cancel()
        if line.done() and not line.cancelled():
            return line.result()
        if self._is_interrupted():
            raise Interrupted
        if self.running is not None:
            self.running.result()
        return None

    async def interruption(self) -> None:
        """Raises Interrupted, when it is time."""
        if self.running is not None:
            await asyncio.wait((self.running,))
            if self._is_interrupted():
                raise Interrupted
        await asyncio.get_running_loop().create_future()  # which never comes
