"""The certificate and key of a server: found, checked, or made."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import _core
from ._modes import exposed
from .errors import CertificateError

__all__ = ["CertificatePair", "announce_next", "load_pair", "load_web_pair", "make_pair",
           "make_short_lived", "renew_pair"]

DEFAULT_DAYS = 397
_WARN_DAYS = 14
RENEW_DAYS = 30  # a server renews what it made itself when it has fewer left
#: Of a certificate that web pages pin: browsers take at most 14 (W3C WebTransport, "custom
#: certificate requirements"), and ours begin an hour ago.
PINNED_DAYS = 13
_FIXES = {
    "not_a_certificate": "give the PEM file that begins with -----BEGIN CERTIFICATE-----",
    "certificate_is_key": 'exchange "certfile" and "keyfile"',
    "not_a_key": "give an RSA (2048 bits or more), ECDSA or Ed25519 key in PEM form",
    "key_is_certificate": 'exchange "certfile" and "keyfile"',
    "key_encrypted": "write one without: openssl pkey -in server.key -out server-plain.key",
    "mismatch": "use the key that the certificate was made with, or make a new pair: "
                "quicchat cert",
    "key_unusable": "use an RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519 key: "
                    "quicchat cert makes one",
    "expired": "quicchat cert --renew makes another one for the same key, which alarms no client; "
               "one that an authority has signed is renewed there",
    "not_yet_valid": "check the clock of this computer; quicchat cert --renew makes another one "
                     "for the same key",
    "not_self_signed": "have that authority renew it",
}
_CODES = {"mismatch": "E-CERT-MISMATCH", "expired": "E-CERT-SELF-EXPIRED",
          "not_yet_valid": "E-CERT-SELF-EXPIRED"}


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate with its key, ready for use."""

    certificate_pem: str
    key_pem: str
    fingerprint: str
    made: bool = False  #: we made it just now
    renewed: bool = False  #: the certificate, for the same key
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"CertificatePair({self.fingerprint})"

    @property
    def begin(self) -> datetime:
        """From when on the certificate is good."""
        return datetime.fromtimestamp(_core.validity(self.certificate_pem)[0] / 1000, UTC)

    @property
    def end(self) -> datetime:
        """How long the certificate is good."""
        return datetime.fromtimestamp(_core.validity(self.certificate_pem)[1] / 1000, UTC)

    @property
    def life(self) -> timedelta:
        """For how long it is good altogether."""
        begin, end = _core.validity(self.certificate_pem)
        return timedelta(milliseconds=end - begin)

    @property
    def can_be_pinned(self) -> bool:
        """True if browsers take it from a page that pins it: with a key of P-256, and good for 14
        days at most (W3C WebTransport, "custom certificate requirements")."""
        return _core.can_be_pinned(self.certificate_pem)

    @property
    def is_self_signed(self) -> bool:
        """True if no authority has signed it: browsers take it from no page that does not pin
        it."""
        return _core.is_self_signed(self.certificate_pem)

    @property
    def is_self_made(self) -> bool:
        """True if we made it, as far as one can see."""
        return _core.is_self_made(self.certificate_pem, self.key_pem)

    @property
    def is_for_pages(self) -> bool:
        """True if we made it for pages to pin."""
        return self.life.days == PINNED_DAYS and self.is_self_made

    @property
    def wants_renewal(self) -> bool:
        """True if we made it, and it is good for a month or less; for pages, for half its life."""
        left = self.end - datetime.now(UTC)
        if self.is_for_pages:
            return left < self.life / 2
        return left < timedelta(days=RENEW_DAYS) and self.is_self_made


def load_pair(certfile: Path, keyfile: Path, host: str, where: str = "", *,
              doing: str = "start") -> CertificatePair:
    """Reads a pair and checks it; makes one for ``host`` if both files are absent, but not when
    ``doing`` is "reload". One that was made like this is renewed with the same key before its time
    is over. ``where`` says where the paths come from. Raises CertificateError: ``E-CERT-MISSING``,
    ``E-KEY-PERM``, ``E-CERT-INVALID``, ``E-CERT-MISMATCH``,
    ``E-CERT-SELF-EXPIRED``."""
    if doing == "start" and not os.path.exists(certfile) and not os.path.exists(keyfile):
        return make_pair(certfile, keyfile, [host])
    from_ = f" (from {where})" if where else ""
    for path, other, kind, key in ((certfile, keyfile, "certificate", "certfile"),
                                   (keyfile, certfile, "private key", "keyfile")):
        if not os.path.exists(path):
            what = f"cannot {doing}: {kind} file not found: {path}{from_}"
            if doing != "start":
                raise CertificateError(what, code="E-CERT-MISSING", hint=f'correct "{key}", or put '
                                       "the file where it is expected")
            raise CertificateError(
                what, code="E-CERT-MISSING",
                reason=f"{other.name} is there, so a new pair is not made over it",
                hint=f'correct "{key}", or remove {other} to have a new pair made')
    certificate_pem = _read(certfile, "certificate", doing)
    key_pem = _read(keyfile, "private key", doing)
    problem: CertificateError | None = None
    try:
        _core.check_pair(certificate_pem, key_pem)
    except _core.CoreError as error:
        problem = _pair_error(error, doing, certfile, keyfile)
        if error.args[2] != "expired":
            raise problem from None
    pair = CertificatePair(certificate_pem, key_pem, _core.fingerprint(certificate_pem))
    unwritten = ""
    if pair.wants_renewal:
        try:
            if pair.is_for_pages:
                pair = _renew_for_pages(pair, certfile, keyfile, doing)
            else:
                pair = renew_pair(certfile, keyfile, days=DEFAULT_DAYS, doing=doing)
        except CertificateError as error:
            unwritten = f"{certfile} should be renewed: {error}"
    if problem is not None and not pair.renewed:
        raise problem
    warnings = _warnings(pair, certfile, keyfile)
    return replace(pair, warnings=(*([unwritten] if unwritten else ()), *warnings))


def make_short_lived(certfile: Path, keyfile: Path, host: str) -> None:
    """Sees to it that pages can pin the certificate, if it is one of ours: makes a pair of 13 days,
    or in the place of a longer certificate another one for the same key, which alarms no client.
    For those of others see :func:`load_web_pair`. Raises CertificateError."""
    if not os.path.exists(certfile) and not os.path.exists(keyfile):
        make_pair(certfile, keyfile, [host], PINNED_DAYS)
        return
    pair = load_pair(certfile, keyfile, host)
    if pair.is_self_made and not pair.can_be_pinned:
        renew_pair(certfile, keyfile, days=PINNED_DAYS, doing="start")


def load_web_pair(pair: CertificatePair, certfile: Path, keyfile: Path, host: str, *,
                  doing: str = "start") -> tuple[CertificatePair, Path] | None:
    """What browsers are shown instead of a ``pair`` that they take from no page: one that lies
    beside it, is made where it is absent, and is renewed with the same key; and the file of its
    certificate. None where browsers are shown ``pair`` itself: an authority has signed it, or
    pages can pin it. Raises CertificateError."""
    if not pair.is_self_signed or pair.can_be_pinned:
        return None
    # Two files, though both of the server's may be in one.
    certfile = certfile.with_name(f"{certfile.stem}.web.crt")
    keyfile = keyfile.with_name(f"{keyfile.stem}.web.key")
    if os.path.exists(certfile) or os.path.exists(keyfile):
        return load_pair(certfile, keyfile, host, doing=doing), certfile
    return make_pair(certfile, keyfile, [host], PINNED_DAYS), certfile


def announce_next(pair: CertificatePair, certfile: Path) -> str | None:
    """The certificate that follows one of ours for pages, in PEM form, so that pages can pin both:
    it is made ahead, beside the present one, and good when that is renewed. None if ``pair`` is
    not of that kind. Raises CertificateError."""
    if not pair.is_for_pages:
        return None
    path = _next_path(certfile)
    found = _read_next(pair, path)
    if found is not None and found.end > pair.end:
        return found.certificate_pem
    delay = pair.end - pair.life / 2 - datetime.now(UTC)
    try:
        made = _core.renew_self_signed(pair.certificate_pem, pair.key_pem, ["localhost"],
                                       PINNED_DAYS, max(0, int(delay.total_seconds())))
    except _core.CoreError as error:
        raise _pair_error(error, "make the next certificate", certfile, path) from None
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritten(path, error, "run this as the owner of the folder") from error
    _write_new(path, made, 0o644)
    return str(made)


def _next_path(certfile: Path) -> Path:
    target = certfile.resolve()
    return target.with_name(target.name + ".next")


def _read_next(pair: CertificatePair, path: Path) -> CertificatePair | None:
    """What was announced as the next certificate of a pair; None: nothing that can be one."""
    try:
        text = path.read_text("ascii")
        found = replace(pair, certificate_pem=text, fingerprint=_core.fingerprint(text))
        fits = found.fingerprint == pair.fingerprint and found.is_for_pages
    except (OSError, ValueError, _core.CoreError):
        return None
    return found if fits else None


def _renew_for_pages(pair: CertificatePair, certfile: Path, keyfile: Path,
                     doing: str) -> CertificatePair:
    """Takes the certificate that was announced, or where none is good now, makes another one."""
    path = _next_path(certfile)
    found = _read_next(pair, path)
    if found is not None and found.begin <= datetime.now(UTC) and not found.wants_renewal:
        _write_over(certfile, found.certificate_pem)
        with contextlib.suppress(OSError):
            path.unlink()
        return replace(found, renewed=True)
    return renew_pair(certfile, keyfile, days=PINNED_DAYS, doing=doing)


def _pair_error(error: _core.CoreError, doing: str, certfile: Path,
                keyfile: Path) -> CertificateError:
    name, text = error.args[2], error.args[3]
    return CertificateError(
        f"cannot {doing}: {text} ({certfile}, {keyfile})", hint=_FIXES.get(name, ""),
        code=_CODES.get(name, "E-CERT-INVALID"), detail={"name": name})


def renew_pair(certfile: Path, keyfile: Path, names: list[str] | None = None,
               days: int = DEFAULT_DAYS, *, doing: str = "renew") -> CertificatePair:
    """Makes another certificate for the same key and the same names, in the place of a self-signed
    one: nobody who knows the key is alarmed. ``names`` count where it has none. The old one is
    there until the new one is whole. Raises CertificateError."""
    for path, kind in ((certfile, "certificate"), (keyfile, "private key")):
        if not os.path.exists(path):
            raise CertificateError(f"cannot {doing}: {kind} file not found: {path}",
                                   code="E-CERT-MISSING",
                                   hint="say where it is by --out or --config; without --renew a "
                                        "new pair is made")
    old = _read(certfile, "certificate", doing)
    key_pem = _read(keyfile, "private key", doing)
    try:
        renewed = _core.renew_self_signed(old, key_pem, names or ["localhost"], days)
    except _core.CoreError as error:
        raised = _pair_error(error, doing, certfile, keyfile)
        if error.args[2] == "key_unusable":
            raised.hint = (f"only P-256 keys can be used; for this one: openssl x509 -in "
                           f"{certfile} -signkey {keyfile} -days {days} -out renewed.crt")
        raise raised from None
    _write_over(certfile, renewed)
    return CertificatePair(renewed, key_pem, _core.fingerprint(renewed), renewed=True)


def make_pair(certfile: Path, keyfile: Path, names: list[str],
              days: int = DEFAULT_DAYS) -> CertificatePair:
    """Makes a self-signed certificate and its key, for ``names`` and this computer's own names.
    The key's mode is 0600. Files that exist are not touched: CertificateError."""
    wanted = [name.strip("[]") for name in names if name not in ("", "0.0.0.0", "::")]
    every_name = list(dict.fromkeys([*wanted, "localhost", "127.0.0.1", "::1"]))
    try:
        certificate_pem, key_pem = _core.make_self_signed(every_name, days)
    except _core.CoreError as error:
        raise CertificateError(f"cannot make a certificate for {', '.join(wanted)}: "
                               f"{error.args[3]}", code="E-CERT-INVALID") from None
    _write_new(keyfile, key_pem, 0o600)
    try:
        _write_new(certfile, certificate_pem, 0o644)
    except CertificateError:
        keyfile.unlink()
        raise
    return CertificatePair(certificate_pem, key_pem, _core.fingerprint(certificate_pem), made=True)


def _unwritten(path: Path, error: OSError, hint: str) -> CertificateError:
    return CertificateError(f"cannot write {path}: {(error.strerror or str(error)).lower()}",
                            code="E-KEY-PERM", hint=hint)


def _write_new(path: Path, text: str, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(text)
    except OSError as error:
        raise _unwritten(path, error,
                         "choose another folder, or remove the file that is there") from error


def _write_over(path: Path, text: str) -> None:
    """In one step, with the mode that the file has."""
    target = path.resolve()  # a link stays one
    beside = target.with_name(target.name + ".new")
    try:
        beside.unlink(missing_ok=True)
        mode = stat.S_IMODE(target.stat().st_mode)
        _write_new(beside, text, mode)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _unwritten(path, error, "run this as the owner of the file") from error


def _read(path: Path, kind: str, doing: str) -> str:
    try:
        data = path.read_bytes()
        # Only ASCII counts in PEM, but comments may be in whatever encoding.
        return data.decode("ascii", "replace") if b"-----BEGIN" in data else data.decode()
    except UnicodeDecodeError:
        raise CertificateError(
            f"cannot {doing}: the {kind} {path} is not a text file", code="E-CERT-INVALID",
            reason="it may be in DER form",
            hint=f"convert it: openssl x509 -inform der -in {path.name} -out server.crt") from None
    except OSError as error:
        raise CertificateError(
            f"cannot read the {kind} {path}: {(error.strerror or str(error)).lower()}",
            code="E-KEY-PERM", reason=f"running as user number {os.getuid()}",
            hint="give the file to that user, or start the server as its owner") from error


def _warnings(pair: CertificatePair, certfile: Path, keyfile: Path) -> list[str]:
    problem = exposed(keyfile, is_secret=True)
    found = [] if problem is None else [problem]
    days = (pair.end - datetime.now(UTC)).days
    if days < _WARN_DAYS and not pair.is_for_pages:
        found.append(f"{certfile} expires in {days} days, on {pair.end:%Y-%m-%d}")
    return found
