"""What terminals send for some keys, where textual takes it for something else."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass


@dataclass(frozen=True)
class _Key:
    """As textual's table has them, for a key that it has no name for."""

    value: str


def know_alt_keys() -> None:
    """Alt and a digit is that, not the sign that one keyboard has there; Alt-Enter is another row,
    not Enter. If textual's table is elsewhere one day, Ctrl-J and Ctrl-N still do the same."""
    with contextlib.suppress(ImportError, AttributeError):
        from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
        from textual.keys import Keys

        for digit in "0123456789":
            # Known whole, so that nothing typed right after it is taken for a part of it.
            ANSI_SEQUENCES_KEYS[f"\x1b{digit}"] = (_Key(f"alt+{digit}"),)  # type: ignore[index]
        ANSI_SEQUENCES_KEYS["\x1b\r"] = (Keys.ControlJ,)  # type: ignore[index]
