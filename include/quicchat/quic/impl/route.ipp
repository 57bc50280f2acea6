#pragma once

#include "quicchat/quic/route.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL std::vector<SocketAddress> interleave_families(
    std::vector<SocketAddress> found) {
    std::deque<SocketAddress> first;
    std::deque<SocketAddress> second;
    for (const SocketAddress& address : found) {
        auto& family = address.family() == found.front().family() ? first : second;
        if (std::find(family.begin(), family.end(), address) == family.end()) {
            family.push_back(address);
        }
    }
    std::vector<SocketAddress> ordered;
    while (!first.empty() || !second.empty()) {
        for (auto* family : {&first, &second}) {
            if (family->empty()) continue;
            ordered.push_back(family->front());
            family->pop_front();
        }
    }
    return ordered;
}

QUICCHAT_RARE_DECL void Race::set_routes(std::vector<Route> routes) {
    waits_ = false;
    left_.assign(routes.begin(), routes.end());
}

QUICCHAT_RARE_DECL std::optional<Route> Race::next(TimePoint now) {
    if (left_.empty() || hopeless_ || (!running_.empty() && now < next_at_)) return std::nullopt;
    const Route route = left_.front();
    left_.pop_front();
    return route;
}

QUICCHAT_RARE_DECL void Race::handle_started(ConnectionId attempt, TimePoint now) {
    running_.push_back(attempt);
    next_at_ = now + attempt_delay;
}

QUICCHAT_RARE_DECL void Race::handle_failed(ConnectionId attempt, CloseReason reason) {
    std::erase(running_, attempt);
    next_at_ = TimePoint{};
    // A server that says no is the same at its other addresses.
    hopeless_ =
        hopeless_ || (reason.errc != Errc::unreachable && reason.errc != Errc::handshake_timeout &&
                      reason.errc != Errc::transport_failed);
    // Of several failures the one that tells most: somebody answered, nobody listens, silence.
    const auto told = [](const CloseReason& r) {
        return r.datagrams_received > 0 ? 2 : r.errc == Errc::unreachable ? 1 : 0;
    };
    const bool first = !std::exchange(has_failed_, true);
    if (hopeless_ || first || told(reason) > told(reason_)) reason_ = std::move(reason);
}

QUICCHAT_RARE_DECL bool Race::is_lost() const {
    return !waits_ && (hopeless_ || (left_.empty() && running_.empty()));
}

QUICCHAT_RARE_DECL std::optional<TimePoint> Race::next_deadline() const {
    if (left_.empty() || waits_) return std::nullopt;
    return next_at_;
}

}  // namespace quicchat::quic
