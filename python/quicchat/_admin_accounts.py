"""How accounts of a server that runs are administered by its socket."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from . import _core
from ._server_accounts import in_database
from .errors import ConfigError, QuicChatError
from .settings import USER_NAME, Account

if TYPE_CHECKING:
    from .server import Server

#: What may be asked about accounts.
ASKS = ("users", "add", "passwd", "disable", "enable", "remove", "devices", "revoke", "disconnect")

_DEVICE = re.compile(r"[0-9a-f]{32}\Z")


async def answer(server: Server, ask: str,
                 request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """The lines of the answer."""
    if ask == "users":
        for row in await _accounts(server):
            yield {"row": row}
        yield {"done": {}}
        return
    user = request.get("user")
    if not isinstance(user, str) or not USER_NAME.match(user):
        raise _refusal('"user" must be the name of an account', 'such as "ada"')
    if ask == "devices":
        for device, created, used in await _in_database(server, lambda a: a.list_devices(user)):
            yield {"row": {"device": device, "created": created, "used": used}}
        yield {"done": {}}
    elif ask == "disconnect":
        yield {"done": {"connections": await server.disconnect(user)}}
    else:
        yield {"done": {"changed": await _change(server, ask, user, request)}}


async def _accounts(server: Server) -> list[dict[str, Any]]:
    if not server.config.stores:
        return [{"user": name, "enabled": True, "created": None, "devices": None}
                for name in await server.accounts.list()]
    rows = await _in_database(server, lambda accounts: accounts.list_accounts())
    return [{"user": name, "enabled": enabled, "created": created, "devices": devices}
            for name, enabled, created, devices in rows]


async def _change(server: Server, ask: str, user: str, request: dict[str, Any]) -> bool:
    """False if there is no such account, or device; of ``add``: if there is one already."""
    match ask:
        case "add" if user.lower() == server.speaker.lower():
            return False
        case "add" | "passwd":
            verifier = _verifier(request)
            if not server.config.stores:
                return await _change_in_memory(server, ask, Account(user, verifier=verifier))
            if ask == "add":
                return bool(await _in_database(server, lambda a: a.add(user, verifier)))
            return bool(await _in_database(server, lambda a: a.replace_verifier(user, verifier)))
        case "remove":
            if not server.config.stores:
                return await _change_in_memory(server, ask, Account(user))
            return bool(await _in_database(server, lambda a: a.remove(user)))
        case "disable":
            return bool(await _in_database(server, lambda a: a.disable(user)))
        case "enable":
            return bool(await _in_database(server, lambda a: a.enable(user)))
    device = request.get("device")
    if device is None:
        return bool(await _in_database(server, lambda a: a.revoke_devices(user)))
    if not isinstance(device, str) or not _DEVICE.match(device):
        raise _refusal('"device" must be 32 hexadecimal digits, or null', "null: all of them")
    id = bytes.fromhex(device)
    return bool(await _in_database(server, lambda a: a.revoke_device(user, id)))


async def _change_in_memory(server: Server, ask: str, account: Account) -> bool:
    known = account.username.lower() in map(str.lower, await server.accounts.list())
    if known == (ask == "add"):
        return False
    if ask == "add":
        await server.accounts.add(account)
    elif ask == "passwd":
        await server.accounts.set_password(account)
    else:
        await server.accounts.remove(account.username)
    return True


def _verifier(request: dict[str, Any]) -> str:
    verifier = request.get("verifier")
    if not isinstance(verifier, str):
        raise _refusal('"verifier" must be a text', "as 'quicchat user entry' prints it")
    try:
        _core.check_verifier(verifier)
    except _core.CoreError as error:
        raise _refusal(f"not a verifier: {error.args[3]}",
                       "as 'quicchat user entry' prints it") from None
    return verifier


async def _in_database(server: Server, work: Callable[[_core.Accounts], Any]) -> Any:
    config = server.config
    path = config.database
    if path is None or not config.stores:
        raise ConfigError("this server keeps accounts in its memory: they have no devices that it "
                          "could list, and are added, removed and given passwords only",
                          code="E-NO-DATABASE", hint='name a file as "database"')

    return await in_database(path, work)


def _refusal(what: str, hint: str) -> QuicChatError:
    return QuicChatError(what, code="E-ADMIN-REQUEST", hint=hint)
