"""What the core is told about a server's address and accounts."""

from __future__ import annotations

import socket

from . import _core
from ._dialling import joined, numeric_address
from ._hook import salt_of
from .errors import BindError, ConfigError
from .settings import ServerConfig, password_problem


def bind_address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_DGRAM,
                                   flags=socket.AI_PASSIVE)
    except OSError as error:
        raise BindError(f"cannot look up the address to listen on: {host}",
                        reason=str(error.strerror or error).lower(),
                        hint='use an address such as 127.0.0.1, or 0.0.0.0 for all') from None
    return joined(numeric_address(found[0][4]), port)


def account_rows(config: ServerConfig, key_pem: str) -> list[tuple[str, str, str, bytes]]:
    """What the core needs of the accounts."""
    rows: list[tuple[str, str, str, bytes]] = []
    for account in config.accounts:
        try:
            if account.verifier:
                _core.check_verifier(account.verifier)
        except _core.CoreError as error:
            raise ConfigError(f"the account '{account.username}' cannot be used: "
                              f"{error.args[3]}") from None
        if not account.verifier and (problem := password_problem(account.password)):
            raise ConfigError(f"the account '{account.username}' cannot be used: "
                              f"its password {problem}")
        rows.append((account.username, account.password, account.verifier,
                     salt_of(key_pem, account.username, account.password)))
    return rows
