"""How a server asks a function of the program around it: a coroutine function in the loop, any
other one in a thread, and none of them for longer than its time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from .errors import ConfigError

DEFAULT_TIMEOUT = 5.0
_GRACE = 1.0  # seconds after which the engine no longer waits for a loop that is stuck
_THREADS = 8  # for functions that are not async

QuestionT = TypeVar("QuestionT")
AnswerT = TypeVar("AnswerT")


class Asking(Generic[QuestionT, AnswerT]):
    """A function of the program, what it is called there, and how long it may take. Belongs to a
    loop."""

    def __init__(self, function: Callable[[QuestionT], AnswerT | Awaitable[AnswerT]], name: str,
                 timeout: float) -> None:
        self._function = function
        self._name = name
        self._timeout = timeout
        self._tasks: set[asyncio.Task[None]] = set()
        self.threads = ThreadPoolExecutor(_THREADS, f"quicchat-{name}")

    def start(self, steps: Coroutine[Any, Any, None]) -> None:
        """Does something with a question; it ends with ``close`` at the latest."""
        task = asyncio.get_running_loop().create_task(steps)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, question: QuestionT,
                  understand: Callable[[AnswerT], Awaitable[Any]]) -> tuple[Any, str]:
        """What the function's answer means, and an empty text; or None and what went wrong."""
        deadline = asyncio.timeout(self._timeout)
        try:
            async with deadline:
                answer = await self._call(question)
            return await understand(answer), ""
        except TimeoutError as error:
            if deadline.expired():
                return None, f"the {self._name} function did not answer within {self._timeout:g} s"
            return None, f"the {self._name} function raised {error!r}"
        except Exception as error:
            return None, f"the {self._name} function raised {error!r}"

    def close(self) -> None:
        """Forgets what is open. Does not wait for a function that hangs in a thread."""
        for task in self._tasks:
            task.cancel()
        self.threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, question: QuestionT) -> AnswerT:
        function = self._function
        answer: Any
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
                getattr(function, "__call__", None)):  # noqa: B004 - an object with async __call__
            answer = function(question)
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self.threads, function, question)
        found: AnswerT = await answer if inspect.isawaitable(answer) else answer
        return found


def checked_timeout(timeout: float, name: str) -> float:
    """A time for a function. Raises ConfigError."""
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout <= 600:
        raise ConfigError(f"{name} must be a number of seconds from 0 to 600, got {timeout!r}")
    return float(timeout)


def engine_timeout(timeout: float) -> float:
    """How long the engine waits for an answer."""
    return timeout + _GRACE
