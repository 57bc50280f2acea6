"""What may stand where the Tab key was pressed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..roles import Role
from ._commands import COMMANDS, find_command
from ._show import role_name
from ._typed import number_in

if TYPE_CHECKING:
    from ._session import Session

#: A text that may stand there, and a remark.
Candidate = tuple[str, str]

_FOUND_MAX = 200
_SAFE = re.compile(r"[^\w.-]+")


def complete(session: Session, text: str) -> tuple[int, list[Candidate]]:
    """How many characters at the end of ``text`` may be replaced, and by what."""
    word = text.rpartition(" ")[2]
    if text.startswith("/") and not text.startswith("//"):
        if " " not in text:
            return _matching(text, ((c.name + " ", c.help) for c in COMMANDS))
        return _argument(session, text)
    people = _people(session)
    if word.startswith("@"):
        return _matching(word, ((f"@{name} ", "") for name in people))
    if word.startswith("#"):
        return _matching(word, _rooms(session))
    if not word:
        return 0, []
    # Who is spoken to at the beginning of a line: an @ there would make it private.
    end = ": " if word == text else " "
    return _matching(word, ((name + end, "") for name in people))


def _matching(word: str, candidates: Iterable[Candidate]) -> tuple[int, list[Candidate]]:
    found = sorted(c for c in candidates if c[0].lower().startswith(word.lower()))
    return len(word), found[:_FOUND_MAX]


def _argument(session: Session, text: str) -> tuple[int, list[Candidate]]:
    name, _, rest = text.partition(" ")
    command = find_command(name)
    if command is None:
        return 0, []
    kinds = [kind.strip("[]") for kind in command.usage.split()[1:]]
    number, rest = number_in(rest.lstrip())
    if kinds[:1] == ["#12"]:
        kinds.pop(0)
    if kinds[:1] == ["PATH"]:
        return _path(rest, _name_of_file(session, number) if name == "/save" else "")
    given = rest.split(" ")
    if len(given) > len(kinds):
        return 0, []
    return _matching(given[-1], _of_kind(session, kinds[len(given) - 1]))


def _of_kind(session: Session, kind: str) -> list[Candidate]:
    match kind:
        case "NAME":
            return [(name + " ", "") for name in _people(session)]
        case "ROOM" | "NUMBER|ROOM":
            return [*_rooms(session), *((f"@{name} ", "") for name in _people(session))]
        case "ROLE":
            return [(role_name(role) + " ", "") for role in Role]
        case "COMMAND":
            return [(c.name.removeprefix("/"), c.help) for c in COMMANDS]
    return [(word + " ", "") for word in kind.split("|") if word.islower()]


def _people(session: Session) -> list[str]:
    front = session.windows.front
    known = dict(front.people) if front is not None else {}
    known.pop(session.chat.user.lower(), None)
    return sorted(known.values())


def _rooms(session: Session) -> list[Candidate]:
    known = {window.name: window.room.topic for window in session.windows.all()}
    return [(name + " ", topic) for name, topic in {**session.known_rooms, **known}.items()]


def _name_of_file(session: Session, number: int | None) -> str:
    """What the sender calls a file, as far as that may be the name of one here."""
    message = session.lines.find_file(number)
    return "" if message is None else _SAFE.sub("_", message.text).lstrip(".")


def _path(typed: str, offered: str) -> tuple[int, list[Candidate]]:
    if offered and not typed:
        return 0, [(offered, "as its sender calls it")]
    folder, _, begin = typed.rpartition("/")
    place = Path(folder + "/" if "/" in typed else ".").expanduser()
    try:
        with os.scandir(place) as entries:
            found = [entry.name + ("/" if entry.is_dir() else "") for entry in entries
                     if begin or not entry.name.startswith(".")]
    except OSError:
        found = []
    return _matching(begin, ((name, "") for name in found))
