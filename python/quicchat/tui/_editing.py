"""A text in the editor that a person has chosen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import tempfile
from collections.abc import Iterator


async def edited(text: str) -> str | None:
    """What the editor made of a text; None if there is no editor, or it failed. Needs the terminal
    for itself."""
    try:
        command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        # A file for its owner alone.
        descriptor, path = tempfile.mkstemp(prefix="quicchat-", suffix=".txt")
    except (OSError, ValueError):  # no room for a file; a quotation mark that is alone
        return None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text + "\n" * bool(text))
        if await _run(*command, path):
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


async def _run(*command: str) -> int:
    """Runs a program to its end; ends it where nobody waits any more."""
    with _interrupts_are_its_own():
        program = await asyncio.create_subprocess_exec(*command)
        try:
            return await program.wait()
        finally:
            if program.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    program.terminate()


@contextlib.contextmanager
def _interrupts_are_its_own() -> Iterator[None]:
    """Ctrl-C comes to every program at the terminal; this one is not meant. What ignores a signal
    hands that on to programs that it starts, so it is taken and left."""
    try:
        before = signal.signal(signal.SIGINT, lambda *_: None)
    except ValueError:  # not the main thread, to which no signals come
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
