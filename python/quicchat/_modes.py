"""Files that others on this computer can read or change, though they should not."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from .settings import ServerConfig


def exposed(path: Path, *, is_secret: bool) -> str | None:
    """What is wrong with the mode of a file or folder, and what mends it; None: nothing, or there
    is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    mode = stat.S_IMODE(found.st_mode)
    is_folder = stat.S_ISDIR(found.st_mode)
    secret = 0o077 if is_folder else 0o066  # who may only run a file can neither read nor write it
    wrong = mode & (secret if is_secret else 0o022)
    # A device or a pipe keeps nothing, and its mode is not ours to change.
    if not wrong or not (is_folder or stat.S_ISREG(found.st_mode)):
        return None
    # A folder whose files nobody can reach gives nothing away.
    if is_folder and is_secret and not mode & 0o011 and not mode & 0o022:
        return None
    change = ("700" if is_folder else "600") if is_secret else "go-w"
    return _problem(path, mode, wrong, change, [path])


def _problem(path: Path, mode: int, wrong: int, change: str, mend: Sequence[Path]) -> str:
    said = [f"{what} by {who}" for what, bits in (("readable", 0o055), ("writable", 0o022))
            for who in [_whom(wrong & bits)] if who]
    if len(said) == 2 and said[0].partition(" ")[2] == said[1].partition(" ")[2]:
        said = [f"readable and {said[1]}"]
    names = " ".join(shlex.quote(str(each)) for each in mend)
    return f"{path} is {' and '.join(said)} (mode {mode:04o}); chmod {change} {names}"


def _whom(wrong: int) -> str:
    """Whom bits of a mode let in, of those that are not its owner's."""
    return "everyone" if wrong & 0o007 else "its group" if wrong else ""


def exposed_database(path: Path) -> str | None:
    """The same of an SQLite file and of the two that stand beside it while it is open, to which
    SQLite gives the mode of the first."""
    files = [Path(os.fspath(path) + end) for end in ("", "-wal", "-shm")]
    found = {file: problem for file in files if (problem := exposed(file, is_secret=True))}
    if not found:
        return None
    names = " ".join(shlex.quote(str(file)) for file in found)
    return f"{next(iter(found.values())).partition('; chmod ')[0]}; chmod 600 {names}"


def exposed_client_files(state: Path | None, known_servers: Path | None,
                         cafile: Path | None = None) -> list[str]:
    """Of those that a client has. In ``state`` are a login token and messages; who can write the
    others says which servers are trusted."""
    found: list[str | None] = [exposed_database(state) if state is not None else None]
    if known_servers is not None:
        found += [_exposed_folder(known_servers.parent), exposed(known_servers, is_secret=False)]
    if cafile is not None:
        found.append(exposed(cafile, is_secret=False))
    return [problem for problem in found if problem is not None]


def _exposed_folder(folder: Path) -> str | None:
    """Whether others can put another file in the place of ours."""
    try:
        if folder.stat().st_mode & stat.S_ISVTX:
            return None
    except OSError:
        return None
    return exposed(folder, is_secret=False)


def exposed_files(config: ServerConfig) -> list[str]:
    """Of those that a server has, but for its key, which is looked at with its certificate."""
    found: list[str | None] = []
    if config.source is not None:
        has_secrets = any(account.password or account.verifier for account in config.accounts)
        found.append(exposed(config.source, is_secret=has_secrets))
    found.append(exposed(config.certfile, is_secret=False))
    if config.database is not None and config.stores:
        found.append(exposed_database(config.database))
    if config.tickets is not None:
        found.append(exposed(config.tickets.keyfile, is_secret=True))
    if config.files is not None and config.stores:
        found.append(exposed(config.files, is_secret=True))
    return [problem for problem in found if problem is not None]
