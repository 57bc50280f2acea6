"""The chat page and what it needs, by HTTP: ``quicchat serve --web`` uses it.

::

    async with PageServer(files, address=("127.0.0.1", 12345), where=where): ...

It serves files that were read when it began, and ``quicchat.json``, which says where the chat
server is and which certificates a page may pin. Nothing else: no folder is looked into by what
somebody asks for. On a loopback address it speaks plain HTTP, which browsers take for secure there;
otherwise HTTPS.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ipaddress
import json
import re
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BindError, ConfigError

__all__ = ["PageServer", "WebFiles", "Where", "bind_page", "certificate_hash"]

#: Where the wheel has them, if it was built with them.
INSTALLED = Path(__file__).parent / "web_files"

_TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8", ".json": "application/json",
    ".wasm": "application/wasm",
}
_NEEDED = ("index.html", "app.js", "quicchat/index.js", "quicchat/worker.js",
           "quicchat/quicchat.wasm")
_ALL_BYTES_MAX = 16 << 20  # of all files
_HEAD_BYTES_MAX = 8192  # of a request
_REQUEST_SECONDS = 10.0  # for a request, and for its answer to be taken
_CONNECTIONS_MAX = 256
_CONNECTIONS_PER_NETWORK_MAX = 64  # so that nobody's slow ones keep all others out

_HOST = re.compile(r"(?P<name>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_REASONS = {200: "OK", 304: "Not Modified", 400: "Bad Request", 404: "Not Found",
            405: "Method Not Allowed", 431: "Request Header Fields Too Large"}


@dataclass(frozen=True, slots=True)
class Where:
    """What ``quicchat.json`` says."""

    host: str  #: of the chat server; empty: as the page's own address says
    port: int
    hashes: tuple[str, ...]  #: SHA-256 of certificates in base64: the present one, the next one
    path: str = "/quicchat"
    passwords: bool = True  #: people may log in by password


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    kind: str
    tag: str


class WebFiles:
    """The page and the package, read into memory."""

    def __init__(self, folder: Path = INSTALLED) -> None:
        """Raises ConfigError if they are not there."""
        self._files: dict[str, _File] = {}
        root = folder.resolve()
        missing = [name for name in _NEEDED if not (root / name).is_file()]
        if missing:
            where = "in this installation" if folder == INSTALLED else f"in {folder}"
            raise ConfigError(
                f"the chat page is not {where}: there is no {missing[0]}",
                hint="build it from quicchat's sources by sh bindings/web/build.sh, then name its "
                     "folder: quicchat serve --web build/web; or install with it: "
                     "pip install . -C cmake.define.QUICCHAT_BUILD_WEB=ON")
        left = _ALL_BYTES_MAX
        for path in sorted(root.rglob("*")):
            kind = _TYPES.get(path.suffix)
            if kind is None or not path.resolve().is_relative_to(root) or not path.is_file():
                continue
            body = path.read_bytes()
            left -= len(body)
            if left < 0:
                raise ConfigError(f"more than {_ALL_BYTES_MAX} bytes of files in {root}")
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            self._files["/" + path.relative_to(root).as_posix()] = _File(body, kind, tag)
        self._files["/"] = self._files["/index.html"]

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def __getitem__(self, path: str) -> _File:
        return self._files[path]


def certificate_hash(pem: str) -> str:
    """What a page pins: SHA-256 of the first certificate of a PEM text, in base64."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = begin + pem.split(begin, 1)[1].split(end, 1)[0] + end
    return base64.b64encode(hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()).decode()


def bind_page(host: str, port: int) -> socket.socket:
    """A TCP socket for the page; port 0: any free one. Raises BindError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise BindError(f"the page cannot listen on {host}: {error.strerror}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of TCP: no second listener
        bound.bind(address)
        bound.listen(128)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise BindError(f"the page cannot listen on {host}, TCP port {port}: {error.strerror}",
                        hint="end what uses that port, or take another one with --port") from None
    return bound


class PageServer:
    """Answers browsers while it is entered."""

    def __init__(self, files: WebFiles, bound: socket.socket, where: Callable[[], Where], *,
                 tls: tuple[Path, Path] | None = None) -> None:
        """``where`` is asked for each ``quicchat.json``. ``tls``: certificate and key."""
        self._files = files
        self._socket = bound
        self._where = where
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._server: asyncio.Server | None = None
        self._connections: Counter[str] = Counter()  # by network
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    async def __aenter__(self) -> PageServer:
        if self._tls is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._context.set_alpn_protocols(["http/1.1"])
            self.load_certificate()
        self._server = await asyncio.start_server(
            self._serve, sock=self._socket, ssl=self._context, limit=_HEAD_BYTES_MAX,
            ssl_handshake_timeout=_REQUEST_SECONDS if self._context else None)
        return self

    def load_certificate(self) -> None:
        """Reads certificate and key, for the connections from now on. Raises ConfigError."""
        if self._context is None or self._tls is None:
            return
        try:
            self._context.load_cert_chain(*self._tls)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the page cannot show the certificate {self._tls[0]}: {error}"
                              ) from None

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            for task in self._tasks:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        network = _network(writer.get_extra_info("peername"))
        self._connections[network] += 1
        try:
            if (self._connections.total() <= _CONNECTIONS_MAX
                    and self._connections[network] <= _CONNECTIONS_PER_NETWORK_MAX):
                async with asyncio.timeout(_REQUEST_SECONDS):
                    writer.write(self._answer(await _head(reader)))
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # whoever asked is gone
        except asyncio.CancelledError:
            if self._server is not None:
                raise
        finally:
            self._connections[network] -= 1
            if not self._connections[network]:
                del self._connections[network]
            writer.transport.abort()  # whatever it has not taken by now

    def _answer(self, head: bytes | None) -> bytes:
        if head is None:
            return _response(431)
        request = re.fullmatch(rb"([A-Z]{1,16}) (/[\x21-\x7e]{0,2000}) HTTP/1\.[01]\r\n(.*)", head,
                               re.DOTALL)
        if request is None:
            return _response(400)
        method, target, rest = (part.decode("latin-1") for part in request.groups())
        if method not in ("GET", "HEAD"):
            return _response(405, [("Allow", "GET, HEAD")])
        fields = {name.strip().lower(): value.strip()
                  for name, _, value in (line.partition(":") for line in rest.split("\r\n"))}
        path = target.partition("?")[0]
        if path == "/quicchat.json":
            body = self._json(fields.get("host", ""))
            headers = [("Content-Type", _TYPES[".json"]), ("Cache-Control", "no-store")]
            return _response(200, headers, body, method)
        if path not in self._files:
            return _response(404, method=method)
        file = self._files[path]
        headers = [("Content-Type", file.kind), ("Cache-Control", "no-cache"), ("ETag", file.tag)]
        if file.kind.startswith("text/html"):
            headers.append(("Content-Security-Policy", self._policy()))
        if fields.get("if-none-match") == file.tag:
            return _response(304, headers[1:], method=method)
        return _response(200, headers, file.body, method)

    def _json(self, host_field: str) -> bytes:
        where = self._where()
        asked = _HOST.fullmatch(host_field)
        host = where.host or (asked["name"] if asked else "localhost")
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        said: dict[str, object] = {"url": f"https://{host}:{where.port}{where.path}",
                                   "hashes": list(where.hashes)}
        if not where.passwords:
            said["passwords"] = False
        return json.dumps(said).encode()

    def _policy(self) -> str:
        where = self._where()
        host = f"[{where.host}]" if ":" in where.host else where.host
        chat = f"https://{host}:{where.port}" if host else f"https://*:{where.port}"
        return ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
                f"style-src 'self'; img-src 'self' data:; connect-src 'self' {chat}; "
                "form-action 'none'; base-uri 'none'; frame-ancestors 'none'")


def _network(peer: tuple[Any, ...] | None) -> str:
    """Whose a connection is: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0]) if peer else None
    except ValueError:
        address = None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    """A request without what follows its header; None: it is too long."""
    with contextlib.suppress(asyncio.LimitOverrunError):
        return await reader.readuntil(b"\r\n\r\n")
    return None


def _response(status: int, headers: list[tuple[str, str]] | None = None, body: bytes = b"",
              method: str = "GET") -> bytes:
    if not body and status != 304:
        body = f"{status} {_REASONS[status]}\n".encode()
        headers = [*(headers or []), ("Content-Type", "text/plain; charset=utf-8")]
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "Connection: close",
             "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
             "Cross-Origin-Opener-Policy: same-origin",
             "Cross-Origin-Resource-Policy: same-origin"]
    if status != 304:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers or []]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if method == "HEAD" else head + body
