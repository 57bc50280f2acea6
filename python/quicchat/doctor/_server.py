"""Who answers: the protocol, the certificate, and whether it is to be trusted."""

from __future__ import annotations

from datetime import UTC, datetime

from .._dialling import ALPN
from ..errors import CertificateError, HandshakeTimeout, ProtocolVersionError
from ..trust import TLS, is_loopback
from ._case import OK, WARNING, Case, Found, found
from ._words import milliseconds

_WARN_DAYS = 14


def check_alpn(case: Case) -> Found:
    case.after(not case.failed, "udp")
    if not case.facts.get("connected"):
        case.connection, case.facts = case.connect("anyone")
    facts = case.facts
    if facts["connected"]:
        return found(OK, f"the server speaks {ALPN}; a handshake took "
                         f"{milliseconds(facts['handshake_time'])}",
                     detail={"alpn": ALPN, "handshake_seconds": facts["handshake_time"]})
    if facts["error"] == "version_mismatch":
        kind = ("it is a web server (HTTP/3)" if case.connect("anyone", alpn="h3")[1]
                ["connected"] else "it is a server of something else, or of another release")
        raise ProtocolVersionError(
            f"a QUIC server answers, but it does not speak {ALPN}", reason=kind,
            hint="check host and port; if it is yours, update the older side: "
                 "pip install --upgrade quicchat")
    if facts["error"] == "handshake_timeout":
        raise HandshakeTimeout(
            f"the handshake was not completed within {case.request.timeout:g} s",
            reason="short answers get through, so longer datagrams from the server may be "
                   "lost on the way, or too many strangers come to it at once",
            hint="try again in a minute; if it stays, look for a firewall or tunnel that "
                 "drops long or fragmented datagrams")
    raise case.error(facts)


def check_certificate(case: Case) -> Found:
    case.after(case.facts.get("connected"), "alpn")
    key = case.facts["fingerprint"]
    shown = case.facts["certificate"]
    if shown is None:
        return found(WARNING, f"it cannot be read; its key is {key}",
                     detail={"fingerprint": key})
    begin, end = (datetime.fromtimestamp(shown[name] / 1000, UTC) for name in ("begin", "end"))
    days = (end - datetime.now(UTC)).days
    signer = "signed by itself" if shown["self_signed"] else f"signed by {shown['issuer']}"
    text = (f"for {', '.join(shown['names']) or shown['subject'] or 'no name'}; {signer}; good "
            f"until {end:%Y-%m-%d}; key {key}")
    detail = {"fingerprint": key, **shown, "begin": begin.isoformat(), "end": end.isoformat()}
    renew = ("renew it at the server and send that a SIGHUP (for a self-signed one: remove "
             "both files and run 'quicchat cert')")
    if datetime.now(UTC) < begin:
        return found(WARNING, text, detail=detail, fix="look at the step 'clock'",
                     why=f"it is not good before {begin:%Y-%m-%d %H:%M} UTC")
    if days < 0:
        return found(WARNING, text, detail=detail,
                     why=f"it was good until {end:%Y-%m-%d %H:%M} UTC",
                     fix=f"{renew}; if that date has not come, look at this computer's clock")
    if days < _WARN_DAYS:
        return found(WARNING, text, detail=detail, why=f"it expires in {days} days", fix=renew)
    return found(OK, text, detail=detail)


def check_trust(case: Case) -> Found:
    case.after(case.facts.get("connected"), "alpn")
    tls, key = case.request.tls, case.facts["fingerprint"]
    attempt = tls._attempt(case.host, case.port)
    if attempt.mode in ("system", "authorities"):
        facts = case.connect(attempt.mode, pem=attempt.pem)[1]
        if not facts["connected"]:
            raise case.error(facts)
        whose = ("an authority of this computer" if attempt.mode == "system"
                 else "the file of --cafile")
        case.trusted = tls
        return found(OK, f"{whose} vouches for it", detail={"by": attempt.mode})
    if attempt.mode == "anyone":
        case.trusted = tls
        return found(WARNING, "nobody was asked (--insecure)", detail={"by": "nobody"},
                     why="whoever sits between reads and changes everything",
                     fix=f"use --pin {key}, if the server printed that fingerprint")
    if key in attempt.keys:
        case.trusted = TLS.pin(key)
        return found(OK, f"its key is known ({attempt.known_from})",
                     detail={"by": attempt.known_from})
    if attempt.keys:
        raise case.error({**case.facts, "error": "server_key_changed"}, attempt.keys,
                         attempt.known_from)
    return _new_server(case, key, attempt.known_from)


def _new_server(case: Case, key: str, path: str) -> Found:
    """Nobody knows the key yet."""
    if is_loopback(case.host):
        case.trusted = TLS.pin(key)
        return found(OK, "it is this computer, so its key is trusted at the first visit",
                     detail={"by": "loopback"})
    try:
        vouched = bool(case.connect("system")[1]["connected"])
    except CertificateError:
        vouched = False  # this computer has no authorities
    if vouched:
        raise CertificateError(
            "an authority of this computer vouches for it, but that was not asked for",
            fingerprint=key, reason=f"without an option only keys in {path} are trusted",
            hint="use --system-ca (in Python: tls=quicchat.TLS.system())")
    raise CertificateError(
        f"the key of {case.host}:{case.port} is not known here", fingerprint=key,
        reason=f"no authority vouches for it, and it is not in {path}",
        hint=f"compare {key} with what the server printed when it started; if it is the same, "
             f"say yes when 'quicchat chat' asks, or use --pin {key}")
