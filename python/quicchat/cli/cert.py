"""``quicchat cert``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..certificates import DEFAULT_DAYS, make_pair
from ..config import user_path
from ..terminal import show

NAME = "cert"
HELP = "Make a self-signed certificate and its key, and print the fingerprint for clients."
EXAMPLES = """examples:
  quicchat cert                              server.crt and server.key, for this computer
  quicchat cert --name chat.example.org --out /srv/chat

Clients then use  quicchat chat --server-ip chat.example.org --pin sha256:..."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=user_path, default=Path(), metavar="DIR",
                        help="where to write server.crt and server.key (default: here)")
    parser.add_argument("--name", action="append", default=[], metavar="HOST",
                        help="a host name or address of the server; may be given several times")
    parser.add_argument("--days", type=int, default=DEFAULT_DAYS,
                        help=f"how long it is good (default: {DEFAULT_DAYS})")


def run(options: argparse.Namespace) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    certfile, keyfile = options.out / "server.crt", options.out / "server.key"
    pair = make_pair(certfile, keyfile, options.name, options.days)
    show(f"made {certfile} and {keyfile} (keep the second one secret)")
    show(f"fingerprint {pair.fingerprint}")
    return 0
