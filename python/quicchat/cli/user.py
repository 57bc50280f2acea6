"""``quicchat user``."""

from __future__ import annotations

import argparse
import json
import os

from .. import _core
from ..config import DEFAULT_ITERATIONS, USER_NAME, password_problem
from ..errors import ConfigError
from ..terminal import normalized_password
from ._lines import LineReader, ask_password

NAME = "user"
HELP = "Print an entry for auth.users in config.json, with a verifier in place of the password."
EXAMPLES = """examples:
  quicchat user ada                        asks for the password
  echo "a secret" | quicchat user ada      for scripts

The verifier does not log anybody in, but keep the file that holds it private."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the user's name")


def run(options: argparse.Namespace) -> int:
    if not USER_NAME.match(options.name):
        raise ConfigError(f"not a user name: {options.name!r}",
                          hint="1 to 32 ASCII letters, digits, '_', '.' or '-'")
    password = ask_password(LineReader(), "Enter Password: ")
    if problem := password_problem(password):
        raise ConfigError(f"the password {problem}")
    verifier = _core.verifier(normalized_password(password or ""), os.urandom(16),
                              DEFAULT_ITERATIONS)
    print(json.dumps({"username": options.name, "verifier": verifier}))
    return 0
