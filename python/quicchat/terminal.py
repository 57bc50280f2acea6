"""What stands between text from the network and a terminal, and the prompts.

Whatever a peer or a file said passes this module before it is shown. It must neither steer the
terminal (escape sequences), nor look like something else (bidirectional controls, invisible
characters). The package prints by :func:`show` alone, which cleans what was not cleaned.
"""

from __future__ import annotations

import getpass
import os
import re
import select
import signal
import sys
import threading
import unicodedata
import warnings
from collections.abc import Iterable
from typing import TextIO, cast

__all__ = ["Clean", "clean_body", "clean_line", "clean_lines", "clean_text", "normalized_password",
           "paint", "show", "uncoloured", "uses_colours"]

# What is shown for a character that could do harm. U+241B and so on are the pictures that Unicode
# has for C0; all others are shown by their number.
_PICTURES = 0x2400
_DELETE_PICTURE = "\u2421"

# Bidirectional controls change the order of what stands around them; the others are invisible or
# end a line in some terminals.
_BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x2028, 0x2029,
              *range(0x2060, 0x2066), *range(0x206A, 0x2070), 0x3164, 0xFEFF, 0xFFA0,
              *range(0xFFF0, 0xFFFC), *range(0x13430, 0x13441), *range(0x1BCA0, 0x1BCA4),
              *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0100), *range(0xE01F0, 0xE1000))

# These change how the character before them is drawn, in scripts without case and in emoji.
# Anywhere else, or twice, they are only invisible.
_JOINERS = "\u200c\u200d"
_SELECTORS = frozenset(map(chr, (0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10),
                                 *range(0xE0100, 0xE01F0))))
_HOLDERS = frozenset(("Lo", "Mc", "Mn", "No", "Pd", "Po", "Sk", "Sm", "So"))
_TWO_FORMS = "#*0123456789\u24c2"  # keys, and the only emoji that has a case, a circled M
_INFORMATION = "\u2139"  # the only emoji that is a letter with case


def _marks() -> dict[int, str]:
    marks = {code: chr(_PICTURES + code) for code in range(0x20)}
    marks[0x7F] = _DELETE_PICTURE
    for code in (*range(0x80, 0xA0), *_BIDIRECTIONAL, *_INVISIBLE, *range(0xD800, 0xE000)):
        marks[code] = _number(code)
    return marks


def _number(code: int) -> str:
    return f"<U+{code:04X}>"


_LINE_MARKS = _marks()
_TEXT_MARKS = {code: mark for code, mark in _LINE_MARKS.items() if chr(code) not in "\t\n"}

# A base character with hundreds of accents covers the lines above and below it.
_PILE_MAX = 8


def _does_something(character: str, before: str) -> bool:
    """Whether a joiner or selector changes what is drawn for the character before it."""
    if before.isascii() or before.lower() != before.upper():
        return character in "\ufe0e\ufe0f" and before in _TWO_FORMS
    if before in _SELECTORS:
        return character in _JOINERS
    return before == _INFORMATION or unicodedata.category(before) in _HOLDERS


def _settled(text: str) -> str:
    """``text`` without piles, and with marks for joiners and selectors that do nothing."""
    if text.isascii():
        return text
    kept: list[str] = []
    before = " "
    pile = 0
    for character in text:
        joins = character in _JOINERS or character in _SELECTORS
        if joins and not _does_something(character, before):
            kept.append(_number(ord(character)))
            before, pile = ">", 0
            continue
        on_top = joins or unicodedata.category(character) in ("Mn", "Me")
        pile = pile + 1 if on_top else 0
        if pile <= _PILE_MAX:
            kept.append(character)
            before = character
    return "".join(kept)


class Clean(str):
    """Text that a terminal may see as it is. Only this module makes some.

    What is added to it by ``+`` is cleaned, if it is not clean already. An f-string or a method
    such as ``join`` makes a plain str of it, which :func:`show` cleans: line ends and colours in
    it are marked then, too."""

    __slots__ = ()

    def __add__(self, other: str) -> Clean:
        return Clean(super().__add__(_cleaned(other)))

    def __radd__(self, other: str) -> Clean:
        return _cleaned(other) + self


def clean_text(text: str) -> Clean:
    """``text`` with visible marks for everything that could steer a terminal or mislead its reader:
    C0 but tab and newline, DEL, C1, bidirectional controls, invisible characters, lone surrogates.
    Cleaning twice changes nothing."""
    return Clean(_settled(text.translate(_TEXT_MARKS)))


def clean_line(text: str) -> Clean:
    """The same as :func:`clean_text` for what must stay on one line: tab and newline are marked
    too, so nobody can fake another person's line."""
    return Clean(_settled(text.translate(_LINE_MARKS)))


def clean_body(text: str) -> Clean:
    """The same as :func:`clean_text` for what follows somebody's name: its further lines are
    indented, so that none can pose as another person's."""
    return Clean(clean_text(text).replace("\n", "\n    "))


def clean_lines(lines: Iterable[str]) -> Clean:
    """Each of ``lines`` cleaned, and on a line of its own."""
    return Clean("\n".join(map(_cleaned, lines)))


def _cleaned(text: str) -> Clean:
    return text if isinstance(text, Clean) else clean_line(text)


def show(text: str = "", *, to: TextIO | None = None, end: str = "\n") -> None:
    """Prints to standard output, or ``to`` another stream. What is not :class:`Clean` is one line,
    and cleaned. What the stream's encoding lacks is shown by its number. Nothing is shown on a
    stream that is closed from the beginning. Raises :class:`quicchat.OutputError` if standard
    output takes nothing, such as a full disk; of another stream nobody could be told."""
    stream = sys.stdout if to is None else to
    if stream is None:
        return
    encoding = _encoding_of(stream)
    try:
        print(_cleaned(text).encode(encoding, "backslashreplace").decode(encoding), end=end,
              file=stream, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        if stream is sys.stdout:
            raise _output_error(error) from None


def _output_error(error: OSError) -> Exception:
    from .errors import OutputError  # which needs this module

    return OutputError("cannot write to standard output: "
                       + (error.strerror or "unknown error").lower())


def line_bytes(text: str, stream: TextIO) -> bytes:
    """What :func:`show` would print there, for who writes it in another way."""
    return _cleaned(text).encode(_encoding_of(stream), "backslashreplace") + b"\n"


def _encoding_of(stream: TextIO) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def uses_colours(stream: TextIO | None) -> bool:
    """True if ``stream`` is a terminal and nobody asked for plain text (NO_COLOR, TERM=dumb)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream)


def is_terminal(stream: TextIO | None) -> bool:
    """Also of one that is closed from the beginning: then it is none."""
    return stream is not None and stream.isatty()


_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34",
            "magenta": "35", "cyan": "36"}
_PAINT = re.compile("\x1b\\[[0-9]*m")


def paint(text: str, colour: str, stream: TextIO | None) -> Clean:
    """``text``, cleaned, in a colour, if ``stream`` shows colours."""
    cleaned = _cleaned(text)
    if not uses_colours(stream):
        return cleaned
    return Clean(f"\x1b[{_COLOURS[colour]}m{cleaned}\x1b[0m")


def uncoloured(line: str) -> Clean:
    """A line without the colours that :func:`paint` gave it, for files and those who count cells.
    What is not :class:`Clean` is cleaned."""
    return Clean(_PAINT.sub("", _cleaned(line)))


def normalized_password(password: str) -> str:
    """The form of a password that is hashed: the OpaqueString profile of RFC 8265 section 4.2.2
    (other spaces become U+0020, then Normalization Form C), so that the same password typed on two
    keyboards is the same."""
    spaces = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    return unicodedata.normalize("NFC", spaces)


def wait_readable(descriptor: int) -> None:
    """Waits until there is something to read, or a signal raises. Python looks for signals, and
    then calls the system: one that comes in between, such as Ctrl-C right after a prompt, would be
    noticed only with the next line if the call were a read."""
    if threading.current_thread() is not threading.main_thread():
        return
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    before = signal.set_wakeup_fd(tell)  # a signal writes there, whenever it comes
    try:
        while descriptor not in (ready := select.select([descriptor, told], [], [])[0]):
            os.read(ready[0], 1)
    finally:
        signal.set_wakeup_fd(before)
        os.close(told)
        os.close(tell)


class _AskingStream:
    """Where getpass shows its prompt: it writes that, flushes, and then reads. When that is
    interrupted, anywhere, it flushes again."""

    def __init__(self) -> None:
        self._asks = False

    def write(self, text: str) -> int:
        show(text.removesuffix("\n"), end="\n" if text.endswith("\n") else "")
        self._asks = True
        return len(text)

    def flush(self) -> None:
        asks, self._asks = self._asks, False
        sys.stdout.flush()
        if asks:
            wait_readable(0)


def ask_hidden(prompt: str) -> str:
    """Asks for a secret on standard output, without showing what is typed. Needs a terminal as
    standard input."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", getpass.GetPassWarning)
        return getpass.getpass(prompt, stream=cast(TextIO, _AskingStream()))
