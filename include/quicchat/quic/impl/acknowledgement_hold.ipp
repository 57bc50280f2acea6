#pragma once

#include "quicchat/quic/acknowledgement_hold.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void AcknowledgementHold::handle_received(bool brought_something, ShortNumber number,
                                                        TimePoint now) {
    if (!until_) until_ = now + delay;
    ++packets_;
    shows_gap_ |= is_out_of_turn(number);
    if (packets_ >= packets_max || !brought_something || shows_gap_) end();
}

QUICCHAT_DECL bool AcknowledgementHold::is_out_of_turn(ShortNumber number) {
    if (number.mask == 0) return false;  // it could not be opened
    const std::uint32_t newest = newest_.value_or(number.bits - 1);
    // RFC 9000 §17.1: a number has as many bits as tell before from behind.
    const std::uint32_t ahead = (number.bits - newest) & number.mask;
    const bool is_newer = ahead != 0 && ahead <= number.mask / 2 + 1;
    newest_ = is_newer ? newest + ahead : newest;
    return ahead != 1;
}

QUICCHAT_DECL TimePoint AcknowledgementHold::at_least(TimePoint deadline) const {
    return until_ ? std::max(deadline, *until_) : deadline;
}

}  // namespace quicchat::quic
