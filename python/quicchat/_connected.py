"""What can be asked of a connection without waiting."""

from __future__ import annotations

from ._conversation import Conversation
from .events import Online
from .stats import ClientStats, client_stats


class Connected:
    """The same for both clients."""

    _conversation: Conversation

    @property
    def user(self) -> str:
        """Our name, as the server spells it."""
        return self._online.user

    @property
    def address(self) -> str:
        """The server's address."""
        return self._online.address

    @property
    def fingerprint(self) -> str:
        """Of the server's key."""
        return self._online.fingerprint

    @property
    def message_bytes_max(self) -> int:
        """The longest text that the server takes, in bytes of UTF-8."""
        return self._online.message_bytes_max

    def stats(self) -> ClientStats:
        """What there is to watch: how the way to the server is, what was sent, lost and refused.
        Raises RequestError (``not_ready``) once the connection has ended for good."""
        return client_stats(self._conversation.core)

    @property
    def is_open(self) -> bool:
        """False once the connection has ended for good or is being closed."""
        return self._conversation.end is None and not self._conversation.closing

    @property
    def is_online(self) -> bool:
        """False while there is no connection; it may come back if :attr:`is_open`. Without asyncio
        this is learnt while some call waits."""
        return self.is_open and self._conversation.is_online

    @property
    def _online(self) -> Online:
        assert self._conversation.online is not None
        return self._conversation.online
