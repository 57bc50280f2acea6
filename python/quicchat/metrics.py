"""A server's figures for Prometheus, by HTTP on an address of this computer alone.

::

    with quicchat.metrics.serve(server, "127.0.0.1:9464") as (host, port): ...

It needs the extra ``quicchat[metrics]``. ``quicchat serve`` does it if the configuration has
``"metrics": "127.0.0.1:9464"``. Nobody is named in it: neither users nor addresses nor rooms.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .errors import BindError, ConfigError, RequestError
from .stats import ConnectionStats, ServerStats, Timing

if TYPE_CHECKING:
    from .server import Server

__all__ = ["serve"]

#: Of ServerStats: what may fall again, in words.
_GAUGES = {
    "connections": "Connections now", "users": "Accounts that are logged in",
    "members": "Connections in rooms", "rooms": "Rooms", "files": "Files that are kept",
    "file_bytes": "Bytes of these", "transfers": "Files under way",
    "appends_under_way": "Records put into the log and not committed",
    "checks_waiting": "Messages that wait for the program's judgement",
    "answers_waiting": "Answers that wait for slow members",
    "unsent_bytes": "Bytes that wait for clients",
}
#: What never falls.
_COUNTERS = {
    "connections_made": "Connections since the start", "logins": "Logins",
    "records_stored": "Records that were committed",
    "messages_stored": "Messages and files among these",
    "deliveries": "Records handed to members", "delivered_bytes": "Bytes of these",
    "received_bytes": "Bytes received on streams",
}
#: What is counted by the error.
_REASONS = {
    "connections_ended": "Connections that ended", "logins_refused": "Logins that were refused",
    "requests_refused": "Requests that were refused",
}
_TRANSPORT = {
    "handshakes_begun": "QUIC handshakes begun", "handshakes_done": "QUIC handshakes completed",
    "datagrams_received": "UDP datagrams received", "datagrams_sent": "UDP datagrams sent",
    "bytes_received": "Bytes of UDP received", "bytes_sent": "Bytes of UDP sent",
}


def loopback(address: str) -> tuple[str, int] | None:
    """Host and port of ``"127.0.0.1:9464"`` or ``"[::1]:9464"``; None if it is no such address, or
    others could reach it."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        return None
    if not colon or not is_loopback or not port.isascii() or not port.isdigit():
        return None
    return (host, int(port)) if int(port) <= 65535 else None


@contextlib.contextmanager
def serve(server: Server, address: str) -> Iterator[tuple[str, int]]:
    """Answers Prometheus at this address, which must be a loopback one, in a thread. Gives host and
    port. Raises ConfigError, BindError."""
    place = loopback(address)
    if place is None:
        raise ConfigError(
            f"metrics: not an address of this computer alone: {address!r}",
            reason="whoever reaches it can read the figures, and there is no login",
            hint='use one such as "127.0.0.1:9464", and a proxy with a login for other computers')
    try:
        import prometheus_client
    except ImportError:
        raise ConfigError("metrics need the package prometheus_client, which is not installed",
                          hint="pip install 'quicchat[metrics]'") from None
    registry = prometheus_client.CollectorRegistry(auto_describe=False)
    registry.register(_Collector(server))
    try:
        http, thread = prometheus_client.start_http_server(place[1], place[0], registry)
    except OSError as error:
        raise BindError(f"metrics: cannot listen on {address}: {error.strerror}") from None
    try:
        yield place[0], http.server_port
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Collector:
    """Asks the server anew each time."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        try:
            stats, connections = self._server.stats(), self._server.connection_stats()
        except RequestError as error:
            if error.name != "not_ready":
                raise
            return  # it has ended
        yield from _families(stats, connections)


def _families(stats: ServerStats, connections: tuple[ConnectionStats, ...]) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    for name, text in _GAUGES.items():
        yield GaugeMetricFamily(f"quicchat_{name}", text, value=getattr(stats, name))
    for name, text in _COUNTERS.items():
        yield CounterMetricFamily(f"quicchat_{name}", text, value=getattr(stats, name))
    for name, text in _REASONS.items():
        yield _by_label(f"quicchat_{name}", text, "error", getattr(stats, name))
    yield from _timing("append", "From append to commit", stats.appends)
    yield from _timing("turn", "Turns of the server", stats.turns)

    transport = stats.transport
    yield GaugeMetricFamily("quicchat_handshakes_open", "QUIC handshakes under way",
                            value=transport.handshakes_open)
    for name, text in _TRANSPORT.items():
        yield CounterMetricFamily(f"quicchat_udp_{name}" if "hand" not in name
                                  else f"quicchat_{name}", text, value=getattr(transport, name))
    yield _by_label("quicchat_handshakes_failed", "QUIC handshakes that failed", "error",
                    transport.handshakes_failed)
    yield _by_label("quicchat_strangers", "Packets of nobody, by what became of them", "outcome",
                    transport.strangers)
    trips = [one.path.round_trip for one in connections if one.path and one.path.round_trip]
    yield GaugeMetricFamily("quicchat_round_trip_mean_seconds", "Round trips of connections now",
                            value=sum(trips) / len(trips) if trips else 0)
    yield GaugeMetricFamily("quicchat_round_trip_longest_seconds", "The longest of these",
                            value=max(trips, default=0))
    lost = sum(one.path.packets_lost for one in connections if one.path)
    yield GaugeMetricFamily("quicchat_packets_lost", "Packets that connections now have lost",
                            value=lost)


def _by_label(name: str, text: str, label: str, counts: Any) -> Any:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=[label])
    for key, count in counts.items():
        family.add_metric([key], count)
    return family


def _timing(name: str, text: str, timing: Timing) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily, SummaryMetricFamily

    yield SummaryMetricFamily(f"quicchat_{name}_seconds", text, count_value=timing.count,
                              sum_value=timing.total)
    yield GaugeMetricFamily(f"quicchat_{name}_longest_seconds", f"{text}: the longest",
                            value=timing.longest)
