#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quicchat/base/counters.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat {

/// What a server is doing, and has done since its start. Reading it changes nothing.
struct ServerStats {
    // Now.

    std::uint64_t connections = 0;        ///< Logged in or not.
    std::uint64_t users = 0;              ///< Accounts that are logged in.
    std::uint64_t members = 0;            ///< Connections in rooms; one in two rooms counts twice.
    std::uint64_t rooms = 0;              ///< Those of two people included.
    std::uint64_t files = 0;              ///< Those that a record announces.
    std::uint64_t file_bytes = 0;         ///< Their bytes, without what is still being sent.
    std::uint64_t transfers = 0;          ///< Files under way, in both directions.
    std::uint64_t appends_under_way = 0;  ///< Put into the log and not committed.
    std::uint64_t checks_waiting = 0;     ///< Messages that the program has to judge, and behind.
    std::uint64_t answers_waiting = 0;    ///< For slow members.
    std::uint64_t unsent_bytes = 0;       ///< See Limits::unsent_bytes_max.

    // Since the start.

    std::uint64_t connections_made = 0;  ///< Those that came in since the start, gone or not.
    ErrorCounts connections_ended;       ///< By their reason.
    std::uint64_t logins = 0;            ///< Those that succeeded.
    ErrorCounts logins_refused;          ///< By their reason.
    ErrorCounts requests_refused;        ///< By their reason.
    std::uint64_t records_stored = 0;    ///< Of any kind.
    std::uint64_t messages_stored = 0;   ///< The records among them that are messages or files.
    std::uint64_t deliveries = 0;        ///< Records to members, one by one.
    std::uint64_t delivered_bytes = 0;   ///< Bytes of their frames.
    std::uint64_t received_bytes = 0;    ///< On streams.
    Timing appends;                      ///< From the turn of the append to that of its news.
    Timing turns;                        ///< As `note_turn` says.

    std::optional<TransportStats> transport;  ///< If it measures itself.
};

/// How one connection of a server is.
struct ConnectionStats {
    ConnectionId connection{};      ///< By which the server's events name it.
    std::string user;               ///< Empty before the login.
    std::string peer_address;       ///< "host:port", as the transport tells.
    State state{};                  ///< Of its session.
    std::optional<PathStats> path;  ///< If the transport measures itself.
};

}  // namespace quicchat
