"""What stands between text from the network and a terminal, and the prompts.

Whatever a peer sent passes :func:`clean_text` or :func:`clean_line` before it is shown. It must
neither steer the terminal (escape sequences), nor look like something else (bidirectional controls,
invisible characters).
"""

from __future__ import annotations

import getpass
import os
import sys
import unicodedata
import warnings
from typing import TextIO

__all__ = ["clean_line", "clean_text", "normalized_password", "paint", "uses_colours"]

# What is shown for a character that could do harm. U+241B and so on are the pictures that Unicode
# has for C0; all others are shown by their number.
_PICTURES = 0x2400
_DELETE_PICTURE = "\u2421"

# Bidirectional controls change the order of what stands around them; the others are invisible or
# end a line in some terminals.
_BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x2028, 0x2029,
              *range(0x2060, 0x2066), *range(0x206A, 0x2070), 0x3164, 0xFEFF, 0xFFA0,
              *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080))


def _marks() -> dict[int, str]:
    marks = {code: chr(_PICTURES + code) for code in range(0x20)}
    marks[0x7F] = _DELETE_PICTURE
    for code in (*range(0x80, 0xA0), *_BIDIRECTIONAL, *_INVISIBLE, *range(0xD800, 0xE000)):
        marks[code] = f"<U+{code:04X}>"
    return marks


_LINE_MARKS = _marks()
_TEXT_MARKS = {code: mark for code, mark in _LINE_MARKS.items() if chr(code) not in "\t\n"}

# A base character with hundreds of accents covers the lines above and below it.
_COMBINING_MAX = 8


def _without_piles(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    pile = 0
    for character in text:
        pile = pile + 1 if unicodedata.combining(character) else 0
        if pile <= _COMBINING_MAX:
            kept.append(character)
    return "".join(kept)


def clean_text(text: str) -> str:
    """``text`` with visible marks for everything that could steer a terminal or mislead its reader:
    C0 but tab and newline, DEL, C1, bidirectional controls, invisible characters, lone surrogates.
    Cleaning twice changes nothing."""
    return _without_piles(text.translate(_TEXT_MARKS))


def clean_line(text: str) -> str:
    """The same as :func:`clean_text` for what must stay on one line: tab and newline are marked
    too, so nobody can fake another person's line."""
    return _without_piles(text.translate(_LINE_MARKS))


def uses_colours(stream: TextIO) -> bool:
    """True if ``stream`` is a terminal and nobody asked for plain text (NO_COLOR, TERM=dumb)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def paint(text: str, colour: str, stream: TextIO) -> str:
    """``text`` in a colour, if ``stream`` shows colours."""
    if not uses_colours(stream):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def normalized_password(password: str) -> str:
    """The form of a password that is hashed: the OpaqueString profile of RFC 8265 section 4.2.2
    (other spaces become U+0020, then Normalization Form C), so that the same password typed on two
    keyboards is the same."""
    spaces = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    return unicodedata.normalize("NFC", spaces)


def ask_hidden(prompt: str) -> str:
    """Asks for a secret on standard output, without showing what is typed. Needs a terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", getpass.GetPassWarning)
        return getpass.getpass(prompt, stream=sys.stdout)
