"""``quicchat status``: whether a server runs, and which."""

from __future__ import annotations

import argparse
import json

from ..terminal import show
from ._ask_server import add_server_arguments, ask_server, socket_of

NAME = "status"
HELP = "Say whether the server of this computer runs, and where it listens."
EXAMPLES = """examples:
  quicchat status
  quicchat status --config /srv/chat/config.json --json

It asks by the server's socket, see 'quicchat room --help'. Status 0: the server answers; 69: none
does. So it is a health check for containers and scripts."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_server_arguments(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    *_, answer = ask_server(socket_of(options), ask="status")
    found = answer["done"]
    if options.json:
        show(json.dumps(found))
        return 0
    host = f"[{found['host']}]" if ":" in found["host"] else found["host"]
    show(f"quicchat {found['version']}, process {found['process']}, serves on "
         f"{host}:{found['port']} (UDP)")
    show(f"{found['connections']} connection(s); key fingerprint {found['fingerprint']}")
    return 0
