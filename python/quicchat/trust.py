"""Whom a client believes that it talks to the right server.

Nothing about the user is sent before this check has passed. Trust on first use keeps the keys of
servers in a file, as ssh does: ``$QUICCHAT_KNOWN_SERVERS``, or ``quicchat/known_servers`` in the
user's configuration folder.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from . import _core
from ._paths import path_bytes
from .errors import CertificateError, ConfigError
from .terminal import clean_lines, show

__all__ = ["InsecureWarning", "TLS", "known_servers_path"]

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}\Z")


class InsecureWarning(UserWarning):
    """A connection is made without checking who the server is."""


def known_servers_path() -> Path:
    """Where the keys of known servers are kept, unless a path is given."""
    override = os.environ.get("QUICCHAT_KNOWN_SERVERS")
    if override:
        return Path(os.path.expanduser(override))
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "quicchat" / "known_servers"


def is_loopback(host: str) -> bool:
    """True if ``host`` can only be this computer."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def server_address(host: str, port: int) -> str:
    """The name of a server in the known_servers file."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


#: Where the keys of an Attempt come from, if the user gave them.
PINNED = "the pin"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the core is told for one attempt to connect."""

    mode: str  # system, authorities, keys, anyone
    pem: str = ""
    keys: tuple[str, ...] = ()
    known_from: str = ""


@dataclass(frozen=True, slots=True)
class TLS:
    """How a server is recognised. Make one with :meth:`system`, :meth:`ca`, :meth:`pin`,
    :meth:`trust_on_first_use` or :meth:`insecure`.

    Without one, servers are trusted on first use: at once on this computer's own addresses; else
    only after asking on the terminal, and never without a terminal.
    """

    mode: str
    pem: str = field(default="", repr=False)
    keys: tuple[str, ...] = ()
    path: Path | None = None
    ask: bool = True  #: ask before trusting a new key of another computer

    @staticmethod
    def system() -> TLS:
        """The certificate authorities of the operating system; or those that the environment
        variables ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name."""
        return TLS("system")

    @staticmethod
    def ca(path: str | Path) -> TLS:
        """The authorities in a PEM file; or the server's own certificate, exactly that one."""
        try:
            # Only ASCII counts in PEM, but comments may be in whatever encoding.
            pem = Path(path).read_bytes().decode("ascii", "replace")
            return TLS("authorities", pem=pem, path=Path(path))
        except OSError as error:
            raise CertificateError(
                f"cannot read the certificate file {path}: {error}",
                code="E-CERT-MISSING", hint="give a PEM file that you may read") from error

    @staticmethod
    def pin(*fingerprints: str) -> TLS:
        """Only servers with one of these keys: ``sha256:`` and 64 hexadecimal digits each."""
        for fingerprint in fingerprints:
            if not _FINGERPRINT.match(fingerprint):
                raise ConfigError(
                    f"not a fingerprint: {fingerprint!r}",
                    hint="write sha256: and 64 hexadecimal digits in lower case, "
                         "as the server prints it")
        if not fingerprints:
            raise ConfigError("TLS.pin needs at least one fingerprint")
        return TLS("pin", keys=tuple(fingerprints))

    @staticmethod
    def trust_on_first_use(path: str | Path | None = None, *, ask: bool = True) -> TLS:
        """Trusts the key that a server shows first, and only that one from then on. With ``ask``,
        a new key of another computer is shown to the user first, and refused without a terminal.
        """
        return TLS("first_use", path=Path(path) if path is not None else None, ask=ask)

    @staticmethod
    def insecure() -> TLS:
        """No check at all: whoever sits between reads and changes everything. For experiments."""
        warnings.warn("TLS.insecure(): the server's identity is not checked", InsecureWarning,
                      stacklevel=2)
        return TLS("insecure")

    def _attempt(self, host: str, port: int) -> Attempt:
        """What to tell the core. May read the known_servers file."""
        match self.mode:
            case "system":
                return Attempt("system")
            case "authorities":
                return Attempt("authorities", pem=self.pem)
            case "pin":
                return Attempt("keys", keys=self.keys, known_from=PINNED)
            case "insecure":
                return Attempt("anyone")
        path = self.path or known_servers_path()
        address = server_address(host, port)
        try:
            keys, damaged = _core.known_keys(path_bytes(path), address)
        except _core.CoreError as error:
            if error.args[2] == "invalid_text":
                raise ConfigError(f"{path} is not a text in UTF-8", code="E-KEY-PERM",
                                  hint="save the file in the encoding UTF-8") from None
            raise ConfigError(f"cannot read {path}: {error.args[3].lower()}",
                              code="E-KEY-PERM") from None
        if damaged:
            raise CertificateError(
                f"{path} has a damaged line about {address}", code="E-KEY-CHANGED",
                hint="repair or remove that line; until then nobody knows which key it meant")
        return Attempt("keys", keys=tuple(keys), known_from=str(path))

    def _files(self) -> tuple[Path | None, Path | None]:
        """The file of known servers and that of authorities, where they count."""
        if self.mode == "first_use":
            return self.path or known_servers_path(), None
        return None, self.path

    def _may_learn(self) -> bool:
        """True if a key that nobody knows yet may become a known one."""
        return self.mode == "first_use"

    def _learn(self, host: str, port: int, fingerprint: str) -> Attempt:
        """Decides about a key that was never seen, and remembers it. Raises CertificateError if it
        is refused. May ask on the terminal, and waits for the answer then."""
        path = self.path or known_servers_path()
        address = server_address(host, port)
        if not is_loopback(host) and self.ask and not _user_agrees(address, fingerprint):
            raise CertificateError(
                f"the certificate of {address} is not trusted ({fingerprint})",
                code="E-CERT-UNTRUSTED", fingerprint=fingerprint,
                reason="its key was never seen, and nobody said that it is the right one",
                hint="compare the fingerprint with the one that the server printed; if it is the "
                     f"same, use --pin {fingerprint}")
        attempt = Attempt("keys", keys=(fingerprint,), known_from=str(path))
        try:
            if fingerprint in _core.known_keys(path_bytes(path), address)[0]:
                return attempt  # another connection has learnt it meanwhile
            _core.add_known_key(path_bytes(path), address, fingerprint,
                                f"since {datetime.now(UTC):%Y-%m-%d}")
        except _core.CoreError as error:
            show(f"quicchat: cannot remember the server's key in {path}: "
                 f"{error.args[3].lower()}", to=sys.stderr)
        else:
            show(f"quicchat: new server {address}: trusting its key {fingerprint} from now on "
                 f"({path})", to=sys.stderr)
        return attempt


def default_tls() -> TLS:
    """What is used if nobody says otherwise."""
    return TLS.trust_on_first_use()


def _user_agrees(address: str, fingerprint: str) -> bool:
    """Asks on the terminal. False without one."""
    try:
        terminal = open("/dev/tty", "r+b", buffering=0)  # noqa: SIM115
    except OSError:
        return False
    if sys.stdin is None or not sys.stdin.isatty():
        terminal.close()
        return False
    with terminal:
        terminal.write(clean_lines([
            f"The server {address} is new. Its key is", f"  {fingerprint}",
            "Is that what the server printed when it started? Type yes to trust it: "]).encode())
        answer = b""
        while not answer.endswith(b"\n"):
            piece = terminal.read(256)
            if not piece:
                break
            answer += piece
        return answer.strip().lower() == b"yes"
