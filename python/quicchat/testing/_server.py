"""The server of a test."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Awaitable, Callable
from pathlib import Path

from .. import _core
from .._asking import engine_timeout
from .._check import Check
from .._loops import running_loop
from ..errors import ConfigError
from ..reloading import Reloaded
from ..server import Server
from ..settings import ServerConfig

__all__ = ["AGENT", "MemoryServer"]

AGENT = json.dumps({"name": "quicchat-python", "version": _core.version,
                    "python": platform.python_version(), "in_memory": True})


class MemoryServer(Server):
    """A :class:`quicchat.Server` of a network in memory. It has no address, no certificate and no
    accounts, and takes no other configuration while it runs."""

    def __init__(self, world: _core.World, until: Callable[[asyncio.Event], Awaitable[None]],
                 config: ServerConfig, names: tuple[str, ...] | None, check: Check | None,
                 check_timeout: float, check_failure: str) -> None:
        super().__init__(config, check=check, check_timeout=check_timeout,
                         check_failure=check_failure)
        self._world = world
        self._until = until
        self._names = names

    @property
    def fingerprint(self) -> str:
        """Empty: there is no key."""
        return ""

    def start_now(self) -> None:
        """Of the network: starts, in the running event loop."""
        self._listen(running_loop(), self._make())

    async def start(self) -> None:
        """The network has started it already."""

    async def reload(self, config: ServerConfig | str | Path | None = None) -> Reloaded:
        """Raises ConfigError: make another network."""
        raise ConfigError("a server in memory takes no other configuration")

    async def close(self) -> None:
        """As of any server; the clock is moved as far as that takes."""
        if not self._stopped.is_set():
            self._started().shutdown()
            await self._until(self._stopped)
            self._release()

    def drop(self) -> None:
        """Of the network: ends it without waiting."""
        if not self._stopped.is_set():
            self._started().shutdown()
            self._forget()

    def _make(self) -> _core.Server:
        config = self.config
        self._ask_functions("")
        try:
            return self._world.serve(
                accounts=None if self._names is None else list(self._names),
                rooms=list(config.rooms), operators=list(config.operators),
                anybody_makes_rooms=config.anybody_makes_rooms, speaker=self._voice_of_its_own(),
                check_timeout=engine_timeout(self._check_timeout) if self._check else None,
                accepts_unchecked=self._check_failure == "accept", agent=AGENT,
                limits=config.limits.chosen(), files=config.files is not None)
        except _core.CoreError as error:
            raise ConfigError(f"the server in memory cannot start: {error.args[3]}") from None
