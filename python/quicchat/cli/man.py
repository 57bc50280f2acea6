"""``quicchat man``: the manual page."""

from __future__ import annotations

import argparse
import re

from ..terminal import clean_text, show
from ._parsers import commands_of, help_of, options_of, paths_of, positionals_of, value_of

NAME = "man"
HELP = "Print the manual page, for man(1)."
EXAMPLES = """examples:
  quicchat man | man -l -
  quicchat man > ~/.local/share/man/man1/quicchat.1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    from . import make_parser

    show(clean_text(manual(make_parser())), end="")
    return 0


def manual(parser: argparse.ArgumentParser) -> str:
    """In the language of man(7)."""
    lines = [".TH QUICCHAT 1", ".SH NAME", f"quicchat \\- {_text('secure group chat over QUIC')}",
             ".SH SYNOPSIS", ".B quicchat", ".I COMMAND", "[options]", ".SH DESCRIPTION",
             "A server for group chat, and all that people and scripts need to take part.",
             ".SH COMMANDS"]
    for path, command in paths_of(parser):
        if path and not commands_of(command):
            lines += _command(path, command)
    lines += [".SH FILES",
              *_item("~/.config/quicchat/servers.toml", "servers by name, see quicchat chat"),
              *_item("~/.config/quicchat/known_servers", "keys of servers that are trusted"),
              *_item("~/.local/state/quicchat", "logins and places that were kept"),
              ".SH EXIT STATUS",
              *_item("0", "done"), *_item("64", "wrong options or configuration"),
              *_item("65", "something was refused"), *_item("69", "the server was not reached"),
              *_item("76", "it is no quicchat server, or of another version"),
              *_item("77", "it is not trusted, or refused the login"),
              *_item("130", "interrupted by Ctrl-C")]
    return "\n".join(lines) + "\n"


def _command(path: tuple[str, ...], command: argparse.ArgumentParser) -> list[str]:
    words = " ".join(action.metavar if isinstance(action.metavar, str) else action.dest.upper()
                     for action in positionals_of(command))
    lines = [f".SS quicchat {' '.join(path)} {_text(words)}".rstrip(),
             _text(command.description or "")]
    for action in options_of(command):
        names = ", ".join(action.option_strings)
        lines += _item(f"{names} {value_of(action)}".rstrip(), help_of(action))
    if command.epilog:
        lines += [".PP", ".nf", *map(_text, command.epilog.splitlines()), ".fi"]
    return lines


def _item(what: str, text: str) -> list[str]:
    return [".TP", f".B {_text(what)}", _text(text)]


def _text(text: str) -> str:
    """As roff shows it: no request, no escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)
