"""Why a server cannot be reached, step by step, each with what is wrong and what to do.

::

    for step in quicchat.doctor.examine(quicchat.doctor.Request("chat.example.org", 12345)):
        print(step.status, step.name, step.text, step.fix)

Nothing is changed, here or there: no key is learnt, and no room entered. A login happens only if a
user is given, and only at a server that is trusted. Each step that waits has its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..errors import QuicChatError
from ._case import FAILED, OK, SKIPPED, WARNING, Case, Found, NotNow, Request, Step
from ._network import check_mtu, check_name, check_udp, check_versions
from ._server import check_alpn, check_certificate, check_trust
from ._usage import check_clock, check_login, check_round_trip

__all__ = ["FAILED", "OK", "SKIPPED", "WARNING", "Request", "Step", "examine"]

_CHECKS: dict[str, Callable[[Case], Found]] = {
    "name": check_name, "udp": check_udp, "path_mtu": check_mtu, "versions": check_versions,
    "alpn": check_alpn, "certificate": check_certificate, "trust": check_trust,
    "login": check_login, "clock": check_clock, "round_trip": check_round_trip,
}


def examine(request: Request) -> Iterator[Step]:
    """Each step, when it is done."""
    case = Case(request)
    try:
        for name, check in _CHECKS.items():
            yield _run(name, check, case)
    finally:
        case.end()


def _run(name: str, check: Callable[[Case], Found], case: Case) -> Step:
    fields: dict[str, Any]
    try:
        status, text, fields = check(case)
    except NotNow as reason:
        return Step(name, SKIPPED, str(reason))
    except QuicChatError as error:
        status, text = FAILED, str(error)
        fields = {"why": error.reason, "fix": error.hint, "code": error.code}
    if status == FAILED:
        case.failed = case.failed or name
    return Step(name, status, text, **fields)
