"""Paths on their way to the core. On Linux they are bytes, whatever the locale says."""

from __future__ import annotations

import os
from pathlib import Path


def path_bytes(path: Path | None) -> bytes:
    """As the system knows it; empty for none."""
    if path is None:
        return b""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:  # from a file in UTF-8, where the locale has another encoding
        return str(path).encode(errors="surrogateescape")
