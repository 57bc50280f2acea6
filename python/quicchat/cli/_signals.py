"""Programs that are asked to end, as when their terminal is closed, say good-bye first."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

_ENDS = (signal.SIGTERM, signal.SIGHUP)


async def or_signal(work: Coroutine[Any, Any, int]) -> int:
    """The result of some work; or 128 and the number of a signal that ended it, so that the
    connection is closed, and others see at once that we are gone."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(number: int) -> None:
        if not ended.done():
            ended.set_result(number)

    caught = [number for number in _ENDS if signal.getsignal(number) is signal.SIG_DFL]
    for number in caught:
        loop.add_signal_handler(number, end, number)
    working = asyncio.create_task(work)
    try:
        await asyncio.wait((working, ended), return_when=asyncio.FIRST_COMPLETED)
        return 128 + ended.result() if ended.done() else working.result()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        for number in caught:
            loop.remove_signal_handler(number)
