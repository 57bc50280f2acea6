"""The certificate and key of a server: found, checked, or made."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import _core
from .errors import CertificateError

__all__ = ["CertificatePair", "load_pair", "make_pair"]

DEFAULT_DAYS = 397
_WARN_DAYS = 14
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
    "expired": "renew it, or remove both files and let 'quicchat serve' make a new pair",
    "not_yet_valid": "check the clock of this computer, or make a new pair: quicchat cert",
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
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"CertificatePair({self.fingerprint})"


def load_pair(certfile: Path, keyfile: Path, host: str, where: str = "", *,
              doing: str = "start") -> CertificatePair:
    """Reads a pair and checks it; makes one for ``host`` if both files are absent, but not when
    ``doing`` is "reload". ``where`` says where the paths come from. Raises CertificateError:
    ``E-CERT-MISSING``, ``E-KEY-PERM``, ``E-CERT-INVALID``, ``E-CERT-MISMATCH``,
    ``E-CERT-SELF-EXPIRED``."""
    if doing == "start" and not certfile.exists() and not keyfile.exists():
        return make_pair(certfile, keyfile, [host])
    from_ = f" (from {where})" if where else ""
    for path, other, kind, key in ((certfile, keyfile, "certificate", "certfile"),
                                   (keyfile, certfile, "private key", "keyfile")):
        if not path.exists():
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
    try:
        _core.check_pair(certificate_pem, key_pem)
    except _core.CoreError as error:
        name, text = error.args[2], error.args[3]
        raise CertificateError(
            f"cannot {doing}: {text} ({certfile}, {keyfile})", hint=_FIXES.get(name, ""),
            code=_CODES.get(name, "E-CERT-INVALID"), detail={"name": name}) from None
    return CertificatePair(certificate_pem, key_pem, _core.fingerprint(certificate_pem),
                           warnings=tuple(_warnings(certificate_pem, certfile, keyfile)))


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


def _write_new(path: Path, text: str, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(text)
    except OSError as error:
        raise CertificateError(
            f"cannot write {path}: {(error.strerror or str(error)).lower()}", code="E-KEY-PERM",
            hint="choose another folder, or remove the file that is there") from error


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


def _warnings(certificate_pem: str, certfile: Path, keyfile: Path) -> list[str]:
    found = []
    mode = stat.S_IMODE(keyfile.stat().st_mode)
    if mode & 0o077:
        readers = "everyone" if mode & 0o007 else "its group"
        found.append(f"{keyfile} is readable by {readers} (mode {mode:04o}); "
                     f"chmod 600 {keyfile}")
    end = datetime.fromtimestamp(_core.validity(certificate_pem)[1] / 1000, UTC)
    days = (end - datetime.now(UTC)).days
    if days < _WARN_DAYS:
        found.append(f"{certfile} expires in {days} days, on {end:%Y-%m-%d}")
    return found
