"""Whether QUIC answers at an address, without a connection.

A packet of a version that nobody has is answered with the versions that the server has (RFC 8999
section 6). So it tells whether UDP gets there and back, how long that takes, and how long datagrams
may be.
"""

from __future__ import annotations

import errno
import os
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: RFC 9000 section 15: a version of this form is for exactly this.
_NO_VERSION = 0xBADABADA
QUIC_BYTES_MIN = 1200  # what every path of QUIC must carry
SIZES = (1200, 1232, 1280, 1332, 1372, 1392, 1420, 1452)  # of UDP payload; the last is our longest
_PATIENCE_FOR_OTHERS = 1.0  # once one address has answered
_ROUND = 5  # packets that measure the round trip

# Linux: say how long a datagram may be, do not cut it, and ask what the system knows.
_SET: dict[int, tuple[int, int]] = {
    socket.AF_INET: (socket.IPPROTO_IP, 10), socket.AF_INET6: (socket.IPPROTO_IPV6, 23)}
_ASK: dict[int, tuple[int, int]] = {
    socket.AF_INET: (socket.IPPROTO_IP, 14), socket.AF_INET6: (socket.IPPROTO_IPV6, 24)}
_PROBE = 3
_HEADS: dict[int, int] = {socket.AF_INET: 28, socket.AF_INET6: 48}  # of IP and UDP


def packet(size: int, to: bytes, own: bytes) -> bytes:
    """Long header, the version, both connection ids, and zeros."""
    head = struct.pack("!BIB", 0xC0, _NO_VERSION, len(to)) + to + bytes((len(own),)) + own
    return head.ljust(size, b"\0")


def versions_in(data: bytes, to: bytes, own: bytes) -> tuple[int, ...] | None:
    """What a Version Negotiation packet lists that answers ours; None if it is none."""
    expected = bytes((len(own),)) + own + bytes((len(to),)) + to
    if len(data) < 5 or not data[0] & 0x80 or data[1:5] != bytes(4):
        return None
    if not data[5:].startswith(expected):
        return None
    listed = data[5 + len(expected):]
    if not listed or len(listed) % 4:
        return None
    return struct.unpack(f"!{len(listed) // 4}I", listed)


@dataclass(slots=True)
class Way:
    """What is known of the way to one address."""

    address: str  #: numeric
    family: int = 0
    problem: str = ""  #: of this computer: it has no way there
    refused: bool = False  #: nothing listens there, says that computer
    strange: int = 0  #: datagrams that were no answer of QUIC
    versions: tuple[int, ...] = ()
    sent: int = 0  #: packets that measure the round trip
    times: list[float] = field(default_factory=list)
    size: int = 0  #: the longest datagram that was answered
    interface_mtu: int = 0  #: as far as this computer knows
    socket: socket.socket | None = None
    under_way: dict[bytes, tuple[bytes, float, int]] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        return bool(self.versions)

    @property
    def is_decided(self) -> bool:
        return self.answers or self.refused or bool(self.problem)

    @property
    def heads(self) -> int:
        """Bytes of IP and UDP before the payload."""
        return _HEADS.get(self.family, 48)

    def open(self, port: int) -> None:
        try:
            found = socket.getaddrinfo(self.address, port, type=socket.SOCK_DGRAM,
                                       flags=socket.AI_NUMERICHOST)[0]
            self.family = found[0]
            self.socket = socket.socket(found[0], found[1] | socket.SOCK_NONBLOCK, found[2])
            if self.family in _SET:
                self.socket.setsockopt(*_SET[self.family], _PROBE)
            self.socket.connect(found[4])
            self.interface_mtu = self._mtu()
        except OSError as error:
            self.problem = _words(error)

    def _mtu(self) -> int:
        assert self.socket is not None
        try:
            return int(self.socket.getsockopt(*_ASK[self.family]))
        except (OSError, KeyError):
            return 0

    def send(self, size: int) -> None:
        if self.socket is None:
            return
        to, own = secrets.token_bytes(8), secrets.token_bytes(8)
        self.under_way[own] = (to, time.monotonic(), size)
        try:
            self.socket.send(packet(size, to, own))
        except ConnectionRefusedError:
            self.refused = True
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                self.problem = _words(error)
            elif size <= QUIC_BYTES_MIN:
                self.problem = "datagrams of 1200 bytes are too long for this computer's network"

    def receive(self) -> None:
        assert self.socket is not None
        now = time.monotonic()
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionRefusedError:
                self.refused = True
                return
            except OSError:
                return
            self._take(data, now)

    def _take(self, data: bytes, now: float) -> None:
        own = data[6:14]
        to, sent_at, size = self.under_way.get(own, (b"", 0.0, 0))
        versions = versions_in(data, to, own) if to else None
        if versions is None:
            self.strange += 1
            return
        del self.under_way[own]
        self.versions, self.refused = versions, False
        self.size = max(self.size, size)
        if size == QUIC_BYTES_MIN:
            self.times.append(now - sent_at)


def _words(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _wait(ways: Sequence[Way], until: float) -> None:
    """Takes in what comes, until then or until something has come."""
    poll = select.poll()
    by_fd = {}
    for way in ways:
        if way.socket is not None:
            poll.register(way.socket, select.POLLIN)
            by_fd[way.socket.fileno()] = way
    for fd, _ in poll.poll(max(0.0, until - time.monotonic()) * 1000):
        by_fd[fd].receive()


def knock(addresses: Sequence[str], port: int, timeout: float) -> list[Way]:
    """Tries all addresses at once, again and again, for so long; then how long the round trip
    takes, and how long datagrams may be, for those that answer."""
    ways = [Way(address) for address in addresses]
    for way in ways:
        way.open(port)
    end = time.monotonic() + timeout
    pause, next_at = 0.25, 0.0
    while (now := time.monotonic()) < end and not all(way.is_decided for way in ways):
        open_ways = [way for way in ways if not way.is_decided]
        if now >= next_at:
            for way in open_ways:
                way.send(QUIC_BYTES_MIN)
            next_at = now + pause
            pause *= 2
        _wait(ways, min(end, next_at))
        if any(way.answers for way in ways):
            end = min(end, now + _PATIENCE_FOR_OTHERS)
    answering = [way for way in ways if way.answers]
    _measure(answering, timeout)
    for way in ways:
        if way.socket is not None:
            way.socket.close()
            way.socket = None
    return ways


def _measure(ways: Sequence[Way], timeout: float) -> None:
    for way in ways:
        way.times.clear()
        way.under_way.clear()
        way.sent = _ROUND
    for _ in range(_ROUND):
        for way in ways:
            way.send(QUIC_BYTES_MIN)
        _gather(ways, 0.02, lambda way: False)
    _gather(ways, min(timeout, 2.0), lambda way: len(way.times) >= _ROUND)
    for _ in range(2):  # one may be lost by chance
        for way in ways:
            for size in SIZES:
                if size > way.size:
                    way.send(size)
        trip = max((max(way.times, default=0.2) for way in ways), default=0.0)
        _gather(ways, min(timeout, 3 * trip + 0.3), lambda way: way.size == SIZES[-1])


def _gather(ways: Sequence[Way], patience: float, done: Callable[[Way], bool]) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and not all(done(way) for way in ways):
        _wait(ways, end)


def answers_tcp(address: str, port: int, timeout: float) -> str:
    """``yes``, ``refused`` or ``silent``: whether there is a computer at that address at all."""
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM,
                                   flags=socket.AI_NUMERICHOST)[0]
        with socket.socket(*found[:3]) as stream:
            stream.settimeout(timeout)
            stream.connect(found[4])
            return "yes"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silent"
