"""Waiting as long as the server says before something is sent again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from .errors import RateLimited

__all__ = ["LONGEST", "Pace"]

_SHORTEST = 0.05  # seconds: a server that says 0 is not asked all the time
LONGEST = 60.0  # seconds that one request waits; who should wait for longer is told so

AnswerT = TypeVar("AnswerT")


class Pace:
    """Has those who ask too much wait, one behind the other, in the order in which they asked.
    What is about one thing, such as what is said in one room, waits for nothing else."""

    def __init__(self) -> None:
        self._gates: dict[Hashable, asyncio.Lock] = {}
        self._users: Counter[Hashable] = Counter()

    async def ask(self, request: Callable[[], Awaitable[AnswerT]],
                  sleep: Callable[[float], Awaitable[None]], about: Hashable = None) -> AnswerT:
        """What a request gives, once the server takes it. Raises RateLimited if that is not so
        after a minute."""
        first_wait = 0.0
        if about not in self._gates:
            try:
                return await request()
            except RateLimited as error:
                first_wait = max(error.retry_after, _SHORTEST)
        gate = self._gates.setdefault(about, asyncio.Lock())
        self._users[about] += 1
        try:
            async with gate:
                return await _insist(request, sleep, first_wait)
        finally:
            self._users[about] -= 1
            if not self._users[about]:
                del self._gates[about], self._users[about]


async def _insist(request: Callable[[], Awaitable[AnswerT]],
                  sleep: Callable[[float], Awaitable[None]], wait: float) -> AnswerT:
    waited = 0.0
    while True:
        if wait:
            waited += wait
            await sleep(wait)
        try:
            return await request()
        except RateLimited as error:
            wait = max(error.retry_after, _SHORTEST)
            if waited + wait > LONGEST:
                raise
