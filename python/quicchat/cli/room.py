"""``quicchat room``: the rooms of a server that runs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..config import user_path
from ..errors import ConfigError, OutputError, QuicChatError
from ..settings import ROOM_NAME
from ..terminal import show
from ._amounts import age, age_text, count, size, size_text
from ._ask_server import add_server_arguments, ask_server, socket_of
from ._lines import LineReader, ask
from ._parsers import add_action

NAME = "room"
HELP = "List, archive, export and delete the rooms of a server that runs; say how much they keep."
EXAMPLES = """examples:
  quicchat room list
  quicchat room export '#tea' --out tea.jsonl        all records that are kept, as JSON lines
  quicchat room archive '#tea'                       its members may read, and nobody write
  quicchat room access '#tea' everybody              and so it is open again
  quicchat room retention '#tea'                     how much of its history it keeps
  quicchat room retention '#tea' --age 30d           and what is older goes
  quicchat room delete '#tea'                        with all that was said, and its files

It speaks to the server by the socket quicchat.sock beside the configuration. Only root and the user
of the server may. Rooms of two people are theirs: they are in no list, and cannot be named.

quicchat room ACTION --help tells more about an action."""


@dataclass(frozen=True, slots=True)
class _Action:
    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    example: str
    takes_room: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for action in _ACTIONS:
        sub = add_action(actions, action.name, action.help, action.example)
        if action.takes_room:
            sub.add_argument("room", metavar="ROOM", help="the room's name")
        if action.name == "list":
            sub.add_argument("--json", action="store_true", help="one JSON object a line")
        if action.name == "access":
            sub.add_argument("access", choices=("everybody", "invitation", "archived"),
                             help="who may come in")
        if action.name in ("access", "archive"):
            sub.add_argument("--as", dest="by", metavar="USER",
                             help="whose name it bears (default: the first operator, or who made "
                                  "the room)")
        if action.name == "export":
            sub.add_argument("--out", type=user_path, metavar="FILE",
                             help="a new file (default: standard output)")
            sub.add_argument("--after", type=int, default=0, metavar="NUMBER",
                             help="only what follows that number")
        if action.name == "retention":
            sub.add_argument("--records", type=count, metavar="NUMBER",
                             help="so many records at most, or 'default' for what the limits say")
            sub.add_argument("--bytes", type=size, metavar="SIZE",
                             help="so much at most, such as 500kB or 2MB, or 'default'")
            sub.add_argument("--age", type=age, metavar="TIME",
                             help="nothing that is older, such as 12h or 30d, or 'default': "
                                  "nothing goes for its age")
            sub.add_argument("--json", action="store_true", help="one JSON object")
        if action.name == "keep":
            sub.add_argument("records", type=count, metavar="NUMBER",
                             help="how many records at most, or 'default'")
        if action.name == "delete":
            sub.add_argument("--yes", action="store_true", help="do not ask")
        add_server_arguments(sub)
        sub.set_defaults(act=action.run)


def run(options: argparse.Namespace) -> int:
    if "room" in options and not ROOM_NAME.match(options.room):
        raise ConfigError(f"not the name of a room: {options.room!r}", code="E-USAGE",
                          hint="'#' and 1 to 63 letters, digits, '_', '.' or '-', in quotes")
    return int(options.act(options))


def _list(options: argparse.Namespace) -> int:
    rows = [answer["row"] for answer in ask_server(socket_of(options), ask="rooms")
            if "row" in answer]
    if options.json:
        for row in rows:
            show(json.dumps(row))
        return 0
    table = [("ROOM", "RECORDS", "KEPT", "ACCOUNTS", "HERE", "ACCESS", "MADE BY")]
    table += [(row["room"], str(row["head"]), str(max(0, row["head"] - row["first"] + 1)),
               str(row["accounts"]), str(row["members"]), row["access"], row["creator"] or "-")
              for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for line in table:
        show("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
             .rstrip())
    return 0


def _archive(options: argparse.Namespace) -> int:
    options.access = "archived"
    return _access(options)


def _access(options: argparse.Namespace) -> int:
    by = _done(options, ask="access", room=options.room, access=options.access,
               **({"as": options.by} if options.by else {}))["as"]
    show(f"{options.room} is for {options.access} now, in the name of {by}"
         if options.access != "archived" else f"{options.room} is archived, in the name of {by}")
    return 0


def _retention(options: argparse.Namespace) -> int:
    wanted = {name: getattr(options, name) or None for name in ("records", "bytes", "age")
              if getattr(options, name) is not None}
    kept = _done(options, ask="retention", room=options.room, **wanted)
    if options.json:
        show(json.dumps(kept))
        return 0
    show(f"{options.room} keeps at most")
    texts = {"records": str(kept["records"]), "bytes": size_text(int(str(kept["bytes"]))),
             "age": "whatever is old" if kept["age"] is None else age_text(int(str(kept["age"])))}
    for name, text in texts.items():
        is_chosen = name in (kept["chosen"] or ())  # type: ignore[operator]
        show(f"  {name:<8} {text}{'' if is_chosen else ' (default)'}")
    return 0


def _keep(options: argparse.Namespace) -> int:
    _done(options, ask="keep", room=options.room, records=options.records or None)
    show(f"{options.room} keeps "
         + (f"the newest {options.records} records" if options.records else "what the limits say"))
    return 0


def _delete(options: argparse.Namespace) -> int:
    if not options.yes:
        reader = LineReader()
        if not reader.is_terminal:
            raise ConfigError(f"{options.room} was not deleted: nobody can be asked",
                              code="E-USAGE", hint="say --yes")
        typed = ask(reader, f"All of {options.room} will be gone for good. Type its name: ")
        if typed is None or typed.strip().lower() != options.room.lower():
            raise ConfigError("that is not its name; nothing was deleted", code="E-INPUT")
    done = _done(options, ask="delete", room=options.room)
    show(f"deleted {options.room}")
    if done["listed"]:
        show(f"quicchat: note: the configuration lists {options.room}: it comes back, empty, when "
             "the server reads that again", to=sys.stderr)
    return 0


def _export(options: argparse.Namespace) -> int:
    answers = ask_server(socket_of(options), ask="export", room=options.room, after=options.after)
    if options.out is None:
        for answer in answers:
            if "row" in answer:
                show(json.dumps(answer["row"]))
        return 0
    out = Path(options.out)
    count = 0
    try:
        # What was said in a room is not for everybody on this computer.
        file = os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
        with file:
            for answer in answers:
                if "row" in answer:
                    file.write(json.dumps(answer["row"]) + "\n")
                    count += 1
    except FileExistsError:
        raise ConfigError(f"{out} is there already", code="E-FILE-EXISTS",
                          hint="choose another name, or remove it") from None
    except QuicChatError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {out}: {(error.strerror or str(error)).lower()}"
                          ) from None
    show(f"wrote {count} records of {options.room} to {out}")
    return 0


def _done(options: argparse.Namespace, **request: object) -> dict[str, object]:
    *_, last = ask_server(socket_of(options), **request)
    return dict(last["done"])


_ACTIONS = (
    _Action("list", "List the rooms: how much was said, and how much of it is kept.", _list,
            "quicchat room list --json", takes_room=False),
    _Action("export", "Print all records of a room that are kept, as JSON lines.", _export,
            "quicchat room export '#tea' --out tea.jsonl"),
    _Action("archive", "Let nobody write into a room any more.", _archive,
            "quicchat room archive '#tea'"),
    _Action("access", "Say who may come into a room.", _access,
            "quicchat room access '#tea' everybody"),
    _Action("retention", "Show and say how much of its history a room keeps.", _retention,
            "quicchat room retention '#tea' --age 30d --bytes 2MB"),
    _Action("keep", "Say how many records a room keeps; 'retention' says more.", _keep,
            "quicchat room keep '#tea' 500"),
    _Action("delete", "Delete a room with all that was said in it, and its files.", _delete,
            "quicchat room delete '#tea'"),
)
