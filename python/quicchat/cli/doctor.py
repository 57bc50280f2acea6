"""``quicchat doctor``: why it does not connect."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict

from .. import _core, doctor
from .._dialling import ascii_host, joined
from ..doctor import FAILED, OK, SKIPPED, WARNING, Request, Step
from ..errors import AuthError, ConfigError, exit_status_of
from ..terminal import clean_line, paint, show
from ..trust import default_tls
from ._kept import DEFAULT_PORT
from ._lines import LineReader, ask_password
from ._trust import add_trust_arguments, chosen_tls

NAME = "doctor"
HELP = "Find out why a server cannot be reached, and what to do about it."
EXAMPLES = """examples:
  quicchat doctor chat.example.org                    UDP port 12345
  quicchat doctor chat.example.org:4433 --user ada    with a login; asks for the password
  quicchat doctor '[2001:db8::1]:4433' --pin sha256:3f9a...
  echo "a secret" | quicchat doctor 127.0.0.1 --user ada --json

The steps, in the order in which they happen when a client connects:
  name         the name has addresses
  udp          something answers there by QUIC, which is UDP: that TCP works is not enough
  path_mtu     how long datagrams may be: QUIC needs 1200 bytes
  versions     client and server have a version of QUIC in common
  alpn         it is a quicchat server, and no other
  certificate  for which names it is, who signed it, until when it is good
  trust        an authority vouches for it, or its key is known; say how by the options that
               'quicchat chat' has, without one the keys in known_servers count
  login        with --user: name and password are right; nothing about you is sent to a server
               that is not trusted
  clock        this computer's time, as far as the certificate and messages tell
  round_trip   how long an answer takes, and whether packets are lost

Each says ok, warning, failed with "why" and "fix", or skipped. Nothing is changed: no key is
learnt and no room entered. No step waits for much longer than --timeout, but for the login, which
may take some seconds more.

Status: 0 all is well; 1 there are warnings only; else that of the first step that failed, as of
'quicchat chat': 69 not reached, 76 no quicchat server or another version, 77 not trusted or login
refused."""

_COLOURS = {OK: "green", WARNING: "yellow", FAILED: "red", SKIPPED: "dim"}
_WIDTH = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("server", metavar="HOST[:PORT]",
                        help=f"the server's name or address (port: {DEFAULT_PORT})")
    parser.add_argument("--user", metavar="NAME",
                        help="try to log in; the password is asked for, or the first line of input")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS",
                        help="how long each step may wait for others (default: 5)")
    parser.add_argument("--json", action="store_true",
                        help="for programs: one object with all steps and their details")
    add_trust_arguments(parser)


def run(options: argparse.Namespace) -> int:
    request = _request(options)
    steps: list[Step] = []
    if not options.json:
        show(paint(f"quicchat doctor {joined(request.host, request.port)}", "bold", sys.stdout))
    for step in doctor.examine(request):
        steps.append(step)
        if not options.json:
            _show(step)
    if options.json:
        show(json.dumps({"quicchat": _core.version, "host": request.host, "port": request.port,
                         "ok": _is_well(steps), "steps": [asdict(step) for step in steps]}))
    else:
        _sum_up(steps)
    return _status(steps)


def _request(options: argparse.Namespace) -> Request:
    host, port = _place(options.server)
    if not 0.1 <= options.timeout <= 600:
        raise ConfigError(f"not a time: {options.timeout}", code="E-USAGE",
                          hint="give seconds from 0.1 to 600")
    password = None
    if options.user is not None:
        password = ask_password(LineReader(), "Enter Password: ") if not options.json else (
            _first_line())
        if not password:
            raise AuthError("the input ended before the password was given", code="E-USAGE",
                            hint="give it as the first line of the input")
    return Request(host, port, chosen_tls(options) or default_tls(), options.user, password,
                   options.timeout)


def _first_line() -> str | None:
    """Without a prompt on standard output, where the JSON goes."""
    reader = LineReader()
    if reader.is_terminal:
        show("Password: ", to=sys.stderr, end="")
    line = reader.readline()
    return None if line is None else line.decode(errors="surrogateescape")


def _place(text: str) -> tuple[str, int]:
    """``chat.example.org``, ``chat.example.org:4433``, ``[::1]:4433`` or ``::1``."""
    found = (re.fullmatch(r"(\[(?P<six>[^][\s]+)\]|(?P<host>[^][:\s]+))(:(?P<port>\d{1,5}))?", text)
             or re.fullmatch(r"(?P<six>[^][:\s]*:[^][\s]*:[^][\s]*)", text))
    fields = found.groupdict() if found else {}
    host = fields.get("six") or fields.get("host") or ""
    port = int(fields.get("port") or DEFAULT_PORT)
    if not host or not 1 <= port <= 65535:
        raise ConfigError(f"not a host and port: {text!r}", code="E-USAGE",
                          hint="write chat.example.org:12345, 192.0.2.1:12345 or [::1]:12345")
    return ascii_host(host), port


def _show(step: Step) -> None:
    mark = paint(f"{step.status:8}", _COLOURS[step.status], sys.stdout)
    text = paint(step.text, "dim", sys.stdout) if step.status == SKIPPED else clean_line(step.text)
    code = f" [{step.code}]" if step.code else ""
    show(mark + f"{step.name:{_WIDTH}} " + text + code)
    if step.why:
        show(f"{'':8} why: {step.why}")
    if step.fix:
        show(f"{'':8} fix: {step.fix}")


def _is_well(steps: Sequence[Step]) -> bool:
    return all(step.status in (OK, SKIPPED) for step in steps)


def _sum_up(steps: Sequence[Step]) -> None:
    failed = [step.name for step in steps if step.status == FAILED]
    warnings = [step.name for step in steps if step.status == WARNING]
    if failed:
        show(paint(f"failed: {', '.join(failed)}", "red", sys.stdout))
    elif warnings:
        show(paint(f"it works; look at: {', '.join(warnings)}", "yellow", sys.stdout))
    else:
        show(paint("all is well", "green", sys.stdout))


def _status(steps: Sequence[Step]) -> int:
    for step in steps:
        if step.status == FAILED:
            return exit_status_of(step.code)
    return 0 if _is_well(steps) else 1
