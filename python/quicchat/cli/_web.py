"""The chat page beside the server: ``quicchat serve --web``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .. import Web
from ..certificates import CertificatePair, announce_next, make_short_lived
from ..errors import CertificateError, ConfigError
from ..server import Server
from ..settings import ServerConfig
from ..trust import is_loopback
from ..web import PageServer, WebFiles, Where, bind_page, certificate_hash

_EVERY = ("", "0.0.0.0", "::")


def _shown(server: Server) -> tuple[CertificatePair, Path]:
    """What browsers are shown, and the file of its certificate."""
    assert server.pair is not None
    return server.web_pair or (server.pair, server.config.certfile)


def _check_name(config: ServerConfig, host: str) -> None:
    if host in _EVERY and config.web is None:
        raise ConfigError(
            f"--web: it is not known by which name people open the page, as \"host\" is "
            f"{config.host!r}",
            hint='say so in the configuration: "web": {"origins": '
                 f'["https://chat.example.org:{config.port or 12345}"]}}')


class WebSide:
    """The page's files and its port, before there is a server, and what they change about it."""

    def __init__(self, folder: Path, config: ServerConfig) -> None:
        """Raises ConfigError, BindError."""
        self._files = WebFiles(folder)
        _check_name(config, config.host)
        self._socket = bind_page(config.host or "::", config.port)
        self.port: int = self._socket.getsockname()[1]
        self._host = "" if config.host in _EVERY else config.host
        self._plain = is_loopback(config.host)
        self._page: PageServer | None = None
        self._hashes: tuple[str, ...] = ()
        self._problem = ""
        make_short_lived(config.certfile, config.keyfile, config.host)

    def apply(self, config: ServerConfig) -> ServerConfig:
        """The configuration with the page's origin, and with logins by password in it if nothing
        else is said about these. Raises ConfigError."""
        _check_name(config, self._host)
        ours = self._origins()
        if config.web is not None:
            web = replace(config.web, origins=tuple(dict.fromkeys((*config.web.origins, *ours))))
        else:
            web = Web(ours)
        passwords = config.page_passwords is not False
        return replace(config, port=self.port, web=web, page_passwords=passwords)

    def serve(self, server: Server) -> PageServer:
        """The page, to be entered once the server runs."""
        self._pin(server)

        def where() -> Where:
            config = server.config  # as it is now: a reload changes it
            assert config.web is not None
            return Where(self._host, self.port, self._hashes, config.web.path,
                         bool(config.page_passwords))

        config = server.config
        tls = None if self._plain else (config.certfile, config.keyfile)
        self._page = PageServer(self._files, self._socket, where, tls=tls)
        return self._page

    def renewed(self, server: Server) -> None:
        """The server may show another certificate now: the page shows the same."""
        self._pin(server)
        if self._page is not None:
            self._page.load_certificate()

    def _pin(self, server: Server) -> None:
        """What pages are to pin: the present certificate and the next one."""
        pair, certfile = _shown(server)
        pems: list[str | None] = [pair.certificate_pem]
        try:
            pems.append(announce_next(pair, certfile))
            self._problem = ""
        except CertificateError as error:
            self._problem = f"the next certificate is not known: {error}"
        self._hashes = tuple(certificate_hash(pem) for pem in pems if pem is not None)

    def notices(self, server: Server) -> list[str]:
        """What should be known about it."""
        pair, certfile = _shown(server)
        if pair.can_be_pinned:
            return [self._problem] if self._problem else []
        return [f"browsers do not let pages pin {certfile}, which is not of P-256 and good for 14 "
                "days at most: nobody can log in by password in the page"]

    @property
    def url(self) -> str:
        """Of the page."""
        return self._origin(self._host or "localhost") + "/"

    def close(self) -> None:
        """Before it was served: gives the port back."""
        self._socket.close()

    def _origin(self, name: str) -> str:
        host = f"[{name}]" if ":" in name else name
        return f"{'http' if self._plain else 'https'}://{host}:{self.port}"

    def _origins(self) -> tuple[str, ...]:
        names = [self._host] if self._host else []
        if self._plain:
            names.append("localhost")
        return tuple(dict.fromkeys(map(self._origin, names)))
