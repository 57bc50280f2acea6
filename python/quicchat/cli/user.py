"""``quicchat user``: the accounts of a server, also while it runs."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .. import _core
from .._failures import storage_error
from .._paths import path_bytes
from ..config import load_config, user_path
from ..errors import ConfigError, QuicChatError, StorageError, Unreachable
from ..settings import DEFAULT_ITERATIONS, USER_NAME, ServerConfig, password_problem
from ..terminal import normalized_password, show
from ._lines import LineReader, ask_password
from ._parsers import add_action
from ._running_accounts import RunningAccounts

NAME = "user"
HELP = "Add, change and list the accounts of a server, also while it runs."
EXAMPLES = """examples:
  quicchat user add ada                          asks for the password
  echo "a secret" | quicchat user add ada        for scripts
  quicchat user list
  quicchat user devices ada                      from where ada was logged in
  quicchat user revoke ada --all                 her devices need the password again
  quicchat user passwd ada --config /srv/chat/config.json
  quicchat user entry ada                        for config.json, instead of the database

A server that runs is asked by the socket quicchat.sock beside the configuration; where none does,
the database is written. The server notices a change at the next login; connections that are open
stay, but for disconnect. A new password, disable and remove also end the tokens of all devices of
the account.

quicchat user ACTION --help tells more about an action."""

_DEVICE = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class _Action:
    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    example: str
    takes_name: bool = True
    on_database: bool = True
    gives_json: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for action in _ACTIONS:
        sub = add_action(actions, action.name, action.help, action.example)
        if action.takes_name:
            sub.add_argument("name", help="the user's name")
        if action.name == "revoke":
            which = sub.add_mutually_exclusive_group(required=True)
            which.add_argument("device", nargs="?",
                               help="the device, as 'quicchat user devices' lists it")
            which.add_argument("--all", action="store_true", help="all devices of the account")
        if action.on_database:
            where = sub.add_mutually_exclusive_group()
            where.add_argument("--config", type=user_path, default=Path("config.json"),
                               metavar="FILE",
                               help="the server's configuration (default: config.json)")
            where.add_argument("--database", type=user_path, metavar="FILE",
                               help="the server's database, instead of the configuration")
        if action.gives_json:
            sub.add_argument("--json", action="store_true", help="for programs")
        sub.set_defaults(act=action.run)


def run(options: argparse.Namespace) -> int:
    if "name" in options and not USER_NAME.match(options.name):
        raise ConfigError(f"not a user name: {options.name!r}",
                          hint="1 to 32 ASCII letters, digits, '_', '.' or '-'")
    try:
        return int(options.act(options))
    except _core.StorageFailure as error:
        raise storage_error(error.args[1], error.args[0]) from None


class _Book:
    """The accounts of the server that runs by the configuration, or, where none does, the database
    that the options name."""

    def __init__(self, options: argparse.Namespace, *, may_make: bool = False) -> None:
        self.config: ServerConfig | None = None
        self.core: _core.Accounts | RunningAccounts
        path = options.database
        if path is None:
            self.config = load_config(options.config)
            if running := _running(self.config):
                self.path, self.core = running
                return
            path = self.config.database
            if path is None or not self.config.stores:
                raise ConfigError(
                    f"{options.config} keeps accounts in the file itself, not in a database",
                    reason='its "database" is null, or its "durability" is "memory"',
                    hint=f"quicchat user entry {options.name if 'name' in options else 'NAME'} "
                         'prints an entry for its "auth.users"')
        self.path = Path(path)
        if not may_make and not os.path.exists(self.path):
            raise StorageError(
                f"there is no database at {self.path}", code="E-NO-DATABASE",
                hint="name the right one by --config or --database; a new one is made when the "
                     "server starts, and by 'quicchat user add'")
        self.core = _core.Accounts(path_bytes(self.path))

    def has(self, name: str) -> bool:
        return any(known.lower() == name.lower() for known, *_ in self.core.list_accounts())

    def iterations(self) -> int:
        return self.config.iterations if self.config else DEFAULT_ITERATIONS

    def warn_of_config(self, name: str, what: str) -> None:
        """The configuration counts at each start, so a change here may not last."""
        if isinstance(self.core, RunningAccounts) and self.core.is_in_memory:
            show("quicchat: note: the server keeps accounts in its memory: it forgets this when it "
                 "ends, or reads its configuration again", to=sys.stderr)
            return
        if self.config and any(a.username.lower() == name.lower() for a in self.config.accounts):
            assert self.config.source is not None
            show(f"quicchat: note: {self.config.source.name} names '{name}' as well: {what} when "
                 "the server starts; change it there too", to=sys.stderr)


def _running(config: ServerConfig) -> tuple[Path, RunningAccounts] | None:
    if config.admin is None:
        return None
    try:
        return config.admin, RunningAccounts(config.admin)
    except Unreachable:
        return None


def _need(done: bool, name: str, path: Path) -> None:
    if not done:
        raise QuicChatError(f"there is no account '{name}' in {path}", code="E-NO-SUCH-ACCOUNT",
                            hint="quicchat user list shows those that there are")


def _ask_new_password(reader: LineReader) -> str:
    """From the terminal, twice; or the first line of standard input."""
    password = ask_password(reader, "Enter Password: ")
    if problem := password_problem(password):
        raise ConfigError(f"the password {problem}")
    if reader.is_terminal and ask_password(reader, "Enter it again: ") != password:
        raise ConfigError("the two passwords are not the same; nothing was changed",
                          code="E-INPUT")
    return normalized_password(password or "")


def _new_verifier(reader: LineReader, iterations: int) -> str:
    return _core.verifier(_ask_new_password(reader), os.urandom(16), iterations)


def _add(options: argparse.Namespace) -> int:
    book = _Book(options, may_make=True)
    reader = LineReader()
    if reader.is_terminal and book.has(options.name):  # before somebody types a password in vain
        raise _taken(options.name)
    if not book.core.add(options.name, _new_verifier(reader, book.iterations())):
        raise _taken(options.name)
    show(f"added {options.name}")
    book.warn_of_config(options.name, "its password there counts")
    return 0


def _taken(name: str) -> QuicChatError:
    return QuicChatError(f"the name '{name}' is taken (case does not count)", code="E-NAME-TAKEN",
                         hint=f"choose another name, or set a new password: quicchat user passwd "
                              f"{name}")


def _passwd(options: argparse.Namespace) -> int:
    book = _Book(options)
    reader = LineReader()
    _need(not reader.is_terminal or book.has(options.name), options.name, book.path)
    verifier = _new_verifier(reader, book.iterations())
    _need(book.core.replace_verifier(options.name, verifier), options.name, book.path)
    show(f"{options.name} has a new password; devices have to log in with it")
    book.warn_of_config(options.name, "the password there counts again")
    return 0


def _disable(options: argparse.Namespace) -> int:
    book = _Book(options)
    _need(book.core.disable(options.name), options.name, book.path)
    show(f"{options.name} cannot log in any more; connections that are open stay")
    return 0


def _enable(options: argparse.Namespace) -> int:
    book = _Book(options)
    _need(book.core.enable(options.name), options.name, book.path)
    show(f"{options.name} can log in")
    return 0


def _remove(options: argparse.Namespace) -> int:
    book = _Book(options)
    _need(book.core.remove(options.name), options.name, book.path)
    show(f"removed {options.name}")
    book.warn_of_config(options.name, "the account is made again")
    return 0


def _disconnect(options: argparse.Namespace) -> int:
    book = _Book(options)
    if not isinstance(book.core, RunningAccounts):
        raise Unreachable("no server runs here that could end connections", code="E-NO-SERVER",
                          hint="name its configuration by --config")
    count = book.core.disconnect(options.name)
    show(f"ended {count} connection(s) of {options.name}")
    return 0


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


def _iso(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else _time(milliseconds).isoformat()


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        show("  ".join(cells).rstrip())


def _list(options: argparse.Namespace) -> int:
    accounts = _Book(options).core.list_accounts()
    if options.json:
        show(json.dumps([{"username": name, "enabled": enabled,
                          "created": _iso(created), "devices": devices}
                         for name, enabled, created, devices in accounts]))
    elif not accounts:
        show("there are no accounts; quicchat user add NAME makes one")
    else:
        _print_table([("NAME", "STATE", "DEVICES", "SINCE"), *(
            (name, "enabled" if enabled else "disabled", "-" if devices is None else str(devices),
             "-" if created is None else f"{_time(created):%Y-%m-%d}")
            for name, enabled, created, devices in accounts)])
    return 0


def _devices(options: argparse.Namespace) -> int:
    book = _Book(options)
    _need(book.has(options.name), options.name, book.path)
    devices = book.core.list_devices(options.name)
    if options.json:
        show(json.dumps([{"device": device, "created": _time(created).isoformat(),
                          "last_used": _time(used).isoformat()}
                         for device, created, used in devices]))
    elif not devices:
        show(f"{options.name} has no devices that can log in without the password")
    else:
        _print_table([("DEVICE", "FIRST LOGIN", "LAST LOGIN (UTC)"), *(
            (device, f"{_time(created):%Y-%m-%d}", f"{_time(used):%Y-%m-%d %H:%M}")
            for device, created, used in devices)])
    return 0


def _revoke(options: argparse.Namespace) -> int:
    book = _Book(options)
    _need(book.has(options.name), options.name, book.path)
    if options.all:
        count = len(book.core.list_devices(options.name))
        book.core.revoke_devices(options.name)
        show(f"{count} device(s) of {options.name} need the password at the next login")
        return 0
    if not _DEVICE.match(options.device):
        raise ConfigError(f"not a device: {options.device!r}", code="E-USAGE",
                          hint=f"quicchat user devices {options.name} lists them")
    if not book.core.revoke_device(options.name, bytes.fromhex(options.device)):
        raise QuicChatError(f"{options.name} has no device {options.device}",
                            code="E-NO-SUCH-DEVICE",
                            hint=f"quicchat user devices {options.name} lists them")
    show("that device needs the password at the next login")
    return 0


def _entry(options: argparse.Namespace) -> int:
    verifier = _new_verifier(LineReader(), DEFAULT_ITERATIONS)
    show(json.dumps({"username": options.name, "verifier": verifier}))
    return 0


_ACTIONS = (
    _Action("add", "Make an account. The password is asked for, or the first line of the input.",
            _add, "echo 'a secret' | quicchat user add ada"),
    _Action("passwd", "Give an account a new password; its devices have to log in with it.",
            _passwd, "quicchat user passwd ada"),
    _Action("disable", "Let nobody log in to an account; it can be enabled again.",
            _disable, "quicchat user disable ada"),
    _Action("enable", "Let people log in to an account again.", _enable,
            "quicchat user enable ada"),
    _Action("remove", "Remove an account; its name is free again. What was written stays.",
            _remove, "quicchat user remove ada"),
    _Action("list", "List the accounts.", _list, "quicchat user list --json",
            takes_name=False, gives_json=True),
    _Action("devices", "List the devices that log in to an account without its password.",
            _devices, "quicchat user devices ada", gives_json=True),
    _Action("revoke", "Let a device, or all, log in to an account by its password only.",
            _revoke, "quicchat user revoke ada --all"),
    _Action("disconnect", "End the connections of an account. Disable it first, to keep it out.",
            _disconnect, "quicchat user disconnect eve"),
    _Action("entry", "Print an entry for auth.users in config.json, with a verifier in place of "
            "the password.", _entry, "quicchat user entry ada", on_database=False),
)
