"""Where what takes long with a file is done: one thing after the other, at once or in a thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Work = Callable[[], Any]
#: Called with what the work gave, or with why it failed.
Then = Callable[[Any, BaseException | None], None]


class Disk(Protocol):
    """Does work, and then says so."""

    def run(self, work: Work, then: Then) -> None: ...


class AtOnce:
    """For memory, and for programs that wait anyway."""

    def run(self, work: Work, then: Then) -> None:
        try:
            result = work()
        except Exception as error:
            then(None, error)
        else:
            then(result, None)


class InThread:
    """In a thread of the event loop's own, while the loop goes on. ``then`` is called by the
    loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, work: Work, then: Then) -> None:
        def done(future: asyncio.Future[Any]) -> None:
            if not future.cancelled():  # the loop is at its end
                error = future.exception()
                then(None if error else future.result(), error)

        try:
            future = self._loop.run_in_executor(None, work)
        except RuntimeError as error:  # the loop takes no more work: it is at its end
            then(None, error)
        else:
            future.add_done_callback(done)


class Steps:
    """What is done with one file, in order, one step at a time."""

    def __init__(self) -> None:
        self.disk: Disk = AtOnce()
        self._waiting: deque[tuple[Work, Then, int]] = deque()
        self._running: int | None = None  #: the size of the step that runs
        self._last: Work | None = None

    def do(self, work: Work, then: Then, size: int = 0) -> None:
        """Does ``work`` after all that was asked before."""
        self._waiting.append((work, then, size))
        self._go_on()

    def drop(self) -> int:
        """Does nothing of what waits. Gives its size, without that of the step that runs."""
        size = sum(step[2] for step in self._waiting)
        self._waiting.clear()
        return size

    def finally_do(self, work: Work) -> None:
        """Does ``work`` as the last, now if nothing runs. Nobody hears of it."""
        self.drop()
        if self._running is None:
            work()
        else:
            self._last = work

    def _go_on(self) -> None:
        while self._running is None and self._waiting:
            work, then, self._running = self._waiting.popleft()
            self.disk.run(work, partial(self._done, then))

    def _done(self, then: Then, result: Any, error: BaseException | None) -> None:
        self._running = None
        then(result, error)
        last, self._last = self._last, None
        if last is not None:
            self.disk.run(last, lambda *_: None)
        self._go_on()


async def in_thread(steps: Steps, work: Callable[[], T]) -> T:
    """A step in a thread, and what comes of it. If we are cancelled, nobody waits for it; whatever
    is done with the file afterwards does."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def then(result: T, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    steps.disk = InThread(loop)
    steps.do(work, then)
    return await done
