"""A person's own files that others on this computer can read or change."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .._modes import exposed, exposed_client_files, exposed_database
from ..terminal import show
from ..trust import TLS, default_tls
from ._kept import Kept, Place, servers_path


def warn_of_own_files(options: argparse.Namespace, place: Place, kept: Kept | None,
                      tls: TLS | None, program: str = "chat") -> None:
    """Says so, with what mends it; the chat goes on."""
    found: list[str | None] = []
    if kept is not None:
        folder = exposed(kept.folder, is_secret=True)
        found.append(folder)
        # In a folder that nobody can enter it does not matter how its files are.
        if folder is not None:
            found += [exposed_database(state) for state in kept.states(place, program)]
            found.append(exposed(kept.history(), is_secret=True))
    password: Path | None = getattr(options, "password_file", None)
    if password is not None:
        found.append(exposed(password, is_secret=True))
    found.append(exposed(servers_path(), is_secret=False))
    found += exposed_client_files(None, *(tls or default_tls())._files())
    for problem in found:
        if problem is not None:
            show(f"quicchat: warning: {problem}", to=sys.stderr)
