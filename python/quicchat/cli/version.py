"""``quicchat version``."""

from __future__ import annotations

import argparse
import json
import platform

from .. import _core
from ..terminal import show

NAME = "version"
HELP = "Print the version of quicchat."
EXAMPLES = """examples:
  quicchat version
  quicchat version --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    facts = {"quicchat": _core.version, "protocol": "quicchat/1",
             "python": platform.python_version()}
    show(json.dumps(facts) if options.json else
         f"quicchat {facts['quicchat']} (protocol {facts['protocol']}, "
         f"Python {facts['python']})")
    return 0
