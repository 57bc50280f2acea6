"""The command ``quicchat``, and what ``server.py`` and ``chat_client.py`` stand on."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import resource
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from ..errors import OutputError, QuicChatError, exit_status, exit_status_of
from ..errors import explain as explained
from ..terminal import clean_text, show

__all__ = ["main", "make_parser", "run"]

#: Each is a module here.
_COMMANDS = ("serve", "chat", "send", "tail", "doctor", "cert", "ticket", "user", "room", "status",
             "backup", "restore", "config", "explain", "bench", "version", "completion", "man")


class _Parser(argparse.ArgumentParser):
    """Ends with status 64 on a wrong option, and says where help is."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        show(f"{self.prog}: {message} [E-USAGE]", to=sys.stderr)
        show(f"  fix: {self.prog} --help", to=sys.stderr)
        self.exit(64)

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
            self, args: Any = None, namespace: Any = None) -> Any:
        """Of a command: what it does not know is its own mistake, and not that of `quicchat`."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error("unrecognized arguments: " + " ".join(unknown))
        return options, unknown


class _ShowVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        parser.exit(_module("version").run(argparse.Namespace(json=False)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    if arguments is None:
        arguments = sys.argv[1:]
    # A seventh of the time until a command begins goes into the others.
    named = tuple(name for name in arguments[:1] if name in _COMMANDS)
    return _guarded(make_parser(named or _COMMANDS), arguments)


def make_parser(names: Sequence[str] = _COMMANDS) -> argparse.ArgumentParser:
    """Of these commands: all, unless it is known which one is meant."""
    parser = _Parser(prog="quicchat", description="Secure group chat over QUIC.",
                     epilog="quicchat COMMAND --help tells more about a command.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0,
                        help="Print the version of quicchat.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for command in map(_module, names):
        sub = commands.add_parser(
            command.NAME, help=command.HELP, description=command.HELP, epilog=command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return parser


def run(name: str, program: str, arguments: Sequence[str] | None = None) -> int:
    """One command as a program of its own: ``server.py`` is ``quicchat serve``."""
    command = _module(name)
    parser = _Parser(prog=program, description=command.HELP,
                     epilog=command.EXAMPLES.replace(f"quicchat {name}", f"python3 {program}"),
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_arguments(parser)
    parser.set_defaults(run=command.run)
    return _guarded(parser, arguments)


def _module(command: str) -> Any:
    return importlib.import_module(f"{__name__}.{command}")


def _guarded(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Errors as words and a status; Ctrl-C as 130; a reader that went away as silence."""
    try:
        options = parser.parse_args(arguments)
        return int(options.run(options))
    except KeyboardInterrupt:
        return 130
    except QuicChatError as error:
        show(explained(error), to=sys.stderr)
        if isinstance(error, OutputError):
            _give_up_output()
        return exit_status(error)
    except BrokenPipeError:
        _give_up_output()  # `quicchat chat | head`
        return 141
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            return _mistake(error)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        show(explained(QuicChatError(
            "there are too many open files", code="E-DESCRIPTORS",
            reason=f"this program may have {limit}, and all programs together have a limit, too",
            hint="raise the limit: ulimit -n 1024")), to=sys.stderr)
        return exit_status_of("E-DESCRIPTORS")
    except Exception as error:  # a mistake of ours, about whatever a peer has said
        return _mistake(error)


def _give_up_output() -> None:
    """Python would complain about what it still has to write when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mistake(error: Exception) -> int:
    show(clean_text(traceback.format_exc().rstrip()), to=sys.stderr)
    return exit_status(error)
