#pragma once

#include "quicchat/quic/acknowledgement_hold.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void AcknowledgementHold::handle_received(const Packet& packet, TimePoint now) {
    constexpr std::uint8_t congestion_experienced = 3;  // RFC 3168 §5
    if (packet.number.mask == 0) return;                // anybody may have sent it
    if (!until_) until_ = now + delay;
    newest_at_ = now;
    ++packets_;
    bytes_ += static_cast<std::uint32_t>(packet.bytes);
    longest_ = std::max(longest_, static_cast<std::uint32_t>(packet.bytes));
    const bool is_marked = packet.ecn == congestion_experienced;
    if (is_out_of_turn(packet.number) || is_marked) {
        shows_gap_ = true;
        // Where nothing is missing, that may be a number which was never sent (RFC 9000 §21.4).
        if (is_marked || !packet.brought_something) handle_congestion();
    }
    if (packets_ >= packets_max || bytes_ >= bytes_max_ || !packet.brought_something ||
        shows_gap_) {
        end();
    }
}

QUICCHAT_DECL void AcknowledgementHold::handle_written(bool something, TimePoint now) {
    if (shows_gap_) {
        // Nothing is known but that.
    } else if (bytes_ >= bytes_max_) {
        lengthen();
    } else if (now >= until_ && now - newest_at_ >= still_min && may_fill_window()) {
        shorten();
    }
    ended_ = false;
    until_.reset();
    packets_ = 0;
    bytes_ = 0;
    longest_ = 0;
    if (something) shows_gap_ = shows_congestion_ = false;
}

QUICCHAT_DECL bool AcknowledgementHold::may_fill_window() const {
    const bool is_much = bytes_ >= std::min(bytes_at_first, bytes_max_ / 4 * 3);
    const bool are_full = longest_ >= full_packet && bytes_ >= packets_ * (longest_ / 4 * 3);
    return is_much || (packets_ >= 2 && are_full);
}

QUICCHAT_DECL void AcknowledgementHold::handle_congestion() {
    // Who hears of that sends less, once: 0.7 times as much, RFC 9438 §4.6.
    if (!shows_congestion_) bytes_max_ = std::max(bytes_min, bytes_max_ / 2);
    shows_congestion_ = true;
    waits_left_ = patience_ = std::max<std::uint8_t>(patience_, 2);
}

QUICCHAT_DECL void AcknowledgementHold::lengthen() {
    const bool is_behind_gap = bytes_max_ < bytes_at_first && patience_ <= 2;
    if (!is_behind_gap && --waits_left_ > 0) return;
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
