#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/address.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::quic {

/// A way to a server: one of its addresses, and our address of the socket that leads there.
struct Route {
    /// Both have the port.
    /// @{
    SocketAddress local;
    SocketAddress remote;
    /// @}
};

/// RFC 8305 §5: "Connection Attempt Delay". How long an attempt has the way for itself.
inline constexpr Duration attempt_delay = std::chrono::milliseconds{250};

/// Addresses in the order in which they are to be tried (RFC 8305 §4): the families take turns, the
/// first one's begins.
QUICCHAT_DECL std::vector<SocketAddress> interleave_families(std::vector<SocketAddress> found);

/// One dial by several routes: who tries when, and what came of it. Knows no connections but their
/// ids.
class Race {
public:
    /// `id` is what the application knows the dial by.
    explicit Race(ConnectionId id) : id_(id) {}

    /// As given to the constructor; no attempt has it.
    ConnectionId id() const { return id_; }

    /// True until the routes are known.
    bool waits() const { return waits_; }
    /// In the order in which they are to be tried; none: it is lost.
    void set_routes(std::vector<Route> routes);

    /// The route of the next attempt, if it is time for one.
    std::optional<Route> next(TimePoint now);
    /// The route that `next` gave has become this connection.
    void handle_started(ConnectionId attempt, TimePoint now);

    /// An attempt ended. The next one may come at once.
    void handle_failed(ConnectionId attempt, CloseReason reason);

    /// True if nothing is under way or left, or nothing else can help. `reason` says why.
    bool is_lost() const;
    /// That of the failure that tells most. Before any: `unreachable`.
    const CloseReason& reason() const { return reason_; }

    /// Attempts that were started and have not failed.
    const std::vector<ConnectionId>& running() const { return running_; }
    /// When `next` may have another route; nothing: there is none left, or they are not known.
    std::optional<TimePoint> next_deadline() const;

private:
    ConnectionId id_;
    bool waits_ = true;
    bool hopeless_ = false;
    std::deque<Route> left_{};
    std::vector<ConnectionId> running_{};
    TimePoint next_at_{};
    bool has_failed_ = false;
    CloseReason reason_{.errc = Errc::unreachable};
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/route.ipp"
#endif
