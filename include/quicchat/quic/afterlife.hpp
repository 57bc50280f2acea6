#pragma once

#include <ngtcp2/ngtcp2.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/connection_id.hpp"
#include "quicchat/quic/doorman.hpp"

namespace quicchat::quic {

/// Connections that ended, while packets of them may still arrive: the closing and draining states
/// of RFC 9000 §10.2. All that is left of each is its ids and its last packet.
class Afterlife {
public:
    Afterlife(std::size_t size_max, ConnectionIdTable& ids) : size_max_(size_max), ids_(ids) {}

    /// `farewell` is the CONNECTION_CLOSE packet, without bytes if the peer closed.
    void add(ConnectionId id, std::vector<ngtcp2_cid> cids, Reply farewell, TimePoint until) {
        while (order_.size() >= size_max_) forget_oldest();
        ghosts_.try_emplace(id, Ghost{std::move(cids), std::move(farewell), until, 0});
        order_.push_back({until, id});
    }

    /// A packet arrived. RFC 9000 §10.2.1: "An endpoint SHOULD limit the rate at which it generates
    /// packets in the closing state": it answers the first, second, fourth, eighth, and so on.
    void handle_datagram(ConnectionId id, const Datagram& datagram, Replies& replies) {
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

    void handle_timeout(TimePoint now) {
        while (!order_.empty() && order_.front().until <= now) forget_oldest();
    }

    std::optional<TimePoint> next_deadline() const {
        if (order_.empty()) return std::nullopt;
        return order_.front().until;
    }

    std::size_t size() const { return ghosts_.size(); }

private:
    struct Ghost {
        std::vector<ngtcp2_cid> cids;
        Reply farewell;
        TimePoint until;
        std::uint32_t received = 0;
    };
    struct Turn {
        TimePoint until;
        ConnectionId id;
    };

    void forget_oldest() {
        const ConnectionId id = order_.front().id;
        order_.pop_front();
        const auto found = ghosts_.find(id);
        if (found == ghosts_.end()) return;
        for (const ngtcp2_cid& cid : found->second.cids) ids_.remove(cid, id);
        ghosts_.erase(found);
    }

    std::size_t size_max_;
    ConnectionIdTable& ids_;
    std::unordered_map<ConnectionId, Ghost> ghosts_;
    // By the time they were added. A ghost with a short time waits for longer ones before it; that
    // costs a little memory and no correctness.
    std::deque<Turn> order_;
};

}  // namespace quicchat::quic
