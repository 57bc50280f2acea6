#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "quicchat/base/time.hpp"
#include "quicchat/quic/packet_protection.hpp"

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
    /// So long it waits at most: less than the 25 ms that the peer is told of.
    static constexpr Duration delay = std::chrono::milliseconds{20};
    static constexpr std::size_t packets_max = 10;  ///< So many packets end the wait.

    /// False: nothing ever waits.
    explicit AcknowledgementHold(bool enabled) : enabled_(enabled) {}

    /// A datagram came that may want an acknowledgement. RFC 9000 §13.2.1: the sender SHOULD hear
    /// at once of a packet that is not the one after the newest. So he does of what brought nothing
    /// that we waited for: that is behind a gap of which he may not have heard.
    void handle_received(bool brought_something, ShortNumber number, TimePoint now);

    /// There is a reason to write at once.
    void end() { ended_ = true; }

    /// All that was there to say has been said, and whether that was something. What needs no
    /// acknowledgement may be what showed a gap, and then the next packet tells of it.
    void handle_written(bool something) {
        ended_ = false;
        until_.reset();
        packets_ = 0;
        if (something) shows_gap_ = false;
    }

    /// False if nothing may wait.
    bool is_on() const { return enabled_ && !ended_; }

    /// The deadline, or the end of the wait if that is later.
    TimePoint at_least(TimePoint deadline) const;

private:
    /// True unless it is the packet after the newest.
    bool is_out_of_turn(ShortNumber number);

    bool enabled_;
    bool ended_ = false;
    bool shows_gap_ = false;  ///< Of which the sender has not heard.
    std::optional<TimePoint> until_;
    std::size_t packets_ = 0;
    std::optional<std::uint32_t> newest_;  ///< The lowest bits of the newest packet's number.
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/acknowledgement_hold.ipp"
#endif
