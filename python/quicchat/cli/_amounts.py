"""Amounts as people type and read them: numbers, sizes and lengths of time."""

from __future__ import annotations

import argparse
import re

_SIZES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3,
          "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_AGES = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DEFAULT = "default"


def count(text: str) -> int:
    """A number, 1 or more; 0: 'default'. As argparse wants it."""
    return _amount(text, {"": 1}, "1 or more, such as 500")


def size(text: str) -> int:
    """Bytes; 0: 'default'."""
    return _amount(text, _SIZES, "such as 500kB, 2MB or 1GiB")


def age(text: str) -> int:
    """Seconds; 0: 'default'."""
    return _amount(text, _AGES, "such as 90m, 12h, 30d or 8w")


def _amount(text: str, units: dict[str, int], such_as: str) -> int:
    if text == _DEFAULT:
        return 0
    found = re.fullmatch(r"([0-9]{1,12}) ?([A-Za-z]*)", text)
    unit = units.get(found[2].lower()) if found else None
    if found is None or unit is None or int(found[1]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is none: {such_as}, or '{_DEFAULT}'")
    return int(found[1]) * unit


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
