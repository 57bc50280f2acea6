"""The accounts of a server that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import _core
from ._binding import account_rows
from ._failures import storage_error
from ._paths import path_bytes
from .errors import ConfigError
from .settings import Account, ServerConfig

if TYPE_CHECKING:
    from .server import Server

T = TypeVar("T")


async def in_database(path: Path, work: Callable[[_core.Accounts], T]) -> T:
    """What ``work`` finds or does in a database, on another thread: it may have to wait for a lock,
    or for the disk. Raises StorageError."""

    def in_thread() -> T:
        try:
            return work(_core.Accounts(path_bytes(path)))
        except _core.StorageFailure as error:
            raise storage_error(error.args[1], error.args[0]) from None

    return await asyncio.to_thread(in_thread)


class ServerAccounts:
    """Who may log in: in the database, or where a server has none, in its memory. There what was
    changed is forgotten with the server, and by its next reload."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._one_by_one = asyncio.Lock()  # in memory each change is of all accounts

    async def list(self) -> list[str]:
        """The names of all accounts that are not disabled, sorted."""
        path = self._path
        if path is None:
            return sorted(account.username for account in self._config.accounts)
        rows = await in_database(path, lambda accounts: accounts.list_accounts())
        return sorted(name for name, enabled, *_ in rows if enabled)

    async def add(self, account: Account) -> None:
        """Lets somebody log in from now on. Raises ConfigError if there is such an account, or it
        cannot be one."""
        path = self._path
        if self._server.speaker and account.username.lower() == self._server.speaker.lower():
            raise self._refused(account.username, "the server itself speaks by that name")
        if path is not None:
            if not await in_database(path, lambda accounts: accounts.add(
                    account.username, self._verifier(account))):
                raise self._refused(account.username, "there is one of that name already")
            return
        async with self._one_by_one:
            if account.username.lower() in map(str.lower, await self.list()):
                raise self._refused(account.username, "there is one of that name already")
            await self._server.reload(replace(self._config, accounts=(
                *self._config.accounts, account)))

    async def set_password(self, account: Account) -> None:
        """Gives an account another password; its devices have to log in with it. Raises ConfigError
        if there is no such account."""
        path = self._path
        if path is not None:
            if not await in_database(path, lambda accounts: accounts.replace_verifier(
                    account.username, self._verifier(account))):
                raise self._refused(account.username, "there is none of that name")
            return
        async with self._one_by_one:
            others = self._without(account.username)
            await self._server.reload(replace(self._config, accounts=(*others, account)))

    async def remove(self, username: str) -> None:
        """Deletes an account. Its connections stay; :meth:`Server.disconnect` ends them. Raises
        ConfigError if there is none."""
        path = self._path
        if path is not None:
            if not await in_database(path, lambda accounts: accounts.remove(username)):
                raise self._refused(username, "there is none of that name")
            return
        async with self._one_by_one:
            await self._server.reload(replace(self._config, accounts=self._without(username)))

    @property
    def _config(self) -> ServerConfig:
        return self._server.config

    @property
    def _path(self) -> Path | None:
        self._server._started()
        return self._config.database if self._config.stores else None

    def _without(self, username: str) -> tuple[Account, ...]:
        others = tuple(account for account in self._config.accounts
                       if account.username.lower() != username.lower())
        if len(others) == len(self._config.accounts):
            raise self._refused(username, "there is none of that name")
        return others

    def _verifier(self, account: Account) -> str:
        assert self._server.pair is not None
        config = replace(self._config, accounts=(account,))
        [(_, password, verifier, salt)] = account_rows(config, self._server.pair.key_pem)
        return verifier or _core.verifier(password, salt, self._config.iterations)

    @staticmethod
    def _refused(name: str, reason: str) -> ConfigError:
        return ConfigError(f"the account '{name}' cannot be changed so: {reason}")
