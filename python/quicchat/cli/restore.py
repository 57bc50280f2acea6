"""``quicchat restore``."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from ..config import user_path
from ..terminal import show

NAME = "restore"
HELP = "Put back what 'quicchat backup' has copied, while the server is stopped."
EXAMPLES = """examples:
  quicchat restore /backups/chat-monday
  quicchat restore /backups/chat-monday --config /srv/chat/config.json

Rooms, accounts and files are put where the configuration says. What is there is moved aside, to
names that end in .before-restore. The configuration, certificate and key in the folder are put back
only where there is none.

All rooms begin a new life: clients that come back are told that something may be missing
(quicchat.Gap), and do not take what will be said for what was said after the copy. The server says
at its next start that it was restored. Devices whose login is newer than the copy need the password
again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=user_path, metavar="DIR",
                        help="what 'quicchat backup' has made")
    parser.add_argument("--config", type=user_path, default=Path("config.json"), metavar="FILE",
                        help="the server's configuration (default: config.json)")


def run(options: argparse.Namespace) -> int:
    from ..backups import put_back

    backup, aside = put_back(options.folder, options.config)
    for path in aside:
        show(f"moved aside: {path}")
    show(f"put back {backup}, as they were on "
         f"{datetime.fromisoformat(backup.time):%Y-%m-%d at %H:%M:%S %Z}")
    return 0
