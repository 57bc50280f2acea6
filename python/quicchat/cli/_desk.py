"""What stands around the line that is typed: the room, what is under way, the other rooms."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

from ..errors import QuicChatError
from ._complete import complete
from ._followed import Followed, count_text

if TYPE_CHECKING:
    from ._session import Session


class ChatDesk:
    """The desk of a session; see :class:`quicchat.cli._screen.Desk`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._calls = 0  # how often we were called since a key was typed
        self._offline_since: datetime | None = None

    def call(self) -> None:
        """Somebody speaks to us."""
        self._calls += 1

    def note_outage(self, *, over: bool) -> None:
        if over:
            self._offline_since = None
        elif self._offline_since is None:
            self._offline_since = datetime.now().astimezone()

    # What is shown.

    def prompt(self) -> str:
        front = self._session.windows.front
        return "" if front is None else front.name

    def pending(self, window: Followed | None = None) -> list[str]:
        return self._session.pending(window)

    def status(self) -> list[tuple[str, str]]:
        chat, windows = self._session.chat, self._session.windows
        parts = [("", f" {chat.user} at {chat.address} ")]
        for number, window in enumerate(windows.all(), 1):
            style = ("here" if window is windows.front else "mentions" if window.mentions
                     else "unread" if window.unread else "")
            parts += [("", " "), (style, f"{number}:{window.name}{_counts(window)}")]
        if self._offline_since is not None:
            parts += [("", "  "), ("offline", f"offline since {self._offline_since:%H:%M}")]
        return [*parts, ("", " ")]

    def title(self) -> str:
        return f"({self._calls}) " * bool(self._calls) + f"quicchat {self.prompt()}".rstrip()

    def complete(self, text: str) -> tuple[int, list[tuple[str, str]]]:
        return complete(self._session, text)

    # Keys.

    def go_to(self, number: int) -> None:
        windows = self._session.windows.all()
        if number <= len(windows):
            self._session.go(windows[number - 1])

    def go_by(self, step: int) -> None:
        windows = self._session.windows.all()
        front = self._session.heading
        if windows:
            at = windows.index(front) + step if front in windows else 0
            self._session.go(windows[at % len(windows)])

    def note_key(self, text: str) -> None:
        if self._calls:
            self._calls = 0
            self._session.screen.refresh()
        session = self._session
        is_message = text and not text.startswith(("/", "@"))
        if is_message and session.sends_typing and session.room and session.chat.is_online:
            with contextlib.suppress(QuicChatError):
                session.room.typing()


def _counts(window: Followed) -> str:
    if not window.unread:
        return ""
    mentions = f" ({count_text(window.mentions)}@)" if window.mentions else ""
    return f" {count_text(window.unread)}{mentions}"
