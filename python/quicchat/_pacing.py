"""Waiting as long as the server says before something is sent again."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from .errors import RateLimited

__all__ = ["LONGEST", "Pace", "insist", "paced"]

_SHORTEST = 0.05  # seconds: a server that says 0 is not asked all the time
LONGEST = 60.0  # seconds at once; who should wait for longer is told so

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
                return await insist(request, sleep, wait=first_wait)
        finally:
            self._users[about] -= 1
            if not self._users[about]:
                del self._gates[about], self._users[about]


async def insist(request: Callable[[], Awaitable[AnswerT]],
                 sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, *, wait: float = 0.0,
                 total: float = LONGEST) -> AnswerT:
    """What a request gives, once the server takes it: first after ``wait`` seconds, then whenever
    the server says. Raises RateLimited if it says that more than a minute is to be waited at once,
    or more than ``total`` in all. Who asks beside it is not held up."""
    waited = 0.0
    while True:
        if wait:
            waited += wait
            await sleep(wait)
        try:
            return await request()
        except RateLimited as error:
            wait = max(error.retry_after, _SHORTEST)
            if wait > LONGEST or waited + wait > total:
                raise


def paced(request: Callable[[], Awaitable[AnswerT]]) -> Awaitable[AnswerT]:
    """Of the command line, which has no other work: what a request gives, however often others are
    faster."""
    return insist(request, total=math.inf)
