#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "quicchat/base/config.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat::quic {

/// How long the packets of a connection may be. ngtcp2 measures the path when it is new and
/// believes that for ever. A path that becomes narrower swallows what is longer, again and again,
/// while what is short arrives: a black hole (RFC 8899 §4.3). So when stream data is not
/// acknowledged in time, packets have the size that every path must carry. After a while a single
/// longer one shows whether it still has to be so, and then perhaps one that is longer still.
class PacketSize {
public:
    /// RFC 9000 §14: what every path carries.
    static constexpr std::size_t base = 1200;
    /// A common Ethernet frame without the heads of IPv6 and UDP.
    static constexpr std::size_t ordinary = 1452;
    /// The same of a jumbo frame of 9000 bytes: the longest that we ever try.
    static constexpr std::size_t jumbo = 8952;

    /// What ngtcp2 can tell at the moment of a check.
    struct View {
        /// Since when the stream that waits longest has had no acknowledgement; nothing if no
        /// stream data is under way.
        std::optional<TimePoint> waits_since{};
        Duration pto{};                  ///< The probe timeout (RFC 9002 §6.2).
        std::uint64_t packets_lost = 0;  ///< In the life of the connection.
    };

    /// The most that the next packet may have, of `most`.
    std::size_t limit(std::size_t most) const {
        return std::min(most, sizes[phase_ == Phase::trial ? step_ + 1 : step_]);
    }

    /// A packet of so many bytes was given to the network.
    void handle_written(std::size_t bytes) {
        if (phase_ != Phase::trial || bytes <= sizes[step_]) return;
        phase_ = Phase::sent;
        judge_at_.reset();
    }

    /// Call it every `check_pause` while stream data is under way.
    void check(const View& view, TimePoint now);

    /// How often `check` is to be called. Data waits at least twice as long before packets become
    /// short.
    static constexpr Duration check_pause = std::chrono::milliseconds{250};

private:
    enum class Phase : std::uint8_t {
        known,  ///< This step's size comes through.
        trial,  ///< The next packet of the next step's size is a trial.
        sent,   ///< It is under way.
    };

    /// The last one is what ngtcp2 believes.
    static constexpr std::array<std::size_t, 3> sizes{base, ordinary, SIZE_MAX};
    static constexpr std::uint8_t last_step = sizes.size() - 1;

    // How long data may wait, at least; and after what time a long packet is tried, doubled with
    // each that is lost: RFC 8899 §5.1.1 PMTU_RAISE_TIMER has the most.
    static constexpr Duration wait_min = std::chrono::milliseconds{500};
    static constexpr Duration trial_pause_min = std::chrono::seconds{5};
    static constexpr Duration trial_pause_max = std::chrono::minutes{10};

    /// No trial before the pause is over.
    void settle(std::uint8_t step, Duration pause, TimePoint now);

    Phase phase_ = Phase::known;
    std::uint8_t step_ = last_step;
    Duration trial_pause_ = trial_pause_min;
    TimePoint trial_at_{};
    std::optional<TimePoint> judge_at_{};
    std::uint64_t lost_before_ = 0;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/packet_size.ipp"
#endif
