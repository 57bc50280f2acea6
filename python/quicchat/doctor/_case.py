"""What a diagnosis knows so far, and what its steps are made of."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _core, sync
from .._dialling import ALPN, joined
from .._failures import Peer, connect_error, core_error
from ..errors import CertificateError, QuicChatError
from ..events import Disconnected
from ..trust import TLS
from ._knocking import Way

OK, WARNING, FAILED, SKIPPED = "ok", "warning", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step found. ``why`` and ``fix`` are for what is not as it should be."""

    name: str
    status: str
    text: str
    why: str = ""
    fix: str = ""
    code: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be looked at."""

    host: str
    port: int
    tls: TLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 5.0  #: seconds for each step that waits for somebody else


class NotNow(Exception):
    """A step makes no sense; the text says why."""


Found = tuple[str, str, dict[str, Any]]  # status, text, fields of Step


def found(status: str, text: str, **fields: Any) -> Found:
    return status, text, fields


class Case:
    """One server that is looked at."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.host, self.port = request.host, request.port
        self.addresses: tuple[str, ...] = ()
        self.ways: list[Way] = []
        self.connection: _core.Probe | None = None
        self.facts: dict[str, Any] = {}  #: of that connection
        self.trusted: TLS | None = None
        self.chat: sync.Chat | None = None
        self.request_time = 0.0
        self.failed = ""  #: the first step that failed

    @property
    def answering(self) -> list[Way]:
        return [way for way in self.ways if way.answers]

    @property
    def good_addresses(self) -> list[str]:
        """Those that answer; all if nobody can say."""
        return [way.address for way in self.answering] or list(self.addresses)

    def end(self) -> None:
        if self.chat is not None:
            self.chat.close()
        self.connection = None

    def after(self, known: object, step: str) -> None:
        if not known:
            raise NotNow(f"needs the step '{self.failed or step}'")

    def connect(self, mode: str, *, pem: str = "", alpn: str = ALPN
                 ) -> tuple[_core.Probe, dict[str, Any]]:
        """A handshake, without a login."""
        try:
            probe = _core.Probe(
                host=self.host, port=self.port, trust=mode, pem=pem, keys=[], alpn=alpn,
                addresses=[joined(one, self.port) for one in self.good_addresses],
                timeout=self.request.timeout)
        except _core.CoreError as error:
            refused = core_error(error, "cannot connect")
            if isinstance(refused, CertificateError):
                refused.hint = ("install the package ca-certificates, or give the file with the "
                                "authority by --cafile")
            raise refused from None
        deadline = time.monotonic() + self.request.timeout + 1
        while not probe.is_over() and time.monotonic() < deadline:
            probe.step(0.1)
        facts = probe.facts()
        if not facts["connected"] and not facts["error"]:
            facts["error"] = "handshake_timeout"
        return probe, facts

    def error(self, facts: Mapping[str, Any], keys: tuple[str, ...] = (),
              known_from: str = "") -> QuicChatError:
        """The same words as a client has."""
        peer = Peer(self.host, self.port, self.addresses, self.request.user or "", keys, known_from,
                    self.request.timeout)
        end = Disconnected(facts["error"], facts["by_peer"], facts["text"],
                           facts["transport_code"], facts["datagrams_received"],
                           facts["fingerprint"] or self.facts.get("fingerprint", ""))
        return connect_error(end, peer)
