"""Files that a server's program sends and fetches."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial

from . import _core
from ._disk import in_thread
from ._files import Download, Progress, Source, Upload
from ._program import Program, receipt_of
from ._texts import encode_text
from .events import Receipt

_PIECE = 128 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that is to be sent, and what is said with it."""

    source: Source
    name: str | None
    reply_to: int  #: an offset; 0: none
    attributes: str
    id: bytes
    progress: Progress | None


async def send_file(program: Program, room: str, voice: str, file: Sent) -> Receipt:
    """Returns when it is stored. The file is read in threads."""
    async with program.sending:
        upload = await asyncio.to_thread(Upload, file.source, file.name, file.progress)
        try:
            return await _send(program, room, voice, file, upload)
        finally:
            upload.close()


async def _send(program: Program, room: str, voice: str, file: Sent, upload: Upload) -> Receipt:
    offer = await in_thread(upload.steps, upload.describe)
    encode_text(offer.name, "the file's name")
    core = program.core
    transfer, begun = program.begin_numbered(
        room, core.begin_file, room, voice, file.id, offer.name, offer.size, offer.digest,
        file.attributes, file.reply_to)
    try:
        answer = await begun
        while len(answer) == 1:  # bytes are wanted from there on; or else where it is stored
            [offset] = answer
            upload.sent(offset)
            if offset == offer.size:
                answer = await program.ask(room, core.finish_file, transfer)
                break
            piece = await in_thread(upload.steps, partial(upload.read, offset, _PIECE))
            answer = await program.ask(room, core.give_file, transfer, piece)
        return receipt_of(file.id, answer)
    except BaseException:
        # If too much waits there, it is dropped when no byte has come for a minute.
        with contextlib.suppress(_core.CoreError):
            core.abandon_file(transfer)
        raise


async def fetch_file(program: Program, room: str, reader: str, offset: int,
                     download: Download) -> None:
    """Returns when all is written where it belongs, and compared with its SHA-256."""
    core = program.core
    async with program.fetching:
        epoch, name, size, digest = await program.ask(room, core.find_file, room, reader, offset)
        download.begun(name, size, digest)
        while download.received < size:
            start = download.received
            [piece] = await program.ask(room, core.read_file, room, reader, epoch, offset, start,
                                        _PIECE)
            await in_thread(download.steps, partial(download.write, start, piece))
            download.written(download.received)
        await in_thread(download.steps, download.finish)
