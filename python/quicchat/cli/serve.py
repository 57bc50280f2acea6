"""``quicchat serve``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..config import ServerConfig, load_config
from ..errors import ConfigError
from ..server import Server, describe, serve
from ..terminal import paint, show

NAME = "serve"
HELP = "Run a chat server."
EXAMPLES = """examples:
  quicchat serve --config config.json
  quicchat serve --config config.json --port 0       any free port
  quicchat serve --config config.json --check        only look for mistakes

If neither the certificate nor the key exists, a self-signed pair is made. Ctrl-C stops the server;
so does SIGTERM, which tells the clients first.

Rooms, accounts and devices are kept in the database beside the configuration, unless that says
otherwise. 'quicchat user' changes accounts while the server runs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path("config.json"), metavar="FILE",
                        help="the configuration (default: config.json)")
    parser.add_argument("--host", help="listen on this address instead of the configured one")
    parser.add_argument("--port", type=int, help="listen on this port; 0: any free one")
    parser.add_argument("--check", action="store_true", help="check the configuration and stop")
    parser.add_argument("--quiet", "-q", action="store_true", help="do not log connections")


def run(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    if options.port is not None and not 0 <= options.port <= 65535:
        raise ConfigError(f"not a port: {options.port}", code="E-USAGE")
    config = replace(config, host=options.host or config.host,
                     port=config.port if options.port is None else options.port)
    for notice in config.notices:
        _warn(notice)
    if options.check:
        show(f"{options.config} is fine: {len(config.accounts)} account(s), "
             f"room(s) {', '.join(config.rooms)}, {_storage(config)}")
        return 0
    return asyncio.run(_serve(config, quiet=options.quiet))


def _warn(text: str) -> None:
    show("quicchat: " + paint("warning", "yellow", sys.stderr) + f": {text}", to=sys.stderr)


def _storage(config: ServerConfig) -> str:
    if not config.stores:
        return "rooms live in memory"
    return f"kept in {config.database} ({config.durability})"


def _announce(server: Server) -> None:
    assert server.pair is not None
    config = server.config
    if server.pair.made:
        show(f"made a self-signed certificate: {config.certfile}, key {config.keyfile}")
    for warning in (*server.pair.warnings, *server.notices):
        _warn(warning)
    show(_storage(config))
    host, port = server.address
    show(f"listening on {f'[{host}]' if ':' in host else host}:{port} (UDP)")
    show(f"key fingerprint {server.fingerprint}")
    show("press Ctrl-C to stop")


async def _serve(config: ServerConfig, *, quiet: bool) -> int:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    async with serve(config) as server:
        _announce(server)
        log = asyncio.create_task(_log(server, quiet=quiet))
        waits = [asyncio.create_task(asked.wait()), asyncio.create_task(server.serve_forever())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            show("stopping")
            await server.close()
            await log
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            for task in (*waits, log):
                task.cancel()
    return 0


async def _log(server: Server, *, quiet: bool) -> None:
    async for event in server:
        if not quiet:
            time = paint(f"{datetime.now():%H:%M:%S}", "dim", sys.stdout)
            show(time + " " + describe(event))
