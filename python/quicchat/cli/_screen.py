"""Where the chat's lines appear and where the user's come from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from ..terminal import is_terminal, paint, show
from ._lines import LineReader


class Screen:
    """The terminal, or the pipes in its place. With prompt_toolkit on a terminal, lines that come
    in appear above the one that is being typed; without it they come in between."""

    def __init__(self, reader: LineReader, *, plain: bool) -> None:
        self._reader = reader
        self._editor: Any = None
        self.on_typing: Callable[[], None] = lambda: None  #: called at keys, where they are seen
        dumb = os.environ.get("TERM", "dumb") == "dumb"
        if reader.is_terminal and is_terminal(sys.stdout) and not dumb and not plain:
            self._editor = _make_editor()
        if self._editor is not None:
            self._editor.default_buffer.on_text_changed += self._note_key

    @property
    def shows_typing(self) -> bool:
        """True if the user sees their own lines already."""
        return self._reader.is_terminal

    async def next_line(self) -> bytes | None:
        """The next line that the user gives; None at the end."""
        if self._editor is None:
            return await self._reader.next_line()
        from prompt_toolkit.patch_stdout import patch_stdout

        with ExitStack() as stack:
            stack.enter_context(patch_stdout(raw=True))
            try:
                line: str = await self._editor.prompt_async("> ", handle_sigint=False)
            except EOFError:
                return None
        return line.encode(errors="surrogateescape")

    def _note_key(self, buffer: Any) -> None:
        if buffer.text and not buffer.text.startswith(("/", "@")):
            self.on_typing()

    def say(self, line: str) -> None:
        """A line; with line ends and colours, if it is :class:`Clean`."""
        show(line)

    def note(self, text: str) -> None:
        """A remark of ours."""
        self.say(paint(f"* {text}", "dim", sys.stdout))

    def complain(self, text: str) -> None:
        """Something that the user should mend."""
        show(paint(f"! {text}", "red", sys.stderr), to=sys.stderr)


def _make_editor() -> Any:
    try:
        from prompt_toolkit import PromptSession
    except ImportError:
        return None
    return PromptSession(erase_when_done=False)
