"""``quicchat cert``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..certificates import DEFAULT_DAYS, make_pair, renew_pair
from ..config import load_config, user_path
from ..errors import ConfigError
from ..terminal import show

_DAYS_MAX = 36500

NAME = "cert"
HELP = "Make or renew a self-signed certificate, and print the fingerprint for clients."
EXAMPLES = """examples:
  quicchat cert                              server.crt and server.key, for this computer
  quicchat cert --name chat.example.org --out /srv/chat
  quicchat cert --renew --config /srv/chat/config.json

With --renew the key and the names stay, so no client is asked again; a server that runs shows the
new one after SIGHUP. 'quicchat serve' renews by itself what it has made.

Clients then use  quicchat chat --server-ip chat.example.org --pin sha256:..."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=user_path, default=Path(), metavar="DIR",
                        help="where to write server.crt and server.key (default: here)")
    parser.add_argument("--name", action="append", default=[], metavar="HOST",
                        help="a host name or address of the server; may be given several times")
    parser.add_argument("--renew", action="store_true",
                        help="make another certificate for the same key, in the place of the old")
    parser.add_argument("--config", type=user_path, metavar="FILE",
                        help="the certificate and key that this configuration names")
    parser.add_argument("--days", type=int, default=DEFAULT_DAYS,
                        help=f"how long it is good (default: {DEFAULT_DAYS})")


def run(options: argparse.Namespace) -> int:
    if not 1 <= options.days <= _DAYS_MAX:
        raise ConfigError(f"not a number of days from 1 to {_DAYS_MAX}: {options.days}",
                          code="E-USAGE")
    certfile, keyfile = options.out / "server.crt", options.out / "server.key"
    names = options.name
    if options.config is not None:
        config = load_config(options.config)
        certfile, keyfile, names = config.certfile, config.keyfile, [*names, config.host]
    if options.renew:
        pair = renew_pair(certfile, keyfile, names, options.days)
        show(f"renewed {certfile}, good until {pair.end:%Y-%m-%d}")
        show(f"fingerprint {pair.fingerprint}, as before")
        return 0
    if options.config is None:
        options.out.mkdir(parents=True, exist_ok=True)
    pair = make_pair(certfile, keyfile, names, options.days)
    show(f"made {certfile} and {keyfile} (keep the second one secret)")
    show(f"fingerprint {pair.fingerprint}")
    return 0
