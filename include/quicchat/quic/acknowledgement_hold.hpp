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
/// Deviation: RFC 9000 §13.2.2 says that an acknowledgement SHOULD follow after two packets. We do
/// that for packets that look like a transfer, and after ten for small ones.
class AcknowledgementHold {
public:
    static constexpr Duration delay = std::chrono::milliseconds{20};
    static constexpr std::size_t packets_max = 10;
    static constexpr std::size_t large_packets_max = 2;
    static constexpr std::size_t large_packet_bytes = 1000;

    explicit AcknowledgementHold(bool enabled) : enabled_(enabled) {}

    /// A packet came that may want an acknowledgement.
    void handle_received(std::size_t bytes, TimePoint now);

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
    std::size_t large_packets_ = 0;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/acknowledgement_hold.ipp"
#endif
