"""The line that is typed, of several rows if need be, and what may stand there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from ..cli._past import prepare_past
from ..terminal import clean_line

_TYPED_MAX = 1000  # that can be brought back
_KEEP = ("enter", "shift+enter", "alt+enter", "ctrl+j", "tab", "shift+tab", "up", "down", "escape",
         "pageup", "pagedown", "ctrl+d", "ctrl+c", "ctrl+home", "ctrl+end")

#: What :meth:`Desk.complete` gives.
Complete = Callable[[str], tuple[int, list[tuple[str, str]]]]


class Typed:
    """What was typed before, in the file of ``quicchat chat``."""

    def __init__(self, path: Path | None) -> None:
        self._path = path if path is not None and prepare_past(path) else None
        self._lines = _read(self._path) if self._path is not None else []
        self._at = len(self._lines)
        self._draft = ""

    def add(self, text: str) -> None:
        if not self._lines or self._lines[-1] != text:
            self._lines.append(text)
            self._write(text)
        del self._lines[:-_TYPED_MAX]
        self._at = len(self._lines)

    def step(self, by: int, now: str) -> str | None:
        """The line before, or after; None if there is none."""
        to = self._at + by
        if not 0 <= to <= len(self._lines):
            return None
        if self._at == len(self._lines):
            self._draft = now
        self._at = to
        return self._draft if to == len(self._lines) else self._lines[to]

    def _write(self, text: str) -> None:
        if self._path is None:
            return
        lines = "".join(f"+{line}\n" for line in text.split("\n"))
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            with os.fdopen(descriptor, "ab") as file:
                file.write(f"\n# {datetime.now()}\n{lines}".encode(errors="replace"))


def _read(path: Path) -> list[str]:
    """The newest of what was typed, in the form that prompt_toolkit gives its files."""
    found: list[str] = []
    lines: list[str] = []
    try:
        data = path.read_bytes()
    except OSError:
        return []
    for line in [*data.decode(errors="replace").split("\n"), ""]:
        if line.startswith("+"):
            lines.append(line[1:])
        elif lines:
            found.append("\n".join(lines))
            lines = []
    return found[-_TYPED_MAX:]


class Entry(TextArea):
    """Where one types. Enter sends, Alt-Enter or Ctrl-J begins another row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+u", "delete_to_start_of_line", show=False),
    ]

    class Line(Message):
        """A line is to be sent."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Key(Message):
        """A key that is not the entry's own."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Offer(Message):
        """What may stand at the place of the last word, and which of it does; -1: none yet."""

        def __init__(self, found: list[tuple[str, str]], at: int) -> None:
            super().__init__()
            self.found = found
            self.at = at

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, compact=True,
                         highlight_cursor_line=False)
        self.typed = Typed(None)
        self.complete: Complete = lambda _: (0, [])
        self._found: list[tuple[str, str]] = []
        self._at = -1
        self._length = 0  # characters before the cursor that the next candidate replaces

    def begin(self, text: str) -> None:
        """The line is that from now on."""
        self.text = text
        self.move_cursor(self.document.end)
        self.focus()

    def before_cursor(self) -> str:
        return self.get_text_range((0, 0), self.cursor_location)

    async def _on_key(self, event: events.Key) -> None:
        key = event.key
        if key not in ("tab", "shift+tab"):
            self._offer([], -1)
        if key not in _KEEP:
            await super()._on_key(event)
            return
        row, rows = self.cursor_location[0], self.document.line_count
        if key in ("up", "down") and (row > 0 if key == "up" else row < rows - 1):
            return
        if key in ("ctrl+d", "ctrl+c") and self.text and key == "ctrl+d":
            return  # it deletes a character
        event.stop()
        event.prevent_default()
        match key:
            case "enter":
                text = self.text
                if text.strip():
                    self.typed.add(text)
                    self.text = ""
                    self.post_message(self.Line(text))
            case "shift+enter" | "alt+enter" | "ctrl+j":
                self.insert("\n")
            case "tab":
                self._complete(1)
            case "shift+tab":
                self._complete(-1)
            case "up" | "down":
                line = self.typed.step(-1 if key == "up" else 1, self.text)
                if line is not None:
                    self.begin(line)
            case "ctrl+c" if self.text:
                self.text = ""
            case _:
                self.post_message(self.Key(key))

    def _complete(self, step: int) -> None:
        """As far as there is one way to go on; then one candidate after the other."""
        if self._found:
            self._offer(self._found, (self._at + step) % len(self._found))
            self._put(self._found[self._at][0])
            return
        length, found = self.complete(self.before_cursor())
        texts = [clean_line(text) for text, _ in found]
        common = os.path.commonprefix(texts)
        self._length = length
        if len(common) > length:
            self._put(common)
        if len(found) > 1:
            self._offer([(text, clean_line(remark)) for text, (_, remark)
                         in zip(texts, found, strict=True)], -1)

    def _put(self, text: str) -> None:
        row, column = self.cursor_location
        self.replace(text, (row, column - self._length), (row, column))
        self.move_cursor((row, column - self._length + len(text)))
        self._length = len(text)

    def _offer(self, found: list[tuple[str, str]], at: int) -> None:
        if found or self._found:
            self._found, self._at = found, at
            self.post_message(self.Offer(found, at))
