"""Who is too fast is slowed down, not refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import RateLimited

_PAUSE_MIN = 0.02  # seconds
_PAUSE_MAX = 60.0  # seconds; who should wait for longer is told so instead

T = TypeVar("T")


async def paced(request: Callable[[], Awaitable[T]]) -> T:
    """What is asked for, once the server has time for it."""
    while True:
        try:
            return await request()
        except RateLimited as error:
            if error.retry_after > _PAUSE_MAX:
                raise
            await asyncio.sleep(max(_PAUSE_MIN, error.retry_after))
