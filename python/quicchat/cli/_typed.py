"""What is typed behind a command, taken apart."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class Usage(ValueError):
    """A command was typed in a way that it cannot be understood."""


def words_of(text: str, count: int) -> list[str]:
    """The first so many words, and the rest as one. Missing ones are empty."""
    parts = text.split(None, count)
    return parts + [""] * (count + 1 - len(parts))


def need(text: str, what: str) -> str:
    if not text:
        raise Usage(f"say {what}, too; /help shows how")
    return text


def number_in(text: str) -> tuple[int | None, str]:
    """A message's number such as #12 at the beginning of a text, and the rest."""
    found = re.match(r"#(\d{1,18})(?:\s+|$)", text)
    return (int(found[1]), text[found.end():]) if found else (None, text)


def duration_in(text: str) -> tuple[timedelta | None, str]:
    """A time such as 10m, 2h or 3d at the beginning of a text, and the rest."""
    found = re.match(r"(\d{1,5})([mhd])(?:\s+|$)", text)
    return (int(found[1]) * _UNITS[found[2]], text[found.end():]) if found else (None, text)


def user_in(text: str) -> tuple[str, str]:
    """A user's name, with or without an @, and the rest."""
    name, rest = words_of(text, 1)
    return need(name.removeprefix("@"), "whom"), rest


def switch_in(text: str) -> bool:
    if text not in ("on", "off"):
        raise Usage("say on or off")
    return text == "on"
