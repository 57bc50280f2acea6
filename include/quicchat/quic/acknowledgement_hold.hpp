#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "quicchat/base/time.hpp"

namespace quicchat::quic {

/// How long an acknowledgement may wait for company. A receiver with nothing to say would answer
/// nearly every packet with one of its own, because ngtcp2 waits only for an eighth of a round
/// trip; reading those is most of what single messages cost a server. RFC 9000 §13.2.1 allows any
/// delay up to the max_ack_delay that we advertise, 25 ms.
///
/// Deviation: RFC 9000 §13.2.2 says that an acknowledgement SHOULD follow after two packets. We
/// wait for ten, which is what a congestion window begins with (RFC 9002 §7.2): a sender with less
/// in flight than that waits for at most the delay.
class AcknowledgementHold {
public:
    static constexpr Duration delay = std::chrono::milliseconds{20};
    static constexpr std::size_t packets_max = 10;

    explicit AcknowledgementHold(bool enabled) : enabled_(enabled) {}

    /// A datagram came that may want an acknowledgement. If it brought nothing that we waited for,
    /// it tells of a gap: RFC 9000 §13.2.1 says that the sender SHOULD hear of that at once.
    void handle_received(bool brought_something, TimePoint now);

    /// There is a reason to write at once.
    void end() { ended_ = true; }

    /// All that was there to say has been said.
    void handle_written() { *this = AcknowledgementHold{enabled_}; }

    /// False if nothing may wait.
    bool is_on() const { return enabled_ && !ended_; }

    TimePoint at_least(TimePoint deadline) const;

private:
    bool enabled_;
    bool ended_ = false;
    std::optional<TimePoint> until_;
    std::size_t packets_ = 0;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/acknowledgement_hold.ipp"
#endif
