#pragma once

#include "quicchat/quic/afterlife.hpp"

#include <bit>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL Afterlife::Afterlife(std::size_t size_max, ConnectionIdTable& ids)
    : size_max_(size_max), ids_(ids) {}

QUICCHAT_DECL void Afterlife::add(ConnectionId id, std::vector<ngtcp2_cid> cids, Reply farewell,
                                  TimePoint until) {
    while (order_.size() >= size_max_) forget_oldest();
    ghosts_.try_emplace(id, Ghost{std::move(cids), std::move(farewell), until, 0});
    order_.push_back({until, id});
}

QUICCHAT_DECL void Afterlife::handle_datagram(ConnectionId id, const Datagram& datagram,
                                              Replies& replies) {
    const auto found = ghosts_.find(id);
    if (found == ghosts_.end()) return;
    Ghost& ghost = found->second;
    const bool answer = std::has_single_bit(++ghost.received);
    // To the address that the connection had, not to whoever sent this, and never more bytes
    // than came in.
    if (answer && datagram.bytes.size() >= ghost.farewell.bytes.size()) {
        replies.push(ghost.farewell);
    }
}

QUICCHAT_DECL void Afterlife::handle_timeout(TimePoint now) {
    while (!order_.empty() && order_.front().until <= now) forget_oldest();
}

QUICCHAT_DECL std::optional<TimePoint> Afterlife::next_deadline() const {
    if (order_.empty()) return std::nullopt;
    return order_.front().until;
}

QUICCHAT_DECL void Afterlife::forget_oldest() {
    const ConnectionId id = order_.front().id;
    order_.pop_front();
    const auto found = ghosts_.find(id);
    if (found == ghosts_.end()) return;
    for (const ngtcp2_cid& cid : found->second.cids) ids_.remove(cid, id);
    ghosts_.erase(found);
}

}  // namespace quicchat::quic
