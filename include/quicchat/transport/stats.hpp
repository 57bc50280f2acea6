#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "quicchat/base/counters.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// How the way of one connection is, as its transport measures it. All bytes are those of packets.
struct PathStats {
    Duration round_trip{};                ///< Smoothed; the least one and the newest one follow.
    Duration round_trip_min{};            ///< The least one that was seen.
    Duration round_trip_latest{};         ///< The newest one.
    std::uint64_t congestion_window = 0;  ///< Bytes that may be under way.
    std::uint64_t bytes_in_flight = 0;    ///< Bytes that are.
    std::uint64_t packet_bytes_max = 0;   ///< What one UDP datagram may hold on that path.
    std::uint64_t packets_sent = 0;       ///< Of this end.
    std::uint64_t packets_received = 0;   ///< Of the peer.
    std::uint64_t packets_lost = 0;       ///< Of ours, as far as we know.
    std::uint64_t bytes_sent = 0;         ///< Of this end.
    std::uint64_t bytes_received = 0;     ///< Of the peer.
    std::uint64_t bytes_lost = 0;         ///< Of ours, as far as we know.
    std::uint64_t unacknowledged = 0;     ///< Bytes of streams that are kept for the peer.
    std::uint64_t streams = 0;            ///< That are open.
};

/// What became of packets of strangers at a server.
struct StrangerStats {
    std::uint64_t retries = 0;              ///< Had to prove their address first.
    std::uint64_t versions_negotiated = 0;  ///< Spoke another version.
    std::uint64_t resets = 0;               ///< Belonged to a connection that is forgotten.
    std::uint64_t refused_full = 0;         ///< The server had no room.
    std::uint64_t refused_token = 0;        ///< The proof of their address was none.
    std::uint64_t dropped_rate = 0;         ///< Too many handshakes of their network.
    std::uint64_t dropped_malformed = 0;    ///< Too short for a first packet, or none.
    std::uint64_t dropped_answers = 0;      ///< An answer was due, but there were too many.
};

/// What a transport has done since its start.
struct TransportStats {
    std::uint64_t handshakes_open = 0;     ///< Now.
    std::uint64_t handshakes_begun = 0;    ///< Since the start.
    std::uint64_t handshakes_done = 0;     ///< Those that led to a connection.
    ErrorCounts handshakes_failed;         ///< Of a server; the application never hears of them.
    StrangerStats strangers;               ///< Packets of no connection.
    std::uint64_t datagrams_received = 0;  ///< Of UDP.
    std::uint64_t datagrams_sent = 0;      ///< Of UDP.
    std::uint64_t bytes_received = 0;      ///< In them.
    std::uint64_t bytes_sent = 0;          ///< In them.

    /// Those of several together.
    void add(const TransportStats& other);
};

inline void TransportStats::add(const TransportStats& other) {
    handshakes_open += other.handshakes_open;
    handshakes_begun += other.handshakes_begun;
    handshakes_done += other.handshakes_done;
    handshakes_failed.add(other.handshakes_failed);
    strangers.retries += other.strangers.retries;
    strangers.versions_negotiated += other.strangers.versions_negotiated;
    strangers.resets += other.strangers.resets;
    strangers.refused_full += other.strangers.refused_full;
    strangers.refused_token += other.strangers.refused_token;
    strangers.dropped_rate += other.strangers.dropped_rate;
    strangers.dropped_malformed += other.strangers.dropped_malformed;
    strangers.dropped_answers += other.strangers.dropped_answers;
    datagrams_received += other.datagrams_received;
    datagrams_sent += other.datagrams_sent;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
}

/// A transport that can say how it is. No other transport has to: its figures are missing then.
template <class T>
concept MeasuresItself = requires(const T& view, ConnectionId connection) {
    { view.stats() } -> std::same_as<TransportStats>;
    { view.path_stats(connection) } -> std::same_as<std::optional<PathStats>>;
};

/// The figures of a transport, if it has any.
template <class T>
std::optional<TransportStats> stats_of(const T& transport) {
    if constexpr (MeasuresItself<T>) return transport.stats();
    return std::nullopt;
}

/// The figures of a connection, if its transport has any, and it is there.
template <class T>
std::optional<PathStats> path_stats_of(const T& transport, ConnectionId connection) {
    if constexpr (MeasuresItself<T>) return transport.path_stats(connection);
    return std::nullopt;
}

}  // namespace quicchat
