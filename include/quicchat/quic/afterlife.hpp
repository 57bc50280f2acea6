#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
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
    /// Above `size_max` ended connections the oldest is forgotten. `ids` must outlive this.
    Afterlife(std::size_t size_max, ConnectionIdTable& ids);

    /// `farewell` is the CONNECTION_CLOSE packet, without bytes if the peer closed.
    void add(ConnectionId id, std::vector<ngtcp2_cid> cids, Reply farewell, TimePoint until);

    /// A packet arrived. RFC 9000 §10.2.1: "An endpoint SHOULD limit the rate at which it generates
    /// packets in the closing state": it answers the first, second, fourth, eighth, and so on.
    void handle_datagram(ConnectionId id, const Datagram& datagram, Replies& replies);

    /// Forgets those whose time is over, and their connection ids.
    void handle_timeout(TimePoint now);

    /// When `handle_timeout` has something to do; nothing: there are none.
    std::optional<TimePoint> next_deadline() const;

    /// Connections that are remembered.
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

    void forget_oldest();

    std::size_t size_max_;
    ConnectionIdTable& ids_;
    std::unordered_map<ConnectionId, Ghost> ghosts_;
    // By the time they were added. A ghost with a short time waits for longer ones before it; that
    // costs a little memory and no correctness.
    std::deque<Turn> order_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/afterlife.ipp"
#endif
