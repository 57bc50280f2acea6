"""Commands and their options as parsers know them: how they are made, and what is made of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

_FILES = ("FILE", "PATH", "DIR")


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help: str,
               example: str) -> argparse.ArgumentParser:
    """The parser of an action of a command, such as ``user add``; its help ends by an example."""
    return actions.add_parser(name, help=help, description=help, epilog=f"example:\n  {example}",
                              formatter_class=argparse.RawDescriptionHelpFormatter)


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser's commands, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def paths_of(parser: argparse.ArgumentParser,
             path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...],
                                                           argparse.ArgumentParser]]:
    """Each command with the words that lead to it, such as ``("user", "add")``."""
    yield path, parser
    for name, command in commands_of(parser).items():
        yield from paths_of(command, (*path, name))


def options_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.option_strings]


def positionals_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not action.option_strings
            and not isinstance(action, argparse._SubParsersAction)]


def value_of(action: argparse.Action) -> str:
    """What stands behind an option; empty: nothing."""
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def takes_file(action: argparse.Action) -> bool:
    return value_of(action) in _FILES


def help_of(action: argparse.Action) -> str:
    return (action.help or "").replace("%%", "%")
