"""The options that say how a server is recognised."""

from __future__ import annotations

import argparse
import sys
import warnings

from ..config import user_path
from ..terminal import show
from ..trust import TLS


def add_trust_arguments(parser: argparse.ArgumentParser) -> None:
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--pin", action="append", metavar="sha256:...",
                       help="the fingerprint of the server's key; may be given several times")
    trust.add_argument("--cafile", type=user_path, metavar="FILE",
                       help="a PEM file with the authority that signed the server's certificate, "
                            "or with that certificate")
    trust.add_argument("--system-ca", action="store_true",
                       help="trust the authorities of the operating system, or those in "
                            "$SSL_CERT_FILE")
    trust.add_argument("--insecure", action="store_true",
                       help="do not check who the server is; for experiments only")


def chosen_tls(options: argparse.Namespace) -> TLS | None:
    """None: trust on first use."""
    if options.pin:
        return TLS.pin(*options.pin)
    if options.cafile:
        return TLS.ca(options.cafile)
    if options.system_ca:
        return TLS.system()
    if options.insecure:
        show("quicchat: --insecure: nobody checks who the server is; whoever sits between reads "
             "and changes everything", to=sys.stderr)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return TLS.insecure()
    return None
