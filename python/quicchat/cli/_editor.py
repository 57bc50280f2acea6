"""The line editor of a chat in a terminal. The only module that knows prompt_toolkit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.filters import has_selection, is_searching
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from ..terminal import clean_line, show, uncoloured
from ._notice import notice
from ._past import prepare_past
from ._screen import Desk
from ._typed_lines import TypedLines

_RECENT_MAX = 200  # lines that are drawn again when the terminal has another size
_RESIZE_PAUSE = 0.1  # seconds; who drags a window's corner changes its size many times
_PENDING_MAX = 5  # lines above the one that is typed

_STYLE = Style.from_dict({
    "bottom-toolbar": "reverse",
    "here": "bold",
    "unread": "bold",
    "mentions": "bold underline",
    "offline": "bold",
    "pending": "fg:ansibrightblack",
    "room": "fg:ansicyan",
})


class Editor:
    """One line that is typed, at the bottom, for as long as the chat lasts."""

    def __init__(self, history: Path | None) -> None:
        self.desk: Desk
        self.typed = TypedLines(lambda: self._interrupted)
        self._said: deque[str] = deque()
        self._recent: deque[str] = deque(maxlen=_RECENT_MAX)
        self._printing: asyncio.Handle | None = None
        self._is_away = False  # a pager or an editor has the terminal
        self._interrupted = False
        self._resizing: asyncio.TimerHandle | None = None
        self._size: Size | None = None
        self._title = ""
        self._stdout: TextIO = sys.stdout
        self._prompt: PromptSession[str] = PromptSession(
            self._message, bottom_toolbar=self._toolbar, completer=_Completer(self),
            complete_while_typing=False, reserve_space_for_menu=6, history=_history(history),
            key_bindings=self._keys(), enable_suspend=True, erase_when_done=True, style=_STYLE,
            prompt_continuation="  ")
        self._prompt.default_buffer.accept_handler = self._accept
        self._prompt.default_buffer.on_text_changed += self._note_key
        self._prompt.app.after_render += lambda _: self._note_size()

    def open(self, desk: Desk) -> None:
        """Begins."""
        self.desk = desk
        self.typed.running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        # What others print goes above the line as well.
        with patch_stdout(raw=True):
            try:
                await self._prompt.prompt_async(handle_sigint=False)
            except EOFError:
                return
            except KeyboardInterrupt:
                self._interrupted = True

    async def close(self) -> None:
        """Gives the terminal back, when all that was said is on it."""
        if self._printing is not None:
            self._printing.cancel()
        if self.typed.running is not None:
            self.typed.running.cancel()
            await asyncio.wait((self.typed.running,))
        if self._title:
            self._output.clear_title()
            self._output.flush()
        if self._resizing is not None:
            self._resizing.cancel()
        self._write_said()

    # Lines that are said.

    def say(self, line: str) -> None:
        self._said.append(line)
        if self.typed.running is None or self.typed.running.done():
            self._write_said()
        elif self._printing is None:
            self._printing = self.typed.running.get_loop().call_soon(self._print)

    def _print(self) -> None:
        self._printing = None
        if not self._is_away:
            self._above(self._write_said)

    def _above(self, write: Callable[[], None]) -> None:
        """Writes above the line that is typed. Not by run_in_terminal: for that moment the terminal
        would echo what is typed."""
        renderer = self._prompt.app.renderer
        if self._prompt.app.is_running:
            renderer.erase()
        write()
        if self._prompt.app.is_running:
            renderer.request_absolute_cursor_position()
            self._prompt.app.invalidate()

    def _leave(self, until: asyncio.Future[None]) -> None:
        """Others have the terminal until then."""
        self._is_away = True

        def back(_: object) -> None:
            self._is_away = False
            self._print()

        until.add_done_callback(back)

    def _write_said(self) -> None:
        while self._said:
            line = self._said.popleft()
            self._recent.append(line)
            show(line, to=self._stdout)

    def page(self, lines: list[str]) -> bool:
        """Shows a text in the user's pager. False if it fits the screen, or there is none."""
        if len(lines) < self._output.get_size().rows - 2 or self.typed.running is None:
            return False
        pager = shlex.split(os.environ.get("PAGER") or "less")
        text = "\n".join(map(clean_line, lines)) + "\n"

        def read() -> None:
            with contextlib.suppress(OSError):
                subprocess.run(pager, input=text.encode(), check=False,
                               env={**os.environ, "LESSSECURE": "1"})

        self._leave(asyncio.ensure_future(run_in_terminal(read, in_executor=True)))
        return True

    # What stands around the line.

    def _message(self) -> StyleAndTextTuples:
        pending = self.desk.pending()
        parts: StyleAndTextTuples = []
        if len(pending) > _PENDING_MAX:
            parts.append(("class:pending", f"… {len(pending) - _PENDING_MAX} more are sent\n"))
        parts += [("class:pending", f"… {clean_line(line)}\n") for line in pending[-_PENDING_MAX:]]
        return [*parts, ("class:room", clean_line(self.desk.prompt())), ("", "> ")]

    def _toolbar(self) -> StyleAndTextTuples:
        return [(f"class:{style}" if style else "", clean_line(text))
                for style, text in self.desk.status()]

    def refresh(self) -> None:
        title = clean_line(self.desk.title())
        if title != self._title:
            self._title = title
            self._output.set_title(title)
            self._output.flush()
        self._prompt.app.invalidate()

    def alert(self, text: str) -> None:
        self._output.bell()
        if said := notice(clean_line(text)):
            self._output.write_raw(said)
        self._output.flush()

    @property
    def _output(self) -> Output:
        return self._prompt.app.output

    # Another size: terminals break lines anew, so nobody knows any more where the old ones are.

    def _note_size(self) -> None:
        size = self._output.get_size()
        before, self._size = self._size, size
        if before is None or before == size:
            return
        if self._resizing is not None:
            self._resizing.cancel()
        self._resizing = asyncio.get_running_loop().call_later(
            _RESIZE_PAUSE, self._draw_again)

    def _draw_again(self) -> None:
        if not self._is_away:
            self._above(self._write_again)

    def _write_again(self) -> None:
        size = self._output.get_size()
        self._output.cursor_goto(0, 0)
        self._output.erase_down()
        self._output.flush()
        for line in _last_that_fit(self._recent, size.rows - 3, size.columns):
            show(line, to=self._stdout)

    # Keys.

    def _note_key(self, buffer: Buffer) -> None:
        self.desk.note_key(buffer.text)

    def _accept(self, buffer: Buffer) -> bool:
        self.typed.put(buffer.text)
        return False  # the next line begins empty

    def _complete(self, buffer: Buffer) -> None:
        """As far as there is one way to go on; then a menu. At once, so what is typed next comes
        behind it."""
        if buffer.complete_state is not None:
            buffer.complete_next()
            return
        length, found = self.desk.complete(buffer.document.text_before_cursor)
        common = os.path.commonprefix([text for text, _ in found])
        if len(common) > length:
            buffer.delete_before_cursor(length)
            buffer.insert_text(clean_line(common))
        elif found:
            buffer.start_completion()

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("escape", "enter", filter=~is_searching)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add("c-x", "c-e", filter=~is_searching)
        def _(event: KeyPressEvent) -> None:
            self._leave(event.current_buffer.open_in_editor())

        @keys.add("tab", filter=~is_searching)
        def _(event: KeyPressEvent) -> None:
            self._complete(event.current_buffer)

        @keys.add("c-n", filter=~has_selection)
        def _(event: KeyPressEvent) -> None:
            self.desk.go_by(1)

        @keys.add("c-p", filter=~has_selection)
        def _(event: KeyPressEvent) -> None:
            self.desk.go_by(-1)

        for number in range(1, 10):
            @keys.add("escape", str(number))
            def _(event: KeyPressEvent, number: int = number) -> None:
                self.desk.go_to(number)

        return keys


class _Completer(Completer):
    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    def get_completions(self, document: Document,
                        complete_event: CompleteEvent) -> Iterable[Completion]:
        length, found = self._editor.desk.complete(document.text_before_cursor)
        for text, remark in found:
            yield Completion(clean_line(text), -length, display_meta=clean_line(remark))


def _history(path: Path | None) -> History:
    """What was typed before."""
    if path is None or not prepare_past(path):
        return InMemoryHistory()
    return FileHistory(path)


def _last_that_fit(lines: Iterable[str], rows: int, columns: int) -> list[str]:
    """The newest of the lines that fill that many rows."""
    kept: deque[str] = deque()
    for line in reversed(list(lines)):
        for part in uncoloured(line).split("\n"):
            rows -= max(1, -(-get_cwidth(part) // max(1, columns)))
        if rows < 0:
            break
        kept.appendleft(line)
    return list(kept)
