#pragma once

#include "quicchat/quic/acknowledgement_hold.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void AcknowledgementHold::handle_received(bool brought_something, TimePoint now) {
    if (!until_) until_ = now + delay;
    ++packets_;
    if (packets_ >= packets_max || !brought_something) end();
}

QUICCHAT_DECL TimePoint AcknowledgementHold::at_least(TimePoint deadline) const {
    return until_ ? std::max(deadline, *until_) : deadline;
}

}  // namespace quicchat::quic
