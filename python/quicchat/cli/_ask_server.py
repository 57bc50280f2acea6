"""Asks a server that runs on this computer, by its socket for administration."""

from __future__ import annotations

import argparse
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..administration import short_path
from ..config import load_config, user_path
from ..errors import ConfigError, QuicChatError, Unreachable

_PATIENCE = 30.0  # seconds without a line


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--config", type=user_path, default=Path("config.json"), metavar="FILE",
                       help="the server's configuration (default: config.json)")
    where.add_argument("--socket", type=user_path, metavar="PATH",
                       help="the server's socket, instead of the configuration")


def socket_of(options: argparse.Namespace) -> Path:
    """The socket that the options name."""
    if options.socket is not None:
        return Path(options.socket)
    config = load_config(options.config)
    if config.admin is None:
        raise ConfigError(f'{options.config} has no socket: its "admin" is null',
                          code="E-ADMIN-SOCKET", hint='remove "admin" from it, and start the '
                          "server again")
    return config.admin


def ask_server(path: Path, **request: Any) -> Iterator[dict[str, Any]]:
    """The rows of the answer, and then what is done, as ``{"done": ...}``. Raises the errors that
    the server tells."""
    try:
        with short_path(path) as short, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(_PATIENCE)
            asking.connect(short)
            asking.sendall(json.dumps(request).encode() + b"\n")
            with asking.makefile("rb") as lines:
                for line in lines:
                    answer = json.loads(line)
                    if "error" in answer:
                        raise _error(answer["error"])
                    yield answer
                    if "done" in answer:
                        return
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        raise Unreachable(f"no server answers at {path}", code="E-NO-SERVER",
                          reason=(error.strerror or "").lower(),
                          hint="start it with 'quicchat serve', or name the right one by --config "
                               "or --socket") from None
    except PermissionError:
        raise Unreachable(f"{path} is for the user of the server alone", code="E-ADMIN-PEER",
                          hint="do it as that user, such as by sudo -u") from None
    except (TimeoutError, ValueError) as error:
        raise Unreachable(f"the server at {path} does not answer: {error}",
                          code="E-NO-SERVER") from None
    raise Unreachable(f"the server at {path} has ended meanwhile", code="E-NO-SERVER",
                      hint="look at its log")


def _error(told: dict[str, Any]) -> QuicChatError:
    return QuicChatError(str(told.get("text")), code=str(told.get("code")),
                         reason=str(told.get("reason", "")), hint=str(told.get("hint", "")))
