"""Which pages in browsers may come to a server, by WebTransport on its port."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError

if TYPE_CHECKING:
    from .certificates import CertificatePair

__all__ = ["Web"]

DEFAULT_PATH = "/quicchat"


@dataclass(frozen=True, slots=True)
class Web:
    """Which pages in browsers may come, by WebTransport on the server's port.

    ``origins`` are those of the pages, as browsers spell them: ``"https://chat.example.org"``, with
    the port if it is not the scheme's; ``"*"`` is any. ``path`` is that of the address that pages
    connect to: ``https://chat.example.org:12345/quicchat``."""

    origins: tuple[str, ...]
    path: str = DEFAULT_PATH

    def __post_init__(self) -> None:
        if problem := path_problem(self.path):
            raise ConfigError(f"web: the path {problem}")
        if isinstance(self.origins, str) or not self.origins:
            raise ConfigError("web: origins must be some texts such as ('https://chat.example',)")
        for origin in self.origins:
            if problem := origin_problem(origin):
                raise ConfigError(f"web: {origin!r} {problem}")


def path_problem(path: object) -> str | None:
    """Why ``path`` cannot be the path of an address that pages connect to, or None."""
    if isinstance(path, str) and re.fullmatch(r"/[A-Za-z0-9/._~-]{0,254}", path):
        return None
    return "must begin with '/' and go on with at most 254 letters, digits, '/', '.', '_', '~', '-'"


def origin_problem(origin: object) -> str | None:
    """Why no browser would say ``origin`` of a page (RFC 6454 §6.2), or None."""
    if origin == "*":
        return None
    if not isinstance(origin, str) or len(origin.encode(errors="replace")) > 255:
        return "must be a text of at most 255 bytes"
    found = re.fullmatch(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?", origin)
    if found is None:
        return ('must look like "https://chat.example.org": scheme and host in lower case, the '
                "port if it is another than the scheme's, and nothing behind")
    if found[3] == {"http": "80", "https": "443"}[found[1]]:
        return f"must be without its port, since browsers leave out {found[3]}"
    return None


def web_pair_options(pair: tuple[CertificatePair, Path] | None) -> dict[str, Any]:
    """For the core: what browsers are shown."""
    if pair is None:
        return {}
    return {"web_certificate_pem": pair[0].certificate_pem, "web_key_pem": pair[0].key_pem}


def web_options(web: Web | None, passwords: bool | None) -> dict[str, Any]:
    """For the core."""
    pages = {} if web is None else {"web_path": web.path, "web_origins": list(web.origins)}
    return {"page_passwords": bool(passwords), **pages}
