"""A database that was put back from a copy says so, once, to whoever starts the server."""

from __future__ import annotations

import os
from pathlib import Path


def _note_of(database: Path) -> Path:
    return Path(os.fspath(database) + ".restored")


def note_restored(database: Path, time: str) -> None:
    """``time``: when the copy was made."""
    note = _note_of(database)
    note.write_text(time + "\n")
    note.chmod(0o600)


def take_restored(database: Path) -> str | None:
    """When the copy was made, if nobody has asked since it was put back."""
    note = _note_of(database)
    try:
        time = note.read_text().strip()
        note.unlink()
    except (OSError, ValueError):
        return None
    return time
