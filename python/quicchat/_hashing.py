"""Passwords of many accounts at the first start: hashed on all processors, and not in silence."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from . import _core
from ._paths import path_bytes

#: Name, password, verifier, salt: an account as the core takes it.
Row = tuple[str, str, str, bytes]

MANY = 16  # fewer are hashed where the others are looked at, in a moment
_PAUSE = 2.0  # seconds between two reports


class Hashing:
    """Makes the verifiers of accounts that a server does not know yet."""

    def __init__(self) -> None:
        #: Called with how many passwords are hashed, how many there are, and in how many seconds
        #: the rest will be, as fast as it was until then; in any thread.
        self.on_progress: Callable[[int, int, float], None] = lambda done, total, left: None
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Nobody waits for it any more."""
        self._stopped.set()

    def hashed(self, rows: list[Row], iterations: int, database: Path | None) -> list[Row]:
        """The same accounts, with verifiers for passwords that are new. Those that the database
        knows stay as they are: whether they have another password is for the core to see."""
        known = _names_in(database)
        if known is None:
            return rows
        new = [index for index, (name, _, verifier, _) in enumerate(rows)
               if not verifier and name.lower() not in known]
        if len(new) < MANY:
            return rows
        result = list(rows)
        begun = reported = time.monotonic()
        with ThreadPoolExecutor(os.cpu_count(), "quicchat-hash") as threads:
            works = {threads.submit(self._hash, rows[index], iterations): index for index in new}
            try:
                for done, work in enumerate(as_completed(works), 1):
                    result[works[work]] = work.result()
                    now = time.monotonic()
                    if done == len(new) or now - reported >= _PAUSE:
                        reported = now
                        self.on_progress(done, len(new), (now - begun) / done * (len(new) - done))
            except BaseException:
                self.stop()
                raise
        return result

    def _hash(self, row: Row, iterations: int) -> Row:
        name, password, _, salt = row
        if self._stopped.is_set():
            raise InterruptedError("the server is not started any more")
        return name, "", _core.verifier(password, salt, iterations), salt


def _names_in(database: Path | None) -> set[str] | None:
    """The accounts of a database, in small letters. None: it cannot be read as it is, which the
    core will say better, or mend."""
    if database is None or not os.path.exists(database):
        return set()
    try:
        accounts = _core.Accounts(path_bytes(database)).list_accounts()
    except _core.StorageFailure:
        return None
    return {name.lower() for name, *_ in accounts}
