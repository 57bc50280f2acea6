"""What a person's chat keeps for the next time, and the servers that they have named.

Kept in ``$XDG_STATE_HOME/quicchat`` (``~/.local/state/quicchat``), for its owner alone: where one
was, whom one ignores, what was typed, and for each account a state file with a login token.
Named by the person in ``$XDG_CONFIG_HOME/quicchat/servers.toml`` (``~/.config/quicchat``)::

    [work]
    host = "chat.example.org"
    user = "ada"
    room = "#lobby"
    pin = ["sha256:..."]
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import ConfigError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 12345
DEFAULT_ROOM = "#lobby"
_PLACES_MAX = 100


@dataclass(slots=True)
class Place:
    """A server, and who one is there."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    user: str | None = None
    room: str | None = None
    pin: list[str] = field(default_factory=list)
    cafile: str | None = None
    system_ca: bool = False
    ignored: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Of the account, for names of files."""
        return quote(f"{(self.user or '').lower()}@{self.host.lower()}:{self.port}", safe="@:[]")


_TYPES: dict[str, type] = {"host": str, "port": int, "user": str, "room": str, "pin": list,
                           "cafile": str, "system_ca": bool, "ignored": list, "words": list}
_KEPT_ONLY = ("ignored", "words")


def _folder(variable: str, otherwise: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / otherwise) / "quicchat"


def servers_path() -> Path:
    """The file of named servers."""
    return _folder("XDG_CONFIG_HOME", ".config") / "servers.toml"


def named_place(name: str) -> Place:
    """The server of that name in the file. Raises ConfigError."""
    path = servers_path()
    try:
        servers = tomllib.loads(path.read_text())
    except FileNotFoundError:
        servers = {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
    if name not in servers:
        known = ", ".join(servers) or "it names none"
        raise ConfigError(f"no server is called {name!r} in {path}", code="E-USAGE",
                          reason=f"known there: {known}",
                          hint="add it there, or give --server-ip and --port")
    return _place_of(servers[name], f"{path}: [{name}]")


def _place_of(table: Any, where: str) -> Place:
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    for key, value in table.items():
        if key not in _TYPES or key in _KEPT_ONLY:
            known = ", ".join(name for name in _TYPES if name not in _KEPT_ONLY)
            raise ConfigError(f"{where}: unknown key {key!r}", hint=f"known keys: {known}")
        texts = all(isinstance(item, str) for item in value) if isinstance(value, list) else True
        if type(value) is not _TYPES[key] or not texts:
            raise ConfigError(f"{where}: {key} must be {_words_of(_TYPES[key])}")
    return Place(**table)


def _words_of(kind: type) -> str:
    return {str: "a text", int: "a number", list: "a list of texts",
            bool: "true or false"}[kind]


class Kept:
    """What is kept for the next time. Nothing in it is worth an error: without it one logs in
    again, and begins in the lobby."""

    def __init__(self) -> None:
        self.folder = _folder("XDG_STATE_HOME", ".local/state")
        self._file = self.folder / "chat.json"
        self.theme = ""  #: of the full screen; empty: nobody has chosen one
        self._last = ""
        self._places: dict[str, Place] = {}
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            kept = json.loads(self._file.read_text())
            for key, values in kept["places"].items():
                known = {f.name: values[f.name] for f in fields(Place) if f.name in values}
                if all(v is None or type(v) is _TYPES[k] for k, v in known.items()):
                    self._places[key] = Place(**known)
            self._last = str(kept["last"])
            self.theme = str(kept.get("theme", ""))

    def last(self) -> Place | None:
        """Where one was."""
        return self._places.get(self._last)

    def place(self, key: str) -> Place | None:
        """What is known of an account."""
        return self._places.get(key)

    def keep(self, place: Place) -> None:
        """This is where one is now."""
        self._last = place.key
        self._places.pop(place.key, None)
        self._places[place.key] = place
        while len(self._places) > _PLACES_MAX:
            self._places.pop(next(iter(self._places)))
        self._write()

    def keep_theme(self, name: str) -> None:
        """The full screen looks like that from now on."""
        self.theme = name
        self._write()

    def _write(self) -> None:
        kept = {"last": self._last, "theme": self.theme,
                "places": {key: {f.name: getattr(p, f.name) for f in fields(Place)}
                           for key, p in self._places.items()}}
        with contextlib.suppress(OSError):
            descriptor, name = tempfile.mkstemp(dir=self.folder)  # for its owner alone
            with os.fdopen(descriptor, "w") as file:
                json.dump(kept, file, indent=1)
            os.replace(name, self._file)

    def history(self) -> Path:
        """What was typed."""
        return self.folder / "history"

    def states(self, place: Place, program: str = "chat") -> list[Path]:
        """State files of an account. One program at a time can have one; another takes the next."""
        return [self.folder / f"{place.key}.{program}{number}.state" for number in ("", 2, 3, 4)]
