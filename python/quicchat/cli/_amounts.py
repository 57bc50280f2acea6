"""Amounts as people type and read them: numbers, sizes and lengths of time."""

from __future__ import annotations

import argparse
import re

_SIZES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3,
          "kib": 1024, "mib": 1024**2, "gib": 1024**3}
#: By the case of their letters, too: M is a month to many, and none of these.
_AGES = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DEFAULT = "default"
_NUMBER_MAX = 1 << 62
_AGE_MAX = 529 * 7 * 86400  #: the weeks in what a server takes, 320 000 000 s


def count(text: str) -> int:
    """A number, 1 or more; 0: 'default'. As argparse wants it."""
    return _amount(text, {"": 1}, _NUMBER_MAX, "a number from 1 on, such as 500")


def size(text: str) -> int:
    """Bytes; 0: 'default'."""
    return _amount(text.lower(), _SIZES, _NUMBER_MAX, "a size such as 500kB, 2MB or 1GiB")


def age(text: str) -> int:
    """Seconds; 0: 'default'."""
    return _amount(text, _AGES, _AGE_MAX, "an age from 1m to 529w, such as 90m, 12h, 30d or 8w")


def _amount(text: str, units: dict[str, int], most: int, such_as: str) -> int:
    if text == _DEFAULT:
        return 0
    found = re.fullmatch(r"([0-9]{1,18}) ?([A-Za-z]*)", text)
    unit = units.get(found[2]) if found else None
    amount = int(found[1]) * unit if found is not None and unit is not None else 0
    if not 1 <= amount <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not {such_as}, or '{_DEFAULT}'")
    return amount


def size_text(number: int) -> str:
    """The largest unit in which nothing is lost."""
    for unit, name in ((1024**3, "GiB"), (1000**3, "GB"), (1024**2, "MiB"), (1000**2, "MB"),
                       (1024, "KiB"), (1000, "kB")):
        if number >= unit and number % unit == 0:
            return f"{number // unit} {name}"
    return f"{number} bytes"


def age_text(seconds: int) -> str:
    """The same: days before weeks, as they are read more easily."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"
