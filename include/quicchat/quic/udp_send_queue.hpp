#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

#include "quicchat/base/time.hpp"
#include "quicchat/quic/config.hpp"

namespace quicchat::quic {

/// Datagrams on their way into a UDP socket: collected over a turn and handed to the system in few
/// calls. What the socket has no room for stays here.
class UdpSendQueue {
public:
    /// What one turn may collect before it has to be flushed.
    static constexpr std::size_t entries_max = 256;
    /// Bytes of all datagrams, but for the last train, which may go above it.
    static constexpr std::size_t bytes_max = 512 * 1024;

    /// True if another train fits. If not, flush first.
    bool has_room() const { return entries_.size() < entries_max && bytes_.size() < bytes_max; }
    /// Whether all was sent.
    bool empty() const { return next_ == entries_.size(); }

    /// Copies the bytes.
    void push(const Transmit& transmit);

    /// Sends what the socket takes now. A datagram that the system refuses is lost, as the network
    /// may lose any. An error means that the socket itself is of no more use.
    std::error_code flush(int fd, bool connected);

    /// True if the system said since the last call that nobody listens there.
    bool take_refused();

    /// True while the system refuses what is sent, for another reason than its size: since then
    /// nothing has gone out.
    bool is_blocked() const { return blocked_; }

    /// False also for a while after the system would not take a train.
    bool has_gso() const { return has_gso_ && !gso_again_at_; }
    /// Whether the kernel cuts trains of packets itself (UDP_SEGMENT).
    void set_gso(bool available) { has_gso_ = available; }

    /// Says what time it is.
    void advance(TimePoint now);

private:
    static constexpr std::size_t batch_max = 64;
    static constexpr Duration gso_pause = std::chrono::minutes{1};

    struct Entry {
        SocketAddress local;
        SocketAddress remote;
        std::uint8_t ecn;
        std::size_t offset;
        std::size_t size;
        std::size_t segment_size;
    };

    std::size_t send_batch(int fd, bool connected);

    Transmit transmit_of(const Entry& entry) const;

    /// Without help from the kernel a train is as many datagrams.
    void split_trains();

    /// The system refused the first entry for good.
    void handle_refusal(int error);

    std::vector<Entry> entries_;
    std::vector<std::byte> bytes_;
    std::size_t next_ = 0;  ///< The first entry that was not sent.
    bool has_gso_ = false;
    std::optional<TimePoint> gso_again_at_{};
    TimePoint now_{};
    bool refused_ = false;
    bool blocked_ = false;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/udp_send_queue.ipp"
#endif
