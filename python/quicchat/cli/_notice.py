"""Desktop notices of terminals."""

from __future__ import annotations

import os


def notice(text: str) -> str:
    """A desktop notice, for terminals that are known to show some."""
    program, term = os.environ.get("TERM_PROGRAM", ""), os.environ.get("TERM", "")
    if "TMUX" in os.environ or "STY" in os.environ:
        return ""
    if program in ("iTerm.app", "WezTerm", "ghostty") or "KITTY_WINDOW_ID" in os.environ:
        return f"\x1b]9;{text}\x07"
    if term.startswith(("foot", "rxvt-unicode")):
        return f"\x1b]777;notify;quicchat;{text.replace(';', ',')}\x07"
    return ""
