"""The steps of dialling, for asyncio."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from ._dialling import Await, Resolve, resolve_error


async def take_step(step: Resolve | Await, loop: asyncio.AbstractEventLoop) -> Any:
    """What a step gives, once it is there. Raises what it fails with."""
    if isinstance(step, Resolve):
        try:
            return await loop.getaddrinfo(step.host, step.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise resolve_error(step, error) from None
    conversation = step.conversation
    decided = loop.create_future()

    def on_readable() -> None:
        conversation.take()
        if (conversation.online or conversation.end) and not decided.done():
            decided.set_result(None)

    fd = conversation.core.fileno()
    loop.add_reader(fd, on_readable)
    try:
        await decided
    finally:
        loop.remove_reader(fd)
