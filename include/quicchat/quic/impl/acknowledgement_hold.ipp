#pragma once

#include "quicchat/quic/acknowledgement_hold.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void AcknowledgementHold::handle_received(bool brought_something, std::size_t bytes,
                                                        ShortNumber number, TimePoint now) {
    if (!until_) until_ = now + delay;
    ++packets_;
    bytes_ += static_cast<std::uint32_t>(bytes);
    if (is_out_of_turn(number)) {
        shows_gap_ = true;
        // Who loses packets sends less: 0.7 times as much, RFC 9438 §4.6.
        bytes_max_ = std::max(bytes_min, bytes_max_ / 2);
        waits_left_ = patience_ = std::max<std::uint8_t>(patience_, 2);
    }
    if (packets_ >= packets_max || bytes_ >= bytes_max_ || !brought_something || shows_gap_) end();
}

QUICCHAT_DECL void AcknowledgementHold::handle_written(bool something, TimePoint now) {
    if (bytes_ >= bytes_max_ && !shows_gap_) {
        lengthen();
    } else if (bytes_ >= std::min(bytes_at_first, bytes_max_ / 4 * 3) && now >= until_) {
        shorten();
    }
    ended_ = false;
    until_.reset();
    packets_ = 0;
    bytes_ = 0;
    if (something) shows_gap_ = false;
}

QUICCHAT_DECL void AcknowledgementHold::lengthen() {
    if (bytes_max_ >= bytes_at_first && --waits_left_ > 0) return;
    waits_left_ = patience_;
    // A window that never was too small grows as fast, RFC 9002 §7.3.1.
    bytes_max_ += patience_ == 1 ? bytes_max_ / 4 : full_packet;
    bytes_max_ = std::min(bytes_max_, packets_max * full_packet);
}

QUICCHAT_DECL void AcknowledgementHold::shorten() {
    bytes_max_ = std::max(bytes_min, bytes_ / 4 * 3);
    patience_ = std::min<std::uint8_t>(2 * patience_, patience_max);
    waits_left_ = patience_;
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
