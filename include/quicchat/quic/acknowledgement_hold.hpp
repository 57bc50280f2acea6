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
/// wait for up to 32, as each acknowledgement wakes a sender that may have nothing else to do, but
/// not for so many bytes that the sender's congestion window might be full: it would stand still
/// until the wait is over. These are at first eight full packets of the ten that a window begins
/// with (RFC 9002 §7.2), and half as many when packets are lost. Each time that they come before
/// the delay is over they become a quarter more, as a window grows that was never too small. If
/// much has come when it is over, and lastly nothing, the sender may have stood still: they become
/// fewer, and more slowly more.
class AcknowledgementHold {
public:
    /// So long it waits at most: less than the 25 ms that the peer is told of.
    static constexpr Duration delay = std::chrono::milliseconds{20};
    static constexpr std::uint32_t packets_max = 32;    ///< So many packets end the wait.
    static constexpr std::uint32_t full_packet = 1200;  ///< RFC 9000 §14: every path carries it.
    static constexpr std::uint32_t bytes_at_first = 8 * full_packet;  ///< So do so many bytes.
    static constexpr std::uint32_t bytes_min = 2 * full_packet;       ///< Never fewer than these.

    /// False: nothing ever waits.
    explicit AcknowledgementHold(bool enabled) : enabled_(enabled) {}

    /// What came in a datagram.
    struct Packet {
        bool brought_something = true;  ///< That we waited for.
        std::size_t bytes = 0;          ///< Of the datagram.
        std::uint8_t ecn = 0;           ///< Its two ECN bits.
        ShortNumber number{};  ///< As its header has it; empty if the packet could not be opened.
    };

    /// A packet came that may want an acknowledgement. RFC 9000 §13.2.1: the sender SHOULD hear at
    /// once of one that is not the one after the newest, or that met congestion (ECN-CE). So he
    /// does of what brought nothing that we waited for: that is behind a gap of which he may not
    /// have heard.
    void handle_received(const Packet& packet, TimePoint now);

    /// There is a reason to write at once.
    void end() { ended_ = true; }

    /// All that was there to say has been said, and whether that was something. What needs no
    /// acknowledgement may be what showed a gap, and then the next packet tells of it.
    void handle_written(bool something, TimePoint now);

    /// False if nothing may wait.
    bool is_on() const { return enabled_ && !ended_; }

    /// The deadline, or the end of the wait if that is later.
    TimePoint at_least(TimePoint deadline) const;

private:
    /// True unless it is the packet after the newest.
    bool is_out_of_turn(ShortNumber number);

    /// What has come may be all that the sender's window allows.
    bool may_fill_window() const;
    /// The sender will have a smaller window.
    void handle_congestion();
    void lengthen();
    void shorten();

    static constexpr std::uint8_t patience_max = 64;
    /// Nothing has come for so long: the sender may stand still.
    static constexpr Duration still_min = delay / 4;

    bool enabled_;
    bool ended_ = false;
    bool shows_gap_ = false;         ///< Or congestion, of which the sender has not heard.
    bool shows_congestion_ = false;  ///< Which has made them fewer.
    std::uint8_t patience_ = 1;      ///< So many waits end by bytes until these grow.
    std::uint8_t waits_left_ = 1;    ///< So many of them are left.
    std::uint32_t packets_ = 0;      ///< That have come since the last one was written.
    std::uint32_t bytes_ = 0;        ///< Of these packets.
    std::uint32_t longest_ = 0;      ///< Bytes of the longest of them.
    std::uint32_t bytes_max_ = bytes_at_first;  ///< So many end the wait.
    std::optional<std::uint32_t> newest_;       ///< The lowest bits of the newest packet's number.
    TimePoint newest_at_{};                     ///< When the last packet came.
    std::optional<TimePoint> until_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/acknowledgement_hold.ipp"
#endif
