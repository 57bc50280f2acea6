#pragma once

#include "quicchat/server/io/unsent_bytes.hpp"

namespace quicchat {

template <Transport T>
bool UnsentBytes<T>::has_room(ConnectionId connection, StreamId stream) {
    const std::size_t max = limits_->unsent_bytes_max;
    const std::size_t used = all();
    if (used < max / 2) return true;  // what is left is more than anybody can hold
    const std::size_t left = max - std::min(max, used);
    if (held_by_account_of(connection) < std::max(left, unsent_share_bytes)) return true;
    if (waiting_.empty()) next_look_ = now_ + look_period;
    waiting_.emplace(connection, stream);
    return false;
}

template <Transport T>
std::optional<TimePoint> UnsentBytes<T>::next_deadline() const {
    return waiting_.empty() ? std::nullopt : std::optional{next_look_};
}

template <Transport T>
std::size_t UnsentBytes<T>::all() const {
    return peers_->transport().unacknowledged() + hub_->control().answer_bytes().all() +
           hub_->fan_out().answer_bytes().all() + of_files_.all();
}

template <Transport T>
std::size_t UnsentBytes<T>::held_by(ConnectionId connection) const {
    return peers_->transport().unacknowledged(connection) +
           hub_->control().answer_bytes().of(connection) +
           hub_->fan_out().answer_bytes().of(connection) + of_files_.of(connection);
}

template <Transport T>
std::size_t UnsentBytes<T>::held_by_account_of(ConnectionId connection) const {
    const ServerConnection* ready = peers_->find_ready(connection);
    const OnlineUsers::User* account =
        ready == nullptr ? nullptr : hub_->online_users().find(ready->session.user());
    if (account == nullptr) return held_by(connection);
    std::size_t held = 0;
    for (const ConnectionId device : account->connections) held += held_by(device);
    return held;
}

}  // namespace quicchat
