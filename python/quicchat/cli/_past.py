"""The file of what was typed before, for its owner alone, in the form of prompt_toolkit."""

from __future__ import annotations

import os
from pathlib import Path

_BYTES_MAX = 256 * 1024


def prepare_past(path: Path) -> bool:
    """Makes the file, or takes the oldest out of one that has grown too long. False if there cannot
    be one."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    with os.fdopen(descriptor, "r+b") as file:
        data = file.read()
        if len(data) > _BYTES_MAX:
            newest = data[-_BYTES_MAX // 2:]
            file.seek(0)
            file.write(newest[newest.find(b"\n# ") + 1:])
            file.truncate()
    return True
