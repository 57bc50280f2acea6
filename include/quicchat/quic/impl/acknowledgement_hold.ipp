#pragma once

#include "quicchat/quic/acknowledgement_hold.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void AcknowledgementHold::handle_received(std::size_t bytes, TimePoint now) {
    if (!until_) until_ = now + delay;
    ++packets_;
    if (bytes >= large_packet_bytes) ++large_packets_;
    if (packets_ >= packets_max || large_packets_ >= large_packets_max) end();
}

QUICCHAT_DECL TimePoint AcknowledgementHold::at_least(TimePoint deadline) const {
    return until_ ? std::max(deadline, *until_) : deadline;
}

}  // namespace quicchat::quic
