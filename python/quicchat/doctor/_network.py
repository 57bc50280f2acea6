"""From a name to somebody who answers: the name, UDP, how long datagrams may be, the versions."""

from __future__ import annotations

import queue
import socket
import threading
from typing import Any

from .._dialling import numeric_address
from ..errors import HandshakeTimeout, ProtocolVersionError, Unreachable
from ._case import FAILED, OK, WARNING, Case, Found, found
from ._knocking import SIZES, Way, answers_tcp, knock
from ._words import milliseconds

_VERSIONS = {1: "1", 0x6B3343CF: "2"}  # RFC 9000, RFC 9369: those that we speak


def check_name(case: Case) -> Found:
    rows = _look_up(case.host, case.port, case.request.timeout)
    case.addresses = tuple(dict.fromkeys(numeric_address(row[4]) for row in rows))
    if case.addresses == (case.host,):
        return found(OK, f"{case.host} is an address", detail={"addresses": [case.host]})
    return found(OK, f"{case.host} is {', '.join(case.addresses)}",
                 detail={"addresses": list(case.addresses)})


def check_udp(case: Case) -> Found:
    case.after(case.addresses, "name")
    case.ways = knock(case.addresses, case.port, case.request.timeout)
    good = case.answering
    detail = {"addresses": [_way_detail(way) for way in case.ways]}
    if not good:
        return _no_answer(case, detail)
    bad = [way for way in case.ways if not way.answers]
    times = ", ".join(f"{way.address} answers after {milliseconds(min(way.times))}" if way.times
                      else f"{way.address} answers" for way in good)
    if not bad:
        return found(OK, times, detail=detail)
    return found(
        WARNING, f"{times}; {', '.join(_complaint(way) for way in bad)}", detail=detail,
        why="clients try all addresses of the name, and wait a quarter of a second for each",
        fix="let the server listen on all of its addresses (\"host\": \"::\"), or take those "
            "out of the name's records where it does not")


def check_mtu(case: Case) -> Found:
    case.after(case.facts.get("connected") or case.answering, "udp")
    worst = min(case.answering, key=lambda way: way.size, default=None)
    if worst is None:
        assert case.connection is not None
        case.connection.stay(min(1.0, case.request.timeout))
        case.facts = case.connection.facts()
        size, mtu = case.facts["packet_bytes_max"], 0
    else:
        size, mtu = worst.size, worst.size + worst.heads
    detail = {"udp_payload_bytes": size, "path_mtu_at_least": mtu,
              "interface_mtu": worst.interface_mtu if worst is not None else 0}
    room = f"datagrams of {size} bytes get there"
    if size >= SIZES[-2]:
        return found(OK, room, detail=detail)
    of_tunnel = "; longer ones do not: a tunnel or VPN is on the way, or an old line"
    return found(OK, f"{room}{of_tunnel}. QUIC gets along with that", detail=detail)


def check_versions(case: Case) -> Found:
    listed = [way.versions for way in case.answering]
    if not listed:
        case.after(case.facts.get("connected"), "udp")
        return found(OK, "the handshake found one", detail={"quic": []})
    offered = [version for version in listed[0] if version & 0x0F0F0F0F != 0x0A0A0A0A]
    names = [_VERSIONS.get(version, f"0x{version:08x}") for version in offered]
    if any(version in _VERSIONS for version in offered):
        return found(OK, f"the server speaks QUIC {' and '.join(names)}",
                     detail={"quic": names})
    raise ProtocolVersionError(
        f"the server speaks QUIC {', '.join(names)} only",
        reason=f"this client speaks QUIC {' and '.join(_VERSIONS.values())}",
        hint="check the port: this is hardly a quicchat server")


def _no_answer(case: Case, detail: dict[str, Any]) -> Found:
    """No address has answered the first question. The server may be one that never does."""
    peer, port = case.ways[0].address, case.port
    where = f"{', '.join(way.address for way in case.ways)} UDP port {port}"
    problems = [way.problem for way in case.ways if way.problem]
    if len(problems) == len(case.ways):
        return found(FAILED, f"there is no way to {where}", code="E-UNREACHABLE",
                     why=problems[0], detail=detail,
                     fix="check the network of this computer: ip route get " + peer)
    if all(way.refused or way.problem for way in case.ways):
        return found(
            FAILED, f"nothing is listening on {where}", code="E-UNREACHABLE", detail=detail,
            why="that computer, or a firewall before it, says that this port is closed",
            fix="start the server, or check the port: the server prints 'listening on "
                "ADDRESS:PORT (UDP)' when it starts, and 127.0.0.1 there means that other "
                "computers cannot reach it")
    case.connection, case.facts = case.connect("anyone")
    if case.facts["connected"]:
        return found(OK, "the server answers", detail=detail)
    if any(way.strange for way in case.ways):
        return found(
            FAILED, f"something answers on {where}, but not by QUIC", code="E-TIMEOUT",
            why="it is another service, such as a game or a name server", detail=detail,
            fix="check the port; the server prints it when it starts")
    tcp = answers_tcp(peer, port, min(1.0, case.request.timeout))
    why = {"yes": f"by TCP something answers on port {port}, but quicchat uses UDP: that is "
                  "another service, or a firewall lets only TCP through",
           "refused": "the computer is there (it refuses TCP), so a firewall between, or its "
                      "own, drops UDP",
           "silent": "the computer is down or has another address, or a firewall drops "
                     "everything"}[tcp]
    return found(
        FAILED, f"no answer from {where} within {case.request.timeout:g} s", code="E-TIMEOUT",
        why=why, detail={**detail, "tcp": tcp},
        fix=f"on the server: does it run, and does its firewall let UDP port {port} in? Here: "
            "try another network, such as a phone's; many company networks let no UDP out")


def ask_system(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)


def _look_up(host: str, port: int, timeout: float) -> list[Any]:
    """As getaddrinfo, but never for longer than that: it may wait for minutes."""
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(ask_system(host, port))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise HandshakeTimeout(
            f"no answer about {host} within {timeout:g} s", reason="the name server is silent",
            hint="check the network of this computer, and /etc/resolv.conf") from None
    if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
        raise Unreachable(f"nobody can say what {host} is", reason=str(answer.strerror).lower(),
                          hint="check the network of this computer, and /etc/resolv.conf")
    if isinstance(answer, OSError):
        raise Unreachable(f"there is no such name: {host}",
                          reason=str(answer.strerror or answer).lower(),
                          hint=f"check the spelling; 'getent hosts {host}' asks again")
    if not answer:
        raise Unreachable(f"{host} has no address")
    return answer


def _way_detail(way: Way) -> dict[str, Any]:
    state = ("answers" if way.answers else "refused" if way.refused else
             "no_way" if way.problem else "strange" if way.strange else "silent")
    return {"address": way.address, "state": state, "problem": way.problem}


def _complaint(way: Way) -> str:
    if way.problem:
        return f"there is no way to {way.address} ({way.problem})"
    if way.refused:
        return f"nothing is listening on {way.address}"
    return f"{way.address} does not answer"
