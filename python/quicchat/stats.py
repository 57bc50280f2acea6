"""Figures of a running server or client, as they are at one moment.

::

    stats = server.stats()
    print(stats.connections, stats.logins_refused.get("login_failed", 0), stats.turns.longest)

Times are in seconds. What is counted is counted since the start, and never falls. Errors are the
protocol's names; those that never were are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import _core
from ._failures import core_error
from .errors import QuicChatError

__all__ = ["ClientStats", "ConnectionStats", "PathStats", "ServerStats", "Timing",
           "TransportStats"]


@dataclass(frozen=True, slots=True)
class Timing:
    """How often something took how long."""

    count: int
    total: float
    longest: float


@dataclass(frozen=True, slots=True)
class PathStats:
    """How the way of one connection is. All bytes but ``unacknowledged`` are those of packets."""

    round_trip: float  #: smoothed; 0: nothing is measured yet
    round_trip_min: float
    round_trip_latest: float
    congestion_window: int  #: bytes that may be under way
    bytes_in_flight: int  #: bytes that are
    packet_bytes_max: int  #: what one UDP datagram may hold on that path
    packets_sent: int
    packets_received: int
    packets_lost: int
    bytes_sent: int
    bytes_received: int
    bytes_lost: int
    unacknowledged: int  #: bytes of streams that are kept for the peer
    streams: int


@dataclass(frozen=True, slots=True)
class TransportStats:
    """What one UDP socket has done."""

    handshakes_open: int  #: now
    handshakes_begun: int
    handshakes_done: int
    handshakes_failed: Mapping[str, int]  #: of a server, by the error
    #: Packets of nobody at a server, by what became of them: ``retries``, ``versions_negotiated``,
    #: ``resets``, ``refused_full``, ``refused_token``, ``dropped_rate``, ``dropped_malformed``,
    #: ``dropped_answers``.
    strangers: Mapping[str, int]
    datagrams_received: int
    datagrams_sent: int
    bytes_received: int
    bytes_sent: int


@dataclass(frozen=True, slots=True)
class ServerStats:
    """What a server is doing, and has done since its start."""

    # Now.
    connections: int
    users: int  #: accounts that are logged in
    members: int  #: connections in rooms; one in two rooms counts twice
    rooms: int  #: those of two people included
    files: int
    file_bytes: int
    transfers: int  #: files under way, in both directions
    appends_under_way: int  #: put into the log and not committed
    checks_waiting: int  #: messages that ``check`` has to judge, and those behind
    answers_waiting: int  #: for slow members
    unsent_bytes: int  #: what waits for clients

    # Since the start.
    connections_made: int
    connections_ended: Mapping[str, int]  #: by the reason
    logins: int
    logins_refused: Mapping[str, int]
    requests_refused: Mapping[str, int]
    records_stored: int
    messages_stored: int  #: the records among them that are messages or files
    deliveries: int  #: records to members, one by one
    delivered_bytes: int
    received_bytes: int  #: on streams
    appends: Timing  #: until the log has committed
    turns: Timing  #: of the server on its thread: while one lasts, everybody waits
    transport: TransportStats


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """How one connection of a server is."""

    connection: int
    user: str  #: empty before the login
    address: str
    state: str  #: connecting, negotiating, authenticating, ready, draining or closed
    path: PathStats | None


@dataclass(frozen=True, slots=True)
class ClientStats:
    """What a client is doing, and has done since its start."""

    state: str  #: connecting, negotiating, authenticating, ready, draining or closed
    unanswered_requests: int  #: messages and files; they survive a reconnection
    unread_events: int  #: in the core

    # Since the start.
    dials: int
    logins: int
    connections_lost: Mapping[str, int]  #: by the reason; failed dials included
    messages_received: int
    requests_stored: int
    requests_refused: Mapping[str, int]
    path: PathStats | None  #: while there is a connection
    transport: TransportStats


def _path(fields: dict[str, Any] | None) -> PathStats | None:
    return None if fields is None else PathStats(**fields)


def _with(fields: dict[str, Any], **others: Any) -> dict[str, Any]:
    return fields | others


def _error(error: _core.CoreError, ended: str) -> QuicChatError:
    """Why there are no figures. An engine that is slow has not ended."""
    _, _, name, _ = error.args
    return core_error(error, ended if name == "not_ready" else "no answer from the engine")


def server_stats(core: _core.Server) -> tuple[ServerStats, tuple[ConnectionStats, ...]]:
    """Both at one moment. Waits for the engine, for a turn of the server at most."""
    try:
        fields, connections = core.stats()
    except _core.CoreError as error:
        raise _error(error, "the server has ended") from None
    stats = ServerStats(**fields | {
        "appends": Timing(**fields["appends"]), "turns": Timing(**fields["turns"]),
        "transport": TransportStats(**fields["transport"])})
    return stats, tuple(ConnectionStats(**_with(one, path=_path(one["path"])))
                        for one in connections)


def client_stats(core: _core.Client) -> ClientStats:
    """Waits for the engine, for a turn of the client at most."""
    try:
        fields = core.stats()
    except _core.CoreError as error:
        raise _error(error, "the connection has ended") from None
    return ClientStats(**_with(fields, path=_path(fields["path"]),
                               transport=TransportStats(**fields["transport"])))
