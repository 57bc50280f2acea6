"""What it is like to be there: the login, the clocks, the round trip."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import sync
from .._conversation import Conversation
from .._dialling import Resolve, dial, make_target
from .._pump import Pump
from ..errors import AuthError, HandshakeTimeout, QuicChatError
from ..limits import Limits
from ..trust import TLS
from ._case import FAILED, OK, WARNING, Case, Found, NotNow, found
from ._words import duration, milliseconds

_SLOW = 1.0  # seconds of a round trip that people notice
_SKEW = timedelta(minutes=2)


def check_login(case: Case) -> Found:
    case.after(case.facts.get("connected"), "alpn")
    if case.request.user is None:
        raise NotNow("not tried: --user NAME says as whom")
    if case.trusted is None:
        raise NotNow("not tried: nothing about you is sent to a server that is not trusted")
    begin = time.monotonic()
    case.chat = _log_in(case, case.trusted)
    took = time.monotonic() - begin
    case.chat.timeout = case.request.timeout
    begin = time.monotonic()
    try:
        rooms = case.chat.rooms()
    except TimeoutError:
        return found(WARNING, f"{case.chat.user} is logged in, but a request has no answer",
                     why="the server is very busy, or the connection was lost",
                     fix="look at its log and its metrics")
    case.request_time = time.monotonic() - begin
    return found(OK, f"{case.chat.user} is logged in after {milliseconds(took)}; "
                     f"{len(rooms)} room(s)",
                 detail={"user": case.chat.user, "seconds": took, "rooms": len(rooms)})


def check_clock(case: Case) -> Found:
    now = datetime.now(UTC)
    said = f"this computer's clock says {now:%Y-%m-%d %H:%M:%S} UTC"
    detail: dict[str, Any] = {"now": now.isoformat(timespec="seconds")}
    fix = "set it: timedatectl set-ntp true, or by hand"
    shown = case.facts.get("certificate")
    if shown is not None and (early := _after_now(shown["begin"], now)) > timedelta():
        return found(FAILED, said, code="E-CLOCK", detail=detail, fix=fix,
                     why=f"the server's certificate begins {duration(early)} later, so the "
                         "clock is most likely behind by that much or more")
    if (ahead := _newest_message(case, now)) is not None:
        detail["newest_message_after_now"] = ahead.total_seconds()
        if ahead > _SKEW:
            return found(WARNING, said, detail=detail,
                         why=f"a message has a time {duration(ahead)} later: this clock is "
                             "behind, or the server's is ahead", fix=fix)
    if shown is not None and now > datetime.fromtimestamp(shown["end"] / 1000, UTC):
        return found(WARNING, said, detail=detail,
                     why="the server's certificate is over by then",
                     fix=f"if it is wrong, {fix}")
    return found(OK, f"{said}; nothing speaks against it", detail=detail)


def check_round_trip(case: Case) -> Found:
    times = [one for way in case.ways for one in way.times]
    sent = sum(way.sent for way in case.ways)
    detail: dict[str, Any] = {"sent": sent, "answered": len(times)}
    if not times and not case.facts.get("round_trip"):
        case.after(None, "udp")
    if not times:
        times, sent = [case.facts["round_trip"]], 1
    detail |= {"min": min(times), "mean": sum(times) / len(times), "max": max(times)}
    text = f"{milliseconds(min(times))} to {milliseconds(max(times))}"
    if case.request_time:
        text += f"; a request is answered after {milliseconds(case.request_time)}"
        detail["request_seconds"] = case.request_time
    if len(times) < sent:
        return found(WARNING, f"{text}; {sent - len(times)} of {sent} packets had no answer",
                     detail=detail, why="the network loses packets, or the server is flooded",
                     fix="run this again; if it stays, try a cable in the place of Wi-Fi")
    if min(times) > _SLOW:
        return found(WARNING, text, detail=detail, why="that is slow enough to be noticed",
                     fix="somebody else may be filling the line; try another network")
    return found(OK, text, detail=detail)


def _log_in(case: Case, tls: TLS) -> sync.Chat:
    request = case.request
    assert request.user is not None
    target = make_target(case.host, case.port, request.user, request.password, tls,
                         Limits(handshake_timeout=request.timeout), False, None, None)
    steps = dial(target)
    pump: Pump | None = None
    try:
        step = next(steps)
        while True:
            if isinstance(step, Resolve):
                step = steps.send([(0, 0, 0, "", (one, case.port))
                                   for one in case.good_addresses])
                continue
            conversation = step.conversation
            pump = Pump(conversation)
            # The server has 15 s for it, and hashing the password takes its time here.
            if not pump.wait_until(_decided(conversation), request.timeout + 20):
                steps.close()
                raise HandshakeTimeout("the login took too long",
                                       hint="the server or this computer is very busy")
            step = steps.send(None)
    except StopIteration:
        assert pump is not None
        return sync.Chat(pump)
    except AuthError as error:
        error.hint += ". 'quicchat user list' at the server shows who there is"
        raise


def _decided(conversation: Conversation) -> Callable[[], bool]:
    return lambda: conversation.online is not None or conversation.end is not None


def _newest_message(case: Case, now: datetime) -> timedelta | None:
    """How much later than now the newest message of a room is that we may read."""
    if case.chat is None:
        return None
    newest = None
    try:
        for room in case.chat.rooms()[:5]:
            for record in case.chat.history(room.room, limit=1).records:
                later = record.time - now
                newest = later if newest is None else max(newest, later)
    except (QuicChatError, TimeoutError):
        pass  # it is a hint, no more
    return newest


def _after_now(moment: int, now: datetime) -> timedelta:
    return datetime.fromtimestamp(moment / 1000, UTC) - now
