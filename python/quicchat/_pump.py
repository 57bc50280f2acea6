"""Waiting for the engine without asyncio: by whichever thread wants an answer."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from typing import Any

from ._conversation import Conversation


class Answer:
    """Gets the answer to one request."""

    def __init__(self) -> None:
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def done(self) -> bool:
        return self._done

    def set_result(self, result: Any, /) -> None:
        self._done, self._result = True, result

    def set_exception(self, error: BaseException, /) -> None:
        self._done, self._error = True, error

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result


class Pump:
    """Lets one thread at a time wait for the engine, and the others for that one."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.changed = threading.Condition()
        self._pumping = False

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Takes in news until ``done()``. False after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            while not done():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                if self._pumping:
                    self.changed.wait(left)
                else:
                    self._pump(left)
            return True

    def _pump(self, timeout: float | None) -> None:
        """One wait for the engine, with the lock released meanwhile."""
        self._pumping = True
        self.changed.release()
        try:
            poll = select.poll()
            poll.register(self.conversation.core.fileno(), select.POLLIN)
            poll.poll(None if timeout is None else max(0.0, timeout) * 1000)
        finally:
            self.changed.acquire()
            self._pumping = False
            self.changed.notify_all()
        self.conversation.take()
