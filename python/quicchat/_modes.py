"""Files that others on this computer can read or change, though they should not."""

from __future__ import annotations

import os
import stat
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
    wrong = mode & (0o077 if is_secret else 0o022)
    if stat.S_ISSOCK(found.st_mode) or not wrong:
        return None
    # A folder whose files nobody can reach gives nothing away.
    if stat.S_ISDIR(found.st_mode) and is_secret and not mode & 0o011 and not mode & 0o022:
        return None
    who = "everyone" if mode & 0o007 & wrong else "its group"
    what = "readable" if wrong & 0o044 or not wrong & 0o022 else ""
    if wrong & 0o022:
        what = f"{what} and writable" if what else "writable"
    shown = "700" if stat.S_ISDIR(found.st_mode) else "600"
    mend = f"chmod {shown} {path}" if is_secret else f"chmod go-w {path}"
    return f"{path} is {what} by {who} (mode {mode:04o}); {mend}"


def exposed_database(path: Path) -> str | None:
    """The same of an SQLite file and of the two that stand beside it while it is open, to which
    SQLite gives the mode of the first."""
    for end in ("", "-wal", "-shm"):
        problem = exposed(Path(os.fspath(path) + end), is_secret=True)
        if problem is not None:
            return f"{problem.partition(';')[0]}; chmod 600 {path}*"
    return None


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
