"""The configuration file of a server.

The smallest one::

    {"host": "127.0.0.1", "port": 12345, "certfile": "server.crt", "keyfile": "server.key",
     "auth": {"username": "ada", "password": "a secret"}}

Optional: ``auth.users`` (a list of ``{"username", "password"}`` or ``{"username", "verifier"}``),
``auth.iterations``; ``"auth": {"users": []}`` where all accounts are in the database (see
``quicchat user``); ``rooms`` (default ``["#lobby"]``), ``operators`` (a list of users who are
owners of every room), ``anybody_makes_rooms`` (default true; false: only operators do), ``speaker``
(the name of the server itself, see :class:`ServerConfig`), ``limits`` (:class:`quicchat.Limits`),
``database`` (the file that keeps rooms, accounts and devices, default ``"quicchat.db"``; null: they
live in memory), ``files`` (the folder that keeps the files that people send, default
``"quicchat.files"``; null: none are taken), ``durability`` (``"fsync"``: an acknowledged message
outlives a power failure, ``"process"``: a crash of the server, ``"memory"``: neither), ``metrics``
(where ``quicchat serve`` has figures for Prometheus, an address of this computer alone such as
``"127.0.0.1:9464"``; see :mod:`quicchat.metrics`), ``qlog`` (where to write down what QUIC does,
such as ``{"directory": "qlog", "bytes_max": 67108864}``; see :mod:`quicchat.qlogs`), ``admin`` (the
socket by which ``quicchat serve`` is administered, default ``"quicchat.sock"``; null: none; see
:mod:`quicchat.administration`), ``web`` (pages in browsers that may come by WebTransport, and how
people log in there: ``{"origins": ["https://chat.example.org"], "path": "/quicchat", "tickets":
{"keys": "ticket.keys", "audience": "chat.example.org"}, "passwords": false}``; default null: none;
see :mod:`quicchat.tickets`), ``$schema`` and any key that begins with ``x-``. All problems are
reported at once.

Paths are relative to the folder in which the file was named. If that is a symbolic link, the folder
is the link's: what it points to may be exchanged, as Kubernetes does, and a database stays. ``~``
at the beginning of a path is the home folder, as in a shell; ``$HOME`` and other variables are not
replaced.

A server that runs takes the file again at SIGHUP (:meth:`quicchat.Server.reload`). ``host``,
``port``, ``database``, ``durability``, ``files``, ``metrics``, ``qlog``, ``admin`` and a first
``web`` need a restart; rooms and accounts in the database that are not listed any more stay.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ._json import read_json, shortened, shown
from ._web_logins import KEYS as _WEB_LOGIN_KEYS
from ._web_logins import read_web_logins
from ._web_pages import DEFAULT_PATH, Web, origin_problem, path_problem
from .errors import ConfigError
from .limits import RANGES, Limits, limit_problem
from .metrics import loopback
from .qlogs import BYTES_MAX, BYTES_RANGE, Qlog
from .settings import (
    DEFAULT_ITERATIONS,
    DEFAULT_ROOMS,
    DURABILITIES,
    ITERATIONS_MAX,
    ITERATIONS_MIN,
    ROOM_NAME,
    USER_NAME,
    Account,
    ServerConfig,
    Tickets,
    password_problem,
    threads_problem,
)
from .terminal import normalized_password

__all__ = ["Account", "ServerConfig", "load_config"]

_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):"
                       r"([A-Za-z0-9+/=]+)\Z")

DEFAULT_DATABASE = "quicchat.db"
DEFAULT_FILES = "quicchat.files"
DEFAULT_ADMIN = "quicchat.sock"

_KEYS = ("host", "port", "certfile", "keyfile", "auth", "rooms", "operators", "anybody_makes_rooms",
         "speaker", "limits", "database", "files", "durability", "metrics", "qlog", "admin", "web",
         "threads", "version")
_AUTH_KEYS = ("username", "password", "users", "iterations")
_QLOG_KEYS = ("directory", "bytes_max")
_WEB_KEYS = ("origins", "path", *_WEB_LOGIN_KEYS)
_USER_KEYS = ("username", "password", "verifier")


def user_path(text: str) -> Path:
    """A path as people write it: ``~`` at its beginning is the home folder."""
    return Path(os.path.expanduser(text))


class _Reader:
    """Reads one document and collects what is wrong with it."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.problems: list[str] = []
        self.notices: list[str] = []

    def wrong(self, key: str, needed: str, value: object) -> None:
        self.problems.append(f'"{key}" must be {needed}, got {shown(value)}')

    def check_keys(self, value: dict[str, Any], known: Iterable[str], where: str) -> None:
        known = tuple(known)
        for key in value:
            if key in known or key == "$schema" or key.startswith("x-"):
                continue
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
            meant = f' - did you mean "{close[0]}"?' if close else (
                "; known are " + ", ".join(known))
            name = shortened(json.dumps(key, ensure_ascii=False))
            self.problems.append(f"unknown key {name}{where}{meant}")

    def need(self, value: dict[str, Any], key: str) -> Any:
        if key not in value:
            self.problems.append(f'"{key}" is missing')
        return value.get(key)

    def text(self, value: dict[str, Any], key: str) -> str:
        found = self.need(value, key)
        if key in value and (not isinstance(found, str) or not found):
            self.wrong(key, "a text that is not empty", found)
            return ""
        return found if isinstance(found, str) else ""

    def port(self, value: dict[str, Any]) -> int:
        found = self.need(value, "port")
        if type(found) is int and 0 <= found <= 65535:
            return found
        if "port" in value:
            self.wrong("port", "an integer from 0 to 65535", found)
        return 0

    def path(self, value: dict[str, Any], key: str) -> Path:
        """Relative to the configuration's directory; else, as the first release did, to the
        current one."""
        found = user_path(self.text(value, key))
        beside = self.directory / found
        if (found.is_absolute() or os.path.exists(beside) or not found.name
                or not os.path.exists(found)):
            return beside
        self.notices.append(
            f'"{key}": {found} is not beside {self.name}; taking the one in the current directory')
        return found.absolute()

    def database(self, value: dict[str, Any]) -> Path | None:
        found = value.get("database", DEFAULT_DATABASE)
        if found is None:
            return None
        if not isinstance(found, str) or not found or "\0" in found:
            self.wrong("database", "the path of a file, or null for rooms in memory", found)
            return None
        return self.directory / user_path(found)

    def files(self, value: dict[str, Any]) -> Path | None:
        found = value.get("files", DEFAULT_FILES)
        if found is None:
            return None
        if not isinstance(found, str) or not found or "\0" in found:
            self.wrong("files", "the path of a folder, or null for no files", found)
            return None
        return self.directory / user_path(found)

    def admin(self, value: dict[str, Any]) -> Path | None:
        found = value.get("admin", DEFAULT_ADMIN)
        if found is None:
            return None
        if not isinstance(found, str) or not found or "\0" in found:
            self.wrong("admin", "the path of a socket, or null for none", found)
            return None
        return self.directory / user_path(found)

    def durability(self, value: dict[str, Any]) -> str:
        found = value.get("durability", "fsync")
        if found in DURABILITIES:
            return str(found)
        self.wrong("durability", '"fsync", "process" or "memory"', found)
        return "fsync"

    def threads(self, value: dict[str, Any]) -> int | Literal["auto"]:
        found = value.get("threads", 1)
        if problem := threads_problem(found):
            self.wrong("threads", problem.removeprefix("must be "), found)
            return 1
        return "auto" if found == "auto" else int(found)

    def metrics(self, value: dict[str, Any]) -> str | None:
        found = value.get("metrics")
        if found is None or (isinstance(found, str) and loopback(found)):
            return found
        self.wrong("metrics", 'an address of this computer alone, such as "127.0.0.1:9464"', found)
        return None

    def qlog(self, value: dict[str, Any]) -> Qlog | None:
        found = value.get("qlog")
        if found is None:
            return None
        if not isinstance(found, dict):
            self.wrong("qlog", 'an object such as {"directory": "qlog"}', found)
            return None
        self.check_keys(found, _QLOG_KEYS, ' in "qlog"')
        folder, size = found.get("directory"), found.get("bytes_max", BYTES_MAX)
        if type(size) is not int or not BYTES_RANGE[0] <= size <= BYTES_RANGE[1]:
            self.wrong("qlog.bytes_max", f"an integer from {BYTES_RANGE[0]} up", size)
        elif isinstance(folder, str) and folder and "\0" not in folder:
            return Qlog(self.directory / user_path(folder), size)
        else:
            self.wrong("qlog.directory", "the path of a folder", folder)
        return None

    def web(self, value: dict[str, Any]) -> tuple[Web | None, Tickets | None, bool | None]:
        """Which pages may come, and how people log in there."""
        found = value.get("web")
        if found is None:
            return None, None, None
        if not isinstance(found, dict):
            self.wrong("web", 'an object such as {"origins": ["https://chat.example.org"]}', found)
            return None, None, None
        self.check_keys(found, _WEB_KEYS, ' in "web"')
        return self.web_pages(found), *read_web_logins(self, found, user_path)

    def web_pages(self, found: dict[str, Any]) -> Web | None:
        # "serve --web" knows the page that it serves, and needs to be told about logins only.
        if not found.keys() & {"origins", "path"} and found.keys() & {*_WEB_LOGIN_KEYS}:
            return None
        before = len(self.problems)
        origins, path = found.get("origins"), found.get("path", DEFAULT_PATH)
        if not isinstance(origins, list) or not origins:
            self.wrong("web.origins", 'a list of texts such as ["https://chat.example.org"]',
                       origins)
            origins = []
        for origin in origins:
            if problem := origin_problem(origin):
                self.problems.append(f'"web.origins": {shown(origin)} {problem}')
        if problem := path_problem(path):
            self.problems.append(f'"web.path" {problem}, got {shown(path)}')
        return None if len(self.problems) > before else Web(tuple(origins), path)

    def rooms(self, value: dict[str, Any]) -> tuple[str, ...]:
        found = value.get("rooms", list(DEFAULT_ROOMS))
        if not isinstance(found, list) or not found:
            self.wrong("rooms", 'a list of names such as ["#lobby"]', found)
            return DEFAULT_ROOMS
        for room in found:
            if not isinstance(room, str) or not ROOM_NAME.match(room):
                self.wrong("rooms", "names of '#' and 1 to 63 letters, digits, '_', '.' or '-'",
                           room)
        return tuple(dict.fromkeys(room for room in found if isinstance(room, str)))

    def operators(self, value: dict[str, Any]) -> tuple[str, ...]:
        found = value.get("operators", [])
        if not isinstance(found, list):
            self.wrong("operators", 'a list of user names such as ["ada"]', found)
            return ()
        names = [name for name in found if isinstance(name, str) and USER_NAME.match(name)]
        for name in found:
            if name not in names:
                self.wrong("operators", "names of 1 to 32 ASCII letters, digits, '_', '.' or '-'",
                           name)
        return tuple(names)

    def anybody_makes_rooms(self, value: dict[str, Any]) -> bool:
        found = value.get("anybody_makes_rooms", True)
        if isinstance(found, bool):
            return found
        self.wrong("anybody_makes_rooms", "true or false", found)
        return True

    def speaker(self, value: dict[str, Any]) -> str | None:
        found: str | None = value.get("speaker")
        if found in (None, "") or (isinstance(found, str) and USER_NAME.match(found)):
            return found
        self.wrong("speaker", 'a user name, "" for none, or null', found)
        return None

    def limits(self, value: dict[str, Any]) -> Limits:
        found = value.get("limits", {})
        if not isinstance(found, dict):
            self.wrong("limits", "an object", found)
            return Limits()
        self.check_keys(found, RANGES, ' in "limits"')
        chosen = {key: found[key] for key in RANGES if key in found}
        wrong = [f"{problem}, got {shown(chosen[key])}"
                 for key in chosen if (problem := limit_problem(key, chosen[key]))]
        self.problems += wrong
        return Limits() if wrong else Limits(**chosen)

    def iterations(self, auth: dict[str, Any]) -> int:
        found = auth.get("iterations", DEFAULT_ITERATIONS)
        if type(found) is int and ITERATIONS_MIN <= found <= ITERATIONS_MAX:
            return found
        self.wrong("iterations", f"an integer from {ITERATIONS_MIN} to {ITERATIONS_MAX}", found)
        return DEFAULT_ITERATIONS

    def account(self, value: dict[str, Any], where: str) -> Account | None:
        name, password, verifier = (value.get(key) for key in _USER_KEYS)
        before = len(self.problems)
        if "username" not in value:
            self.problems.append(f'"{where}.username" is missing')
        elif not isinstance(name, str) or not USER_NAME.match(name):
            self.wrong(f"{where}.username",
                       "1 to 32 ASCII letters, digits, '_', '.' or '-'", name)
        if ("password" in value) == ("verifier" in value):
            self.problems.append(f'"{where}" needs a "password"' + (
                ' or a "verifier"' if where != "auth" else "")
                + (", not both" if "verifier" in value else ""))
        elif "password" in value and (problem := password_problem(password)):
            self.problems.append(f'"{where}.password" {problem}')
        elif "verifier" in value and not (isinstance(verifier, str) and _VERIFIER.match(verifier)):
            self.problems.append(f'"{where}.verifier" must look like '
                                 "SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>")
        if len(self.problems) > before:
            return None
        return Account(str(name), normalized_password(password or ""), verifier or "")

    def accounts(self, auth: dict[str, Any], *, may_be_none: bool) -> tuple[Account, ...]:
        found: list[Account | None] = []
        if "username" in auth or "password" in auth:
            found.append(self.account(
                {key: auth[key] for key in ("username", "password") if key in auth}, "auth"))
        users = auth.get("users", [])
        if not isinstance(users, list):
            self.wrong("auth.users", "a list", users)
            users = []
        for index, user in enumerate(users):
            where = f"auth.users[{index}]"
            if not isinstance(user, dict):
                self.wrong(where, "an object", user)
                continue
            self.check_keys(user, _USER_KEYS, f' in "{where}"')
            found.append(self.account(user, where))
        if not found and not self.problems and not (may_be_none and "users" in auth):
            self.problems.append('"auth" names nobody who may log in')
        accounts = tuple(account for account in found if account)
        names = [account.username.lower() for account in accounts]
        self.problems += [f'the user name "{name}" is given twice (case does not count)'
                          for name in sorted(set(names)) if names.count(name) > 1]
        return accounts

    def document(self, value: Any) -> tuple[ServerConfig | None, list[str]]:
        if not isinstance(value, dict):
            return None, [f"the file must hold an object {{...}}, got {shown(value)}"]
        self.check_keys(value, _KEYS, "")
        auth = self.need(value, "auth")
        if "auth" in value and not isinstance(auth, dict):
            self.wrong("auth", 'an object such as {"username": "ada", "password": "..."}', auth)
        if value.get("version", 1) != 1:
            self.wrong("version", "1", value["version"])
        auth_given = isinstance(auth, dict)
        auth = auth if auth_given else {}
        self.check_keys(auth, _AUTH_KEYS, ' in "auth"')
        database, durability = self.database(value), self.durability(value)
        stores = database is not None and durability != "memory"
        web, tickets, page_passwords = self.web(value)
        config = ServerConfig(
            host=self.text(value, "host"),
            port=self.port(value),
            certfile=self.path(value, "certfile"),
            keyfile=self.path(value, "keyfile"),
            accounts=self.accounts(auth, may_be_none=stores) if auth_given else (),
            rooms=self.rooms(value),
            operators=self.operators(value),
            anybody_makes_rooms=self.anybody_makes_rooms(value),
            speaker=self.speaker(value),
            iterations=self.iterations(auth),
            limits=self.limits(value),
            database=database,
            durability=durability,
            files=self.files(value),
            metrics=self.metrics(value),
            qlog=self.qlog(value),
            admin=self.admin(value),
            threads=self.threads(value),
            web=web,
            tickets=tickets,
            page_passwords=page_passwords,
            notices=tuple(self.notices),
        )
        return config, self.problems


def load_config(path: str | Path) -> ServerConfig:
    """Reads the configuration of a server. Raises :class:`ConfigError` with every problem of the
    file: ``E-CONFIG-MISSING``, ``E-CONFIG-JSON`` with line and column, or ``E-CONFIG``."""
    source = Path(path).absolute()
    return config_from(read_json(source), source)


def config_from(value: Any, source: Path) -> ServerConfig:
    """The same for a document that was read already; ``source`` is where its paths begin."""
    config, problems = _Reader(source.name, source.parent).document(value)
    if config is None or problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError(f"{source.name}: {count}", problems=problems)
    return replace(config, source=source)
