#pragma once

#include <cstdint>
#include <optional>

#include "quicchat/base/counters.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat {

/// What a client is doing, and has done since its start. Reading it changes nothing.
struct ClientStats {
    State state{};                          ///< `connecting` also while it waits to dial again.
    std::uint64_t unanswered_requests = 0;  ///< Messages and files; they survive a reconnection.
    std::uint64_t unread_events = 0;        ///< Those that `poll_event` has yet to give.

    // Since the start.

    std::uint64_t dials = 0;       ///< Attempts to connect, whatever became of them.
    std::uint64_t logins = 0;      ///< Those that succeeded.
    ErrorCounts connections_lost;  ///< By their reason, failed dials included.

    // What the application has taken by `poll_event`.

    std::uint64_t messages_received = 0;  ///< In rooms and to one person.
    std::uint64_t requests_stored = 0;    ///< Acked events: what was stored, files included.
    ErrorCounts requests_refused;         ///< Refused events, by their reason.

    std::optional<PathStats> path;            ///< While there is a connection that is measured.
    std::optional<TransportStats> transport;  ///< If it measures itself.
};

}  // namespace quicchat
