"""The files that a connection sends and fetches, as far as its conversation sees them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from . import _core
from ._files import Download, Offer, Upload


class Waiter(Protocol):
    """What an answer is given to. ``asyncio.Future`` is one."""

    def set_result(self, result: Any, /) -> None: ...
    def set_exception(self, error: BaseException, /) -> None: ...
    def done(self) -> bool: ...


class Transfers(ABC):
    """What a Conversation knows of files. The first parameter of news is the ticket."""

    core: _core.Client
    _waiting: dict[int, tuple[Waiter, str]]

    def __init__(self) -> None:
        self._transfers: dict[int, Upload | Download] = {}

    @abstractmethod
    def _ask(self, waiter: Waiter, subject: str, send: Callable[..., None], *args: Any) -> int: ...
    @abstractmethod
    def _answer(self, ticket: int, result: Any) -> None: ...
    @abstractmethod
    def forget(self, ticket: int) -> None: ...

    def send_file(self, waiter: Waiter, room: str, upload: Upload, offer: Offer, attributes: str,
                  reply_to: int, id: bytes | None) -> int:
        return self._transfer(upload, waiter, room, self.core.send_file, room, offer.name,
                              offer.size, offer.digest, attributes, reply_to, id)

    def fetch_file(self, waiter: Waiter, room: str, offset: int, download: Download) -> int:
        return self._transfer(download, waiter, room, self.core.fetch_file, room, offset, 0)

    def _transfer(self, transfer: Upload | Download, *request: Any) -> int:
        ticket = self._ask(*request)
        self._transfers[ticket] = transfer
        return ticket

    def _on_file_wanted(self, ticket: int, offset: int, count: int) -> None:
        self._step(ticket, lambda upload: upload.wanted(self.core, ticket, offset, count))

    def _on_file_begun(self, ticket: int, *what: Any) -> None:
        self._step(ticket, lambda download: download.begun(*what))

    def _on_file_chunk(self, ticket: int, offset: int, data: bytes) -> None:
        self._step(ticket, lambda download: download.chunk(offset, data))

    def _on_file_fetched(self, ticket: int) -> None:
        self._step(ticket, lambda download: download.finish())
        if self._transfers.pop(ticket, None) is not None:
            self._answer(ticket, None)

    def _step(self, ticket: int, go_on: Callable[[Any], None]) -> None:
        """What can fail on this computer ends a transfer; the conversation goes on."""
        transfer = self._transfers.get(ticket)
        if transfer is None:
            return
        try:
            go_on(transfer)
        except Exception as error:
            waiter, _ = self._waiting.get(ticket, (None, ""))
            self.forget(ticket)
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)
