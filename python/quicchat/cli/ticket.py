"""``quicchat ticket``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import load_config, user_path
from ..errors import ConfigError
from ..settings import Tickets
from ..terminal import show
from ..tickets import LIFETIME_MAX, add_key, make_ticket, read_keys

NAME = "ticket"
HELP = "Make a one-time ticket, by which a user logs in in a web page."
EXAMPLES = """examples:
  quicchat ticket --new-key                   a key for the site and the server
  quicchat ticket ada                         to try a page without the site's back end
  quicchat ticket ada --origin https://www.example.org --expires 300

Tickets are made by the back end of a web site for those who are logged in there; Python has
quicchat.make_ticket, other languages any library for JSON Web Tokens (HS256). The key is the first
line of the file that "web": {"tickets": {"keys": ...}} names in the configuration.

--new-key makes that file, for its owner alone. If it is there, the new key comes first and the one
in use stays second: send the server SIGHUP, then let the site use the new one, then do both again
or remove the second line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="the user's name")
    parser.add_argument("--origin", metavar="URL",
                        help="pages of this origin alone may use it")
    parser.add_argument("--expires", type=int, default=60, metavar="SECONDS",
                        help=f"how long it is good, {LIFETIME_MAX} at most (default: 60)")
    parser.add_argument("--new-key", action="store_true", help="make a key instead")
    parser.add_argument("--config", type=user_path, default=Path("config.json"), metavar="FILE",
                        help="the server's configuration (default: config.json)")


def run(options: argparse.Namespace) -> int:
    if (options.name is None) != options.new_key:
        raise ConfigError("give the name of a user, or --new-key", code="E-USAGE",
                          hint="quicchat ticket --help")
    tickets = _tickets(options.config)
    if options.new_key:
        keys = add_key(tickets.keyfile)
        show(f"made a key in {tickets.keyfile}")
        show("the one before stays good; send the server SIGHUP before the site uses the new one"
             if len(keys) > 1 else "the site makes its tickets with it; keep it as secret as a "
             "password")
        return 0
    key = read_keys(tickets.keyfile)[0]
    show(make_ticket(options.name, key, tickets.audience, origin=options.origin,
                     expires=options.expires))
    return 0


def _tickets(path: Path) -> Tickets:
    found = load_config(path).tickets
    if found is None:
        raise ConfigError(f"{path} says nothing of tickets",
                          hint='add "web": {"tickets": {"keys": "ticket.keys", "audience": '
                               '"chat.example.org"}}')
    return found
