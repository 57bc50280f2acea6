"""The options that say which server, and who one is there."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace

from ..config import user_path
from ._kept import DEFAULT_HOST, DEFAULT_PORT, DEFAULT_ROOM, Kept, Place, named_place
from ._trust import add_trust_arguments

_ADDRESS = re.compile(r"(\[[^\]]+\]|[^:]+|[^:]*:[^:]*:.*?)(?::(\d{1,5}))?\Z")


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("server", nargs="?", metavar="SERVER",
                        help="a server that servers.toml names, or HOST[:PORT]")
    add_address_arguments(parser)


def add_address_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server-ip", "--server", dest="host", metavar="HOST",
                        help=f"the server's name or address (default: {DEFAULT_HOST})")
    parser.add_argument("--port", type=int,
                        help=f"the server's UDP port (default: {DEFAULT_PORT})")
    parser.add_argument("--user", help="your user name (default: ask)")
    add_trust_arguments(parser)


def chosen_place(options: argparse.Namespace, kept: Kept | None) -> Place:
    """What the options say, or the server that they name, or else where one was. Options about
    trust that are not given are set to what is known of that server."""
    named = getattr(options, "server", None)
    nothing_said = options.host is None and options.port is None
    if named is not None:
        place = _named(named)
    else:
        last = kept.last() if kept is not None and nothing_said else None
        place = replace(last) if last is not None else Place()
        if last is not None and options.user and options.user != last.user:
            place.room = None
    for name in ("host", "port", "user"):
        if getattr(options, name) is not None:
            setattr(place, name, getattr(options, name))
    if options.pin or options.cafile or options.system_ca or options.insecure:
        place.pin, place.system_ca = options.pin or [], options.system_ca
        place.cafile = str(options.cafile.absolute()) if options.cafile else None
    else:
        options.pin, options.cafile = place.pin, place.cafile and user_path(place.cafile)
        options.system_ca = place.system_ca
    return place


def _named(name: str) -> Place:
    address = _ADDRESS.match(name)
    if address is not None and (re.search(r"[.:]", name) or name == "localhost"):
        return Place(host=address[1], port=int(address[2] or DEFAULT_PORT))
    return named_place(name)


def room_of(options: argparse.Namespace, place: Place, known: Place | None) -> str:
    """The room that one enters first."""
    return options.room or place.room or (known and known.room) or DEFAULT_ROOM
