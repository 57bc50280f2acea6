"""``quicchat serve``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import signal
from dataclasses import replace
from pathlib import Path

from .. import metrics
from ..administration import AdminSocket
from ..certificates import CertificatePair
from ..config import load_config, user_path
from ..errors import ConfigError, QuicChatError, explain
from ..server import Server, serve
from ..settings import ServerConfig
from ..web import INSTALLED
from ._log import FORMATS, Log, open_log
from ._web import WebSide

NAME = "serve"
HELP = "Run a chat server."
EXAMPLES = """examples:
  quicchat serve --config config.json
  quicchat serve --config config.json --port 0       any free port
  quicchat serve --config config.json --check        only look for mistakes
  quicchat serve --config config.json --log-format json
  quicchat serve --config config.json --web          with the chat page for browsers

If neither the certificate nor the key exists, a self-signed pair is made, and the certificate is
renewed with the same key before its time is over: no client is asked again. Ctrl-C stops the
server; so does SIGTERM, which tells the clients first.

SIGHUP reads the configuration again and cuts nobody: new connections are shown the certificate
that is there now; accounts, limits, operators and rooms that are listed newly count at once, and
so does "web" for pages and logins that come. If something is wrong, that is said, and the server
goes on as before. "host", "port", "database", "durability", "files", "metrics", "qlog" and "admin"
take effect at the next start, and so does a "web" where there was none.

With "metrics": "127.0.0.1:9464" in the configuration Prometheus finds figures there; that needs
"pip install 'quicchat[metrics]'". With "qlog": {"directory": "qlog"} what QUIC does is written to
that folder, which must exist, a file for each connection.

With --web the chat page is served on the TCP port of the same number: by HTTP on an address of this
computer, otherwise by HTTPS. People log in there by their passwords, which are bound to the
server's certificate, unless "web": {"passwords": false} says that they do not; or by a ticket. A
certificate that quicchat made is replaced by one of 13 days for the same key, since browsers let
pages pin no longer ones, and no client is alarmed. The one that follows is made ahead, beside it.
Where the certificate is self-signed and somebody else's, such as one of RSA, browsers are shown
another one: server.web.crt beside server.crt.

Rooms, accounts and devices are kept in the database beside the configuration, unless that says
otherwise. 'quicchat user' changes accounts while the server runs, and 'quicchat room' rooms, by the
socket quicchat.sock beside the configuration, which is for this user alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=user_path, default=Path("config.json"), metavar="FILE",
                        help="the configuration (default: config.json)")
    parser.add_argument("--host", help="listen on this address instead of the configured one")
    parser.add_argument("--port", type=int, help="listen on this port; 0: any free one")
    parser.add_argument("--web", nargs="?", const=INSTALLED, type=user_path, metavar="DIR",
                        help="serve the chat page as well; DIR: where bindings/web/build.sh has "
                             "put it (default: where it is installed)")
    parser.add_argument("--check", action="store_true", help="check the configuration and stop")
    parser.add_argument("--quiet", "-q", action="store_true", help="do not log connections")
    parser.add_argument("--log-format", choices=FORMATS, default="text",
                        help="lines for people, or one JSON object a line (default: text)")


def run(options: argparse.Namespace) -> int:
    config = _load(options)
    log = open_log(options.log_format, quiet=options.quiet)
    try:
        return _run(config, options, log)
    finally:
        log.close()


def _run(config: ServerConfig, options: argparse.Namespace, log: Log) -> int:
    for notice in config.notices:
        log.warn(notice)
    is_for_pages = config.tickets is not None or config.page_passwords
    if is_for_pages and config.web is None and options.web is None:
        log.warn('"web" says how people log in in pages, but no page may come: add "origins" to '
                 "it, or serve the chat page by --web")
    if options.check:
        log.say(f"{options.config} is fine: {len(config.accounts)} account(s), "
                f"room(s) {', '.join(config.rooms)}, {_storage(config)}")
        return 0
    # A crash leaves no keys and passwords in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.web is None:
        return asyncio.run(_serve(config, options, log, None))
    web = WebSide(options.web, config)
    with contextlib.closing(web):
        return asyncio.run(_serve(web.apply(config), options, log, web))


def _load(options: argparse.Namespace) -> ServerConfig:
    """The configuration, with what the command line says instead."""
    config = load_config(options.config)
    if options.port is not None and not 0 <= options.port <= 65535:
        raise ConfigError(f"not a port: {options.port}", code="E-USAGE")
    return replace(config, host=options.host or config.host,
                   port=config.port if options.port is None else options.port)


def _storage(config: ServerConfig) -> str:
    if not config.stores:
        return "rooms live in memory"
    return f"kept in {config.database} ({config.durability})"


def _pairs(server: Server) -> list[tuple[CertificatePair, Path]]:
    """Those that a server shows, and the files of the certificates."""
    assert server.pair is not None
    others = [] if server.web_pair is None else [server.web_pair]
    return [(server.pair, server.config.certfile), *others]


def _renewed(server: Server) -> list[str]:
    return [f"renewed the certificate {certfile} with the same key, until {pair.end:%Y-%m-%d}"
            for pair, certfile in _pairs(server) if pair.renewed]


def _announce(server: Server, log: Log) -> None:
    assert server.pair is not None
    config = server.config
    if server.pair.made:
        log.say(f"made a self-signed certificate: {config.certfile}, key {config.keyfile}")
    if server.web_pair is not None and server.web_pair[0].made:
        log.say(f"made a certificate for browsers, which pages pin: {server.web_pair[1]}")
    for line in _renewed(server):
        log.say(line)
    warnings = [warning for pair, _ in _pairs(server) for warning in pair.warnings]
    for warning in (*warnings, *server.notices):
        log.warn(warning)
    log.say(_storage(config))
    if config.qlog is not None:
        log.say(f"qlogs go to {config.qlog.directory}, {config.qlog.bytes_max} bytes at most")
    host, port = server.address
    if config.web is not None:
        log.say(f"pages of {', '.join(config.web.origins)} may come to {config.web.path}")
    log.say(f"listening on {f'[{host}]' if ':' in host else host}:{port} (UDP)")
    log.say(f"key fingerprint {server.fingerprint}")
    log.say("press Ctrl-C to stop")


async def _serve(config: ServerConfig, options: argparse.Namespace, log: Log,
                 web: WebSide | None) -> int:
    loop = asyncio.get_running_loop()
    asked, changed = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    # Without a terminal, or started by nohup, a terminal that closes is not meant.
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    on_terminal = not ignored and _has_terminal()

    def hang_up() -> None:
        (asked if on_terminal and not _has_terminal() else changed).set()

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    server = serve(config)
    server.hashing.on_progress = lambda done, total, left: log.say(_hashed(done, total, left))
    async with server, contextlib.AsyncExitStack() as measured:
        if config.metrics is not None:
            place = measured.enter_context(metrics.serve(server, config.metrics))
            log.say("metrics on http://{}:{}/metrics".format(
                f"[{place[0]}]" if ":" in place[0] else place[0], place[1]))
        if config.admin is not None:
            try:
                await measured.enter_async_context(AdminSocket(server, config.admin))
            except ConfigError as error:  # people can chat without it
                log.warn(f"{error}; {error.hint}")
        if web is not None:
            await measured.enter_async_context(web.serve(server))
            for notice in web.notices(server):
                log.warn(notice)
            log.say(f"the chat page is at {web.url}")
        _announce(server, log)
        events = asyncio.create_task(_log(server, log))
        reloads = asyncio.create_task(_reload_on(changed, server, options, log, web))
        renewals = asyncio.create_task(_renew(server, log, web=web))
        waits = [asyncio.create_task(asked.wait()), asyncio.create_task(server.serve_forever())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            log.say("stopping")
            await server.close()
            await events
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_signal_handler(signal.SIGHUP)
            for task in (*waits, events, reloads, renewals):
                task.cancel()
    return 0


def _hashed(done: int, total: int, left: float) -> str:
    rest = (f", some {left / 60:.0f} min to go" if left >= 90 else
            f", some {max(left, 1):.0f} s to go" if done < total else "")
    return f"hashed {done} of {total} new passwords{rest}"


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


async def _reload_on(changed: asyncio.Event, server: Server, options: argparse.Namespace,
                     log: Log, web: WebSide | None) -> None:
    """Reloads at each signal; those that come meanwhile are one more."""
    name = options.config.name
    while True:
        await changed.wait()
        changed.clear()
        try:
            config = await asyncio.to_thread(_load, options)
            done = await server.reload(web.apply(config) if web else config)
            if web is not None:
                web.renewed(server)
            for notice in done.notices:
                log.warn(notice)
            log.say(f"reloaded {name}: {done}")
        except QuicChatError as error:
            log.fail(explain(error))
            log.warn(f"{name} was not reloaded; the server goes on as before")
        except Exception as error:  # whatever it is, people are chatting
            log.warn(f"{name} was not reloaded: {error!r}; the server goes on as before")


async def _renew(server: Server, log: Log, pause: float = 6 * 3600,
                 web: WebSide | None = None) -> None:
    """Before the time of a certificate is over that we made ourselves."""
    while True:
        await asyncio.sleep(pause)
        if not any(pair.wants_renewal for pair, _ in _pairs(server)):
            continue
        try:
            done = await server.reload(server.config)
            if web is not None:
                web.renewed(server)
        except QuicChatError as error:
            log.fail(explain(error))
            log.warn("the certificate was not renewed")
            continue
        for line in _renewed(server):
            log.say(line)
        for notice in done.notices:
            log.warn(notice)


async def _log(server: Server, log: Log) -> None:
    async for event in server:
        log.event(event)
