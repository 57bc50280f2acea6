#pragma once

// How a client's Endpoint finds a way to its server, and another one. Included by endpoint.hpp.

#include "quicchat/quic/endpoint.hpp"

#include <algorithm>
#include <utility>

namespace quicchat::quic {

QUICCHAT_RARE_DECL void Endpoint::offer_routes(std::vector<Route> routes, TimePoint now,
                                               std::string text) {
    advance(now);
    if (!wants_routes()) return;
    if (routes.empty()) return end_race({.errc = Errc::unreachable, .text = std::move(text)});
    state_->race->set_routes(std::move(routes));
    run_race();
}

/// Begins the attempts that are due, and ends the race that is lost.
QUICCHAT_RARE_DECL void Endpoint::run_race() {
    while (state_->race) {
        if (state_->race->is_lost()) return end_race(state_->race->reason());
        const std::optional<Route> route = state_->race->next(state_->now);
        if (!route) return;
        ConnectionId id{};
        Entry* entry = attempt(*route, id);
        if (entry == nullptr) return end_race({.errc = Errc::internal_error});
        entry->racing = true;
        state_->race->handle_started(id, state_->now);
        settle_and_write(id, *entry);
    }
}

/// Nobody has won. The application hears of one end, whatever the attempts were.
QUICCHAT_RARE_DECL void Endpoint::end_race(CloseReason reason) {
    const Race race = *std::exchange(state_->race, std::nullopt);
    for (const ConnectionId attempt : race.running()) {
        if (Entry* entry = find(attempt)) {
            entry->connection->close(Errc::closed, "");
            settle(attempt, *entry);
        }
    }
    state_->ended.push_back({race.id(), std::move(reason)});
}

/// This attempt is the connection from now on. Gives it the id that the application knows.
QUICCHAT_RARE_DECL ConnectionId Endpoint::win_race(ConnectionId attempt) {
    const Race race = *std::exchange(state_->race, std::nullopt);
    auto node = state_->entries.extract(attempt);
    node.key() = race.id();
    Entry& entry = state_->entries.insert(std::move(node)).position->second;
    for (const ngtcp2_cid& cid : entry.cids) {
        state_->ids.remove(cid, attempt);
        state_->ids.add(cid, race.id());
    }
    // Its places in the queues are under the old id.
    entry.racing = entry.dirty = entry.has_news = false;
    entry.armed.reset();
    for (const ConnectionId other : race.running()) {
        if (other == attempt) continue;
        if (Entry* loser = find(other)) {
            loser->connection->close(Errc::closed, "");
            settle(other, *loser);
        }
    }
    return race.id();
}

QUICCHAT_RARE_DECL void Endpoint::migrate(const SocketAddress& from, const SocketAddress& to,
                                          TimePoint now) {
    advance(now);
    for_each([&](Connection& connection) {
        if (connection.local() == from) connection.migrate(to, state_->now);
    });
}

QUICCHAT_RARE_DECL void Endpoint::abandon(const SocketAddress& local, std::string_view text) {
    for_each([&](Connection& connection) {
        if (connection.local() == local) connection.abandon(text);
    });
}

QUICCHAT_RARE_DECL bool Endpoint::speaks_from(const SocketAddress& local) const {
    return std::any_of(state_->entries.begin(), state_->entries.end(), [&](const auto& entry) {
        return entry.second.connection->local() == local;
    });
}

}  // namespace quicchat::quic
