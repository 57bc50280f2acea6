"""How people may log in in web pages: the part of a server's configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from .settings import Tickets
from .tickets import TEXT_BYTES_MAX, is_claim

KEYS = ("tickets", "passwords")  # of "web"
_TICKET_KEYS = ("keys", "audience", "hosts")
_HOSTS_MAX = 16
#: As a URL has it in browsers; the core looks again.
_HOST = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:]+\]):[1-9][0-9]{0,4}\Z")


class Reader(Protocol):
    """Who reads the whole configuration."""

    directory: Path

    def wrong(self, key: str, needed: str, value: object) -> None: ...

    def check_keys(self, value: dict[str, Any], known: Iterable[str], where: str) -> None: ...


def read_web_logins(reader: Reader, web: dict[str, Any],
                    user_path: Callable[[str], Path]) -> tuple[Tickets | None, bool | None]:
    """Which tickets are taken, and whether passwords are; None: nothing is said of them."""
    passwords = web.get("passwords")
    if passwords is not None and not isinstance(passwords, bool):
        reader.wrong("web.passwords", "true or false", passwords)
        passwords = None
    found = web.get("tickets")
    if found is not None and not isinstance(found, dict):
        reader.wrong("web.tickets", 'an object such as {"keys": "ticket.keys", "audience": '
                     '"chat.example.org"}', found)
    if not isinstance(found, dict):
        return None, passwords
    reader.check_keys(found, _TICKET_KEYS, ' in "web.tickets"')
    keys, audience, hosts = (found.get(key) for key in _TICKET_KEYS)
    is_right = True
    if not isinstance(keys, str) or not keys or "\0" in keys:
        reader.wrong("web.tickets.keys", "the path of the file of keys", keys)
        is_right = False
    if not is_claim(audience):
        reader.wrong("web.tickets.audience", f"a text of 1 to {TEXT_BYTES_MAX} bytes", audience)
        is_right = False
    hosts = [] if hosts is None else hosts
    if not isinstance(hosts, list) or len(hosts) > _HOSTS_MAX or not all(map(_is_host, hosts)):
        reader.wrong("web.tickets.hosts", f"a list of at most {_HOSTS_MAX} texts such as "
                     '"chat.example.org:443", in lower case and with the port', hosts)
        is_right = False
    if not is_right:
        return None, passwords
    return Tickets(reader.directory / user_path(str(keys)), str(audience),
                   tuple(hosts)), passwords


def _is_host(text: object) -> bool:
    return (isinstance(text, str) and len(text) <= TEXT_BYTES_MAX and bool(_HOST.match(text))
            and int(text.rpartition(":")[2]) <= 65535)
