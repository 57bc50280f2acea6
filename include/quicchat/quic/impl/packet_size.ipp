#pragma once

#include "quicchat/quic/packet_size.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void PacketSize::check(const View& view, TimePoint now) {
    // Between the first probe and the second, for which it is three (RFC 9002 6.2.1).
    const Duration wait_max = std::max(2 * view.pto, wait_min);
    const bool stuck = view.waits_since && now - *view.waits_since >= wait_max;
    switch (phase_) {
        case Phase::full:
            if (stuck) shrink(trial_pause_min, now);
            break;
        case Phase::small:
            if (stuck || now < trial_at_) break;
            phase_ = Phase::trial;
            lost_before_ = view.packets_lost;
            break;
        case Phase::trial:
            // There was nothing to say that fills a long packet. What was lost was another one.
            lost_before_ = view.packets_lost;
            break;
        case Phase::sent:
            if (stuck || view.packets_lost != lost_before_) {
                shrink(std::min(2 * trial_pause_, trial_pause_max), now);
            } else if (!judge_at_) {
                judge_at_ = now + wait_max;
            } else if (now >= *judge_at_) {
                phase_ = Phase::full;
            }
            break;
    }
}

QUICCHAT_DECL void PacketSize::shrink(Duration pause, TimePoint now) {
    phase_ = Phase::small;
    trial_pause_ = pause;
    trial_at_ = now + pause;
}

}  // namespace quicchat::quic
