"""Tables for people: in a terminal, and in a guide."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable


def described(entries: Iterable[tuple[str, str]]) -> str:
    """Each head, and below it its text, as wide as the terminal, 100 columns at most."""
    width = min(shutil.get_terminal_size((80, 24)).columns, 100)
    fill = textwrap.TextWrapper(width, initial_indent="    ", subsequent_indent="    ").fill
    return "\n".join(f"{head}\n{fill(text)}" for head, text in entries)


def markdown(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown, with a line break at its end."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *(list(row) for row in rows)]
    escaped = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {line} |\n" for line in escaped)
