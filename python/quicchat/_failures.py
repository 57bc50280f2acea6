"""From the core's short reports to errors that people can act on."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

from . import _core
from .error_codes import REQUEST_HINTS, code_of_request
from .errors import (
    AuthError,
    BindError,
    CertificateError,
    Closed,
    ConfigError,
    ConnectError,
    HandshakeTimeout,
    Kicked,
    ProtocolVersionError,
    QuicChatError,
    RateLimited,
    RequestError,
    ServerFull,
    ServerShutdown,
    SlowConsumer,
    StorageError,
    Unreachable,
)
from .events import Disconnected
from .trust import PINNED

_TEXTS = {name: text for _, name, _, text in _core.error_table()}

_PIN_HINT = (
    "compare the fingerprint with the one that the server printed; if it is the same, use "
    "--pin {0} (in Python: tls=quicchat.TLS.pin({0!r}))"
)

@dataclass(frozen=True, slots=True)
class Peer:
    """Whom we tried to reach, for the texts."""

    host: str
    port: int
    addresses: tuple[str, ...]  # numeric
    user: str
    known_keys: tuple[str, ...] = ()
    known_from: str = ""  # the file or option that the known keys came from
    timeout: float = 10.0


def text_of(name: str) -> str:
    """One clause about an error of the protocol."""
    return _TEXTS.get(name, name)


def _where(peer: Peer) -> str:
    named = peer.addresses != (peer.host,)
    host = f"{peer.host} ({', '.join(peer.addresses)})" if named else peer.host
    return f"{host} UDP port {peer.port}"


def connect_error(end: Disconnected, peer: Peer) -> QuicChatError:
    """Why there is no connection, or no login on it."""
    detail = {"error": end.error, "transport_code": end.transport_code, "text": end.text,
              "datagrams_received": end.datagrams_received}
    trust = _trust_error(end, peer)
    if trust is not None:
        trust.detail.update(detail)
        return trust
    where = _where(peer)
    match end.error:
        case "token_refused":
            return AuthError(
                f"the server does not take the stored login of '{peer.user}' any more",
                reason="it is too old, was revoked, or the password was changed",
                hint="log in with the password", detail=detail)
        case "ticket_refused":
            return AuthError(
                f"the server does not take the ticket of '{peer.user}'", code="E-TICKET",
                reason="it was used, is over, or was made for another server or page",
                hint="ask the web site for another one", detail=detail)
        case "login_failed":
            return AuthError(
                f"login refused for '{peer.user}': wrong user name or password",
                hint="check both; case counts in the password. The server's administrator sees "
                     "refused logins in its log",
                detail=detail)
        case "server_not_verified":
            return AuthError(
                f"the server at {where} did not prove that it knows the account",
                code="E-SERVER-PROOF",
                reason="it may be another server that poses as yours, or the password is wrong",
                hint="do not enter the password again before you know which server answers",
                detail=detail)
        case "version_mismatch":
            return ProtocolVersionError(
                f"the server at {where} does not speak a version of quicchat that we know",
                reason=f"this client speaks quicchat/1 (release {_core.version})", detail=detail)
        case "unreachable" if end.text and end.text != text_of(end.error):
            return Unreachable(f"there is no way to {where}", reason=end.text.lower(),
                               hint="check the network", detail=detail)
        case "unreachable":
            return Unreachable(
                f"nothing is listening on {where}",
                hint="start the server, or check the address and port", detail=detail)
        case "handshake_timeout" if end.datagrams_received:
            return HandshakeTimeout(
                f"something answers on {where}, but it is not a quicchat server",
                reason=f"{end.datagrams_received} datagrams came back and none of them completed "
                       "a QUIC handshake",
                hint="check the port; if it is right, a firewall may cut large datagrams, or "
                     "too many strangers come to the server at once",
                detail=detail)
        case "handshake_timeout":
            return HandshakeTimeout(
                f"no answer from {where} after {peer.timeout:g} s",
                reason="the server is down, the port is wrong, or UDP is blocked by a firewall or "
                       "VPN (that TCP works is not enough)",
                hint="check the address and port, and let UDP pass", detail=detail)
        case "login_timeout":
            return HandshakeTimeout(f"the login at {where} took too long", detail=detail,
                                    hint="try again; the server or this computer is busy")
        case "server_full":
            return ServerFull(f"the server at {where} is full", detail=detail)
        case "too_many_connections":
            return ServerFull(
                f"{peer.user} has too many connections at {where}", detail=detail,
                hint="close a program that uses this account, or ask who runs the server to raise "
                     "connections_per_account_max")
        case "too_many_attempts":
            return ServerFull(
                f"too many logins of {peer.user} have failed at {where}", detail=detail,
                reason="somebody in this network tried wrong passwords",
                hint="wait a minute; a device that logged in before gets in by its token")
    return closed_error(end, peer)


def _trust_error(end: Disconnected, peer: Peer) -> CertificateError | None:
    """The server's certificate was refused: before anything about the user was sent."""
    shown = end.fingerprint
    where = f"{peer.host}:{peer.port}"
    match end.error:
        case "server_key_changed" if peer.known_from == PINNED:
            return CertificateError(
                f"{where} has another key than the pinned one: {shown or 'unknown'}",
                code="E-KEY-CHANGED", fingerprint=shown,
                reason=f"the pin is {', '.join(peer.known_keys)}",
                hint="ask the server's administrator which fingerprint is right")
        case "server_key_changed" if peer.known_keys:
            return CertificateError(
                f"THE KEY OF {where} HAS CHANGED: it is now {shown or 'unknown'}",
                code="E-KEY-CHANGED", fingerprint=shown,
                reason=f"{peer.known_from} says {', '.join(peer.known_keys)}. Either the server "
                       "was given a new key, or somebody sits between you and it",
                hint="ask the server's administrator; if the change is real, remove the line of "
                     f"{where} from {peer.known_from}")
        case "server_key_changed" | "certificate_untrusted":
            return CertificateError(
                f"the certificate of {where} is not trusted ({shown or 'no fingerprint'})",
                code="E-CERT-UNTRUSTED", fingerprint=shown,
                reason="nobody that this computer trusts has signed it, and its key is not known",
                hint=_PIN_HINT.format(shown) if shown else "")
        case "certificate_expired":
            return CertificateError(
                f"the certificate of {where} is not valid at this time",
                code="E-CERT-EXPIRED", fingerprint=shown, reason=end.text,
                hint="check this computer's clock; else the server needs a new certificate")
        case "certificate_name":
            return CertificateError(
                f"the certificate of {where} is for another name",
                code="E-CERT-NAME", fingerprint=shown,
                hint="use the name that is in the certificate, or "
                     + _PIN_HINT.format(shown))
    return None


def closed_error(end: Disconnected, peer: Peer) -> QuicChatError:
    """Why a connection that was in use ended."""
    if end.error.startswith("storage_") and end.text.startswith("database "):
        return storage_error(end.text, end.error)  # the state file of this client
    detail = {"error": end.error, "transport_code": end.transport_code, "text": end.text}
    extra = end.text if end.text and end.text != text_of(end.error) else ""
    match end.error:
        case "server_shutdown":
            return ServerShutdown("the server is shutting down", by_peer=True, detail=detail,
                                  hint="connect again in a moment")
        case "slow_consumer":
            return SlowConsumer("the server ended the connection: we read too slowly",
                                by_peer=True, detail=detail)
        case "kicked":
            return Kicked("the server's people ended the connection", by_peer=True, reason=extra,
                          detail=detail)
        case "idle_timeout":
            return Closed(f"the connection to {_where(peer)} is lost: no answer any more",
                          hint="check the network, then connect again", detail=detail)
        case "server_full":
            return ServerFull("the server is full", detail=detail)
        case "closed" if end.by_peer:
            return Closed("the server closed the connection", by_peer=True, reason=extra,
                          detail=detail)
        case "closed":
            return Closed("the connection is closed", detail=detail)
        case "transport_failed" if extra:
            return Closed(f"the connection to {_where(peer)} ended: {extra}", by_peer=end.by_peer,
                          detail=detail)
        case "unreachable":
            return Closed(f"the server at {_where(peer)} is gone",
                          reason="its port does not answer any more",
                          hint="start it again, then connect again", detail=detail)
    return Closed(f"the connection to {_where(peer)} ended: {text_of(end.error)}",
                  by_peer=end.by_peer, reason=extra, detail=detail)


def request_error(name: str, retry_after: float, text: str, subject: str) -> QuicChatError:
    """A request was refused. ``subject`` says what it was about: a room or a user."""
    extra = text if text and text != text_of(name) else ""
    if name == "rate_limited":
        return RateLimited("too many requests", name=name, retry_after=retry_after,
                           hint=f"try again in {retry_after:.1f} s", reason=extra)
    what = f"{subject}: {text_of(name)}" if subject else text_of(name)
    if name == "not_ready":
        return RequestError("there is no connection just now", name=name, code="E-NOT-READY",
                            hint="ask again when the connection is back (event Online)")
    return RequestError(what, name=name, code=code_of_request(name), reason=extra,
                        hint=REQUEST_HINTS.get(name, ""))


def storage_error(text: str, name: str = "storage_failed") -> StorageError:
    """The database cannot be used. The core says it in one sentence: "database 'x': what is wrong;
    what to do (what SQLite says)"."""
    found = re.fullmatch(r"((?:database|files) '.*': [^;]*); (.*?)(?: \((.*)\))?", text, re.DOTALL)
    what, hint, note = found.groups() if found else (text, "", "")
    return StorageError(what, hint=hint, reason=note or "", detail={"name": name})


def core_error(error: _core.CoreError, what: str) -> QuicChatError:
    """A failure of the core in a call that was not about a connection."""
    category, value, name, text = error.args
    detail = {"category": category, "value": value, "name": name}
    if category == "quicchat" and name == "queue_full":
        return RequestError(f"{what}: too much is waiting to be sent", name=name,
                            code="E-QUEUE-FULL", hint="wait for answers before sending more")
    if category == "quicchat":
        return RequestError(f"{what}: {text}", name=name, detail=detail,
                            code=code_of_request(name))
    if category == "certificate":
        return CertificateError(f"{what}: {text}", code="E-CERT-INVALID", detail=detail)
    return ConnectError(f"{what}: {text.lower()}", detail=detail)


def bind_error(error: _core.CoreError, host: str, port: int) -> QuicChatError:
    """A server cannot use its address."""
    category, value, _, text = error.args
    if category == "certificate":
        return core_error(error, "cannot start")
    where = f"UDP port {port} on {host}"
    if category == "quicchat":
        return ConfigError(f"cannot start: {text}")
    if value == errno.EADDRINUSE:
        return BindError(
            f"{where} is already in use", code="E-PORT-IN-USE",
            reason="another program has it, perhaps another server of yours",
            hint=f"stop that program, or choose another port (0: any free one), e.g. {port + 1}")
    if value == errno.EACCES:
        return BindError(f"{where} may not be used by this user",
                         hint="choose a port above 1023")
    if value == errno.EADDRNOTAVAIL:
        return BindError(f"this computer does not have the address {host}",
                         hint='use 0.0.0.0 for all of its addresses, or 127.0.0.1 for tests')
    return BindError(f"cannot listen on {where}: {text.lower()}")
