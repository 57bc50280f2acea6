#pragma once

#include "quicchat/quic/packet_size.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void PacketSize::check(const View& view, TimePoint now) {
    // Between the first probe and the second, for which it is three (RFC 9002 6.2.1).
    const Duration wait_max = std::max(2 * view.pto, wait_min);
    const bool stuck = view.waits_since && now - *view.waits_since >= wait_max;
    switch (phase_) {
        case Phase::known:
        case Phase::trial:
            // Until a trial is sent, what is lost are other packets.
            lost_before_ = view.packets_lost;
            if (stuck && step_ != 0) {
                settle(0, trial_pause_min, now);
            } else if (!stuck && step_ != last_step && now >= trial_at_) {
                phase_ = Phase::trial;
            }
            break;
        case Phase::sent:
            if (stuck || view.packets_lost != lost_before_) {
                settle(step_, std::min(2 * trial_pause_, trial_pause_max), now);
            } else if (!judge_at_) {
                judge_at_ = now + wait_max;
            } else if (now >= *judge_at_) {
                settle(step_ + 1, trial_pause_min, now);
            }
            break;
    }
}

QUICCHAT_DECL void PacketSize::settle(std::uint8_t step, Duration pause, TimePoint now) {
    phase_ = Phase::known;
    step_ = step;
    trial_pause_ = pause;
    trial_at_ = now + pause;
}

}  // namespace quicchat::quic
