"""The row above the messages, and the one at the bottom."""

from __future__ import annotations

from ..cli._screen import Desk
from ..terminal import clean_line
from ._layout import Row, row_width
from ._pane import Pane


def topic_row(front: Pane | None) -> Row:
    """What room it is, and what about."""
    if front is None:
        return [(" no room; /join and a room's name enters one", "dim")]
    topic = clean_line(front.topic)
    return [(f" {clean_line(front.name)}", "bold"), (f"  {topic}" if topic else "", "dim")]


def status_row(desk: Desk, front: Pane | None, width: int) -> Row:
    """One row: who one is, the connection, who types."""
    left: Row = [(clean_line(desk.status()[0][1]), "body")]
    offline = next((text for style, text in desk.status() if style == "offline"), "")
    left.append((f" {offline} ", "error") if offline else (" online ", "here"))
    if front is not None and front.unread:
        left.append((f" {front.unread} unread (F6) ", "unread"))
    typists = [] if front is None or not front.lines.wishes.typing else front.typists()
    if typists:
        left.append((clean_line(f" {', '.join(typists[:3])} types"), "dim"))
    hint = "F1 help "
    room = width - row_width(left) - len(hint)
    if room < 0:
        return left
    return [*left, (" " * room, ""), (hint, "dim")]
