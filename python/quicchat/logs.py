"""What happens, for Python's ``logging``: under ``quicchat.server``,
``quicchat.client`` and ``quicchat.bot``.

Each record has the event's fields, for handlers that keep more than a line::

    record.quicchat     # {"event": "login_failed", "connection": 7, "user": "eve", ...}

Nothing is shown unless the program sets up ``logging``. Messages, passwords, keys and tokens are
never logged. What peers chose, such as names, is cleaned in the line, and raw in the fields:
:class:`JsonFormatter` escapes it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ._failures import text_of
from .events import (
    CheckFailed,
    HookFailed,
    LoginFailed,
    LoginsLocked,
    LoginSucceeded,
    PeerConnected,
    PeerDisconnected,
    ServerEvent,
    ServerFailed,
    StorageTrouble,
)
from .terminal import Clean, clean_line, clean_text, show

__all__ = ["JsonFormatter"]

_LIBRARY = logging.getLogger("quicchat")
_LIBRARY.addHandler(logging.NullHandler())  # or else warnings go to stderr by themselves
_SERVER = logging.getLogger("quicchat.server")
_CLIENT = logging.getLogger("quicchat.client")
BOT = logging.getLogger("quicchat.bot")

_EVERYDAY = (PeerConnected, LoginSucceeded, PeerDisconnected)


class OnStandardError(logging.Handler):
    """Shows records on standard error, cleaned, for programs that set up nothing themselves."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            show(clean_text(self.format(record)), to=sys.stderr)
        except Exception:
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII: ``time`` (UTC), ``level``, ``logger``, ``message``, and the
    event with its fields, if the record is about one."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(), "logger": record.name,
            "message": record.getMessage()}
        for name, value in getattr(record, "quicchat", {}).items():
            line.setdefault(name, value)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


def log_server(event: ServerEvent) -> None:
    """An event of a server."""
    level = logging.INFO if isinstance(event, _EVERYDAY) else logging.WARNING
    if isinstance(event, StorageTrouble) and not event.error:
        level = logging.INFO
    if isinstance(event, ServerFailed):
        level = logging.ERROR
    if _SERVER.isEnabledFor(level):
        _SERVER.log(level, "%s", describe(event), extra={"quicchat": _fields(event)})


def log_client(event: str, level: int, message: str, **fields: Any) -> None:
    """What happened to a client's connection."""
    if _CLIENT.isEnabledFor(level):
        _CLIENT.log(level, "%s", clean_line(message), extra={"quicchat": {"event": event} | fields})


def log_online(user: str, address: str) -> None:
    log_client("online", logging.INFO, f"logged in at {address} as {user}", user=user,
               address=address)


def log_lost(error: str, again_in: float | None) -> None:
    """The connection has ended, for good or until the next attempt."""
    if again_in is not None:
        log_client("reconnecting", logging.WARNING, f"connection lost: {text_of(error)}; trying "
                   f"again in {again_in:.1f} s", error=error, delay=again_in)
    else:
        level = logging.INFO if error == "closed" else logging.WARNING
        log_client("offline", level, f"connection ended: {text_of(error)}", error=error)


def _fields(event: ServerEvent) -> dict[str, Any]:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
    return {"event": name} | asdict(event)


def describe(event: ServerEvent) -> Clean:
    """One line about an event, for logs."""
    return clean_line(_description(event))


def _description(event: ServerEvent) -> str:
    match event:
        case PeerConnected():
            return f"connection {event.connection} from {event.address}"
        case LoginSucceeded():
            return f"connection {event.connection}: logged in as {event.user}"
        case LoginFailed():
            name = f" for {event.user!r}" if event.user else ""
            return (f"connection {event.connection} from {event.address}: login refused{name}: "
                    f"{text_of(event.error)}")
        case LoginsLocked():
            whose = f"for {event.user!r} " if event.user else ""
            return (f"logins {whose}from the network of {event.address} are locked for now: too "
                    "many have failed there; known devices still log in")
        case PeerDisconnected():
            name = f" of {event.user}" if event.user else ""
            return f"connection {event.connection}{name} ended: {text_of(event.error)}"
        case HookFailed():
            return f"login of {event.user!r} from {event.address} refused: {event.text}"
        case CheckFailed():
            return f"a message of {event.user!r} in {event.room} was not checked: {event.text}"
        case StorageTrouble():
            if event.error:
                return f"messages are refused for now: {event.text}"
            return "messages are stored again"
    return f"the server stops: {text_of(event.error)}"


