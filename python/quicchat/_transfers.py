"""The files that a connection sends and fetches, as far as its conversation sees them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from . import _core
from ._disk import AtOnce, Disk, Then
from ._files import Download, Offer, Upload
from .events import Disconnected

_AT_ONCE = AtOnce()


class Waiter(Protocol):
    """What an answer is given to. ``asyncio.Future`` is one."""

    def set_result(self, result: Any, /) -> None: ...
    def set_exception(self, error: BaseException, /) -> None: ...
    def done(self) -> bool: ...


class Transfers(ABC):
    """What a Conversation knows of files. The first parameter of news is the ticket."""

    core: _core.Client
    end: Disconnected | None
    disk: Disk = _AT_ONCE  #: where files are read and written
    _waiting: dict[int, tuple[Waiter, str]]

    def __init__(self) -> None:
        self._transfers: dict[int, Upload | Download] = {}

    @abstractmethod
    def _ask(self, waiter: Waiter, subject: str, send: Callable[..., bool | None],
             *args: Any) -> int: ...
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
        transfer.steps.disk = _AT_ONCE if transfer.in_memory else self.disk
        ticket = self._ask(*request)
        self._transfers[ticket] = transfer
        return ticket

    def _forget_file(self, ticket: int) -> bool:
        """Nothing more is done with a file. False if there was none."""
        transfer = self._transfers.pop(ticket, None)
        if transfer is None:
            return False
        self._use_bytes(transfer.steps.drop())
        return True

    def _on_file_wanted(self, ticket: int, offset: int, count: int) -> None:
        upload = self._transfers.get(ticket)
        if not isinstance(upload, Upload):
            return
        self._end_if_fails(ticket, lambda: upload.sent(offset))
        upload.steps.do(lambda: upload.read(offset, count), self._if_fine(
            ticket, lambda piece: self.core.give_file(ticket, offset, piece)))

    def _on_file_begun(self, ticket: int, *what: Any) -> None:
        download = self._transfers.get(ticket)
        if isinstance(download, Download):
            self._end_if_fails(ticket, lambda: download.begun(*what))

    def _on_file_chunk(self, ticket: int, offset: int, data: bytes) -> None:
        # The server may send more when these bytes are used, whatever for.
        size = len(data)
        download = self._transfers.get(ticket)
        if not isinstance(download, Download):
            self._use_bytes(size)
            return
        fine = self._if_fine(ticket, lambda _: download.written(offset + size))

        def then(result: Any, error: BaseException | None) -> None:
            self._use_bytes(size)
            fine(result, error)

        download.steps.do(lambda: download.write(offset, data), then, size)

    def _on_file_fetched(self, ticket: int) -> None:
        download = self._transfers.get(ticket)
        if isinstance(download, Download):
            download.steps.do(download.finish,
                              self._if_fine(ticket, lambda _: self._fetched(ticket)))

    def _fetched(self, ticket: int) -> None:
        self._forget_file(ticket)
        self._answer(ticket, None)

    def _use_bytes(self, count: int) -> None:
        if count and self.end is None:
            self.core.use_file_bytes(count)

    def _if_fine(self, ticket: int, go_on: Callable[[Any], None]) -> Then:
        """What is done after a step, unless nobody waits for the file any more."""
        def then(result: Any, error: BaseException | None) -> None:
            if ticket not in self._transfers:
                return
            if error is not None:
                self._end(ticket, error)
            elif self.end is None:
                self._end_if_fails(ticket, lambda: go_on(result))
        return then

    def _end_if_fails(self, ticket: int, go_on: Callable[[], None]) -> None:
        try:
            go_on()
        except Exception as error:
            self._end(ticket, error)

    def _end(self, ticket: int, error: BaseException) -> None:
        """What fails on this computer ends a transfer; the conversation goes on."""
        waiter, _ = self._waiting.get(ticket, (None, ""))
        self.forget(ticket)
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
