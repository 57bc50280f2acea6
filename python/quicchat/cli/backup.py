"""``quicchat backup``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import load_config, user_path
from ..terminal import show

NAME = "backup"
HELP = "Copy all that a server keeps into a new folder, also while it runs."
EXAMPLES = """examples:
  quicchat backup /backups/chat-monday
  quicchat backup "/backups/$(date +%F)" --config /srv/chat/config.json
  quicchat restore /backups/chat-monday              puts it back, see its --help

The copy is as of one moment: rooms, accounts, devices, the files that people sent, configuration,
certificate and private key. So it is as secret as the server: the folder is for this user alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=user_path, metavar="DIR", help="a folder that is not there")
    parser.add_argument("--config", type=user_path, default=Path("config.json"), metavar="FILE",
                        help="the server's configuration (default: config.json)")


def run(options: argparse.Namespace) -> int:
    from ..backups import make_backup  # no other command needs Python's SQLite

    show(f"copied {make_backup(load_config(options.config), options.folder)} to {options.folder}")
    return 0
