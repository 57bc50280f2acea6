"""Texts that mean something: display names (PROTOCOL.md §3.2) and mentions (§3.5)."""

import re
import string
import unicodedata
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "include/quicchat/PROTOCOL.md"

_DISPLAY_MAX = 64
_MARKS_MAX = 8
_USER_MAX = 32
_NAME = frozenset(string.ascii_letters + string.digits + "_.-")


def _read_row(where):
    """The characters of a row of the document's table."""
    (cell,) = re.findall(rf"^\| (U\+.*) \| {where} \|$", DOCUMENT.read_text("utf-8"), re.M)
    found = set()
    for piece in cell.split(", "):
        first, _, last = piece.partition(" to ")
        found.update(range(int(first[2:], 16), int((last or first)[2:], 16) + 1))
    return found


_NOWHERE, _NOT_AT_AN_END = _read_row("nowhere"), _read_row("not at an end")


def is_control(character):
    return ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F


def is_display_name(text):
    if not 1 <= len(text.encode()) <= _DISPLAY_MAX:
        return False
    if any(is_control(c) or ord(c) in _NOWHERE for c in text):
        return False
    if ord(text[0]) in _NOT_AT_AN_END or ord(text[-1]) in _NOT_AT_AN_END:
        return False
    marks = "".join("m" if unicodedata.combining(c) else " " for c in text)
    return "m" * (_MARKS_MAX + 1) not in marks


def mentions(text):
    """The names, in order, also when one comes twice."""
    found = []
    for at, character in enumerate(text):
        if character != "@" or (at and text[at - 1] in _NAME):
            continue
        end = at + 1
        while end < len(text) and text[end] in _NAME:
            end += 1
        name = text[at + 1:end].rstrip(".-")
        if 1 <= len(name) <= _USER_MAX:
            found.append(name)
    return found
