#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "quicchat/quic/config.hpp"
#include "quicchat/quic/udp_control.hpp"

namespace quicchat::quic {

/// Datagrams on their way into a UDP socket: collected over a turn and handed to the system in few
/// calls. What the socket has no room for stays here.
class UdpSendQueue {
public:
    /// What one turn may collect before it has to be flushed.
    static constexpr std::size_t entries_max = 256;
    static constexpr std::size_t bytes_max = 512 * 1024;

    /// True if another train fits. If not, flush first.
    bool has_room() const { return entries_.size() < entries_max && bytes_.size() < bytes_max; }
    bool empty() const { return next_ == entries_.size(); }

    void push(const Transmit& transmit) {
        entries_.push_back({transmit.local, transmit.remote, transmit.ecn, bytes_.size(),
                            transmit.bytes.size(), transmit.segment_size});
        bytes_.insert(bytes_.end(), transmit.bytes.begin(), transmit.bytes.end());
    }

    /// Sends what the socket takes now. A datagram that the system refuses is lost, as the network
    /// may lose any. An error means that the socket itself is of no more use.
    std::error_code flush(int fd, bool connected) {
        while (!empty()) {
            const std::size_t sent = send_batch(fd, connected);
            next_ += sent;
            if (sent > 0) continue;
            switch (errno) {
                case EINTR:
                    continue;
                case EAGAIN:
                case ENOBUFS:
                    return {};
                case EBADF:
                case ENOTSOCK:
                    return {errno, std::system_category()};
                case ECONNREFUSED:
                    // About an earlier datagram; this one was not even tried.
                    if (!std::exchange(refused_, true)) continue;
                    break;
                default:
                    break;
            }
            handle_refusal();
        }
        entries_.clear();
        bytes_.clear();
        next_ = 0;
        return {};
    }

    /// True if the system said since the last call that nobody listens there.
    bool take_refused() { return std::exchange(refused_, false); }

    bool has_gso() const { return has_gso_; }
    void set_gso(bool available) { has_gso_ = available; }

private:
    static constexpr std::size_t batch_max = 64;

    struct Entry {
        SocketAddress local;
        SocketAddress remote;
        std::uint8_t ecn;
        std::size_t offset;
        std::size_t size;
        std::size_t segment_size;
    };

    std::size_t send_batch(int fd, bool connected) {
        split_trains();
        std::array<mmsghdr, batch_max> messages{};
        std::array<iovec, batch_max> vectors{};
        std::array<ControlBuffer, batch_max> controls;
        const std::size_t count = std::min(entries_.size() - next_, batch_max);
        for (std::size_t i = 0; i < count; ++i) {
            Entry& entry = entries_[next_ + i];
            vectors[i] = {bytes_.data() + entry.offset, entry.size};
            msghdr& head = messages[i].msg_hdr;
            head.msg_iov = &vectors[i];
            head.msg_iovlen = 1;
            if (!connected) {
                head.msg_name = const_cast<sockaddr*>(entry.remote.data());
                head.msg_namelen = entry.remote.size();
            }
            write_control(head, controls[i], transmit_of(entry), !connected);
        }
        const int sent = sendmmsg(fd, messages.data(), static_cast<unsigned>(count), 0);
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }

    Transmit transmit_of(const Entry& entry) const {
        return {entry.local, entry.remote, entry.ecn,
                BytesView{bytes_}.subspan(entry.offset, entry.size), entry.segment_size};
    }

    /// Without help from the kernel a train is as many datagrams.
    void split_trains() {
        if (has_gso_) return;
        std::vector<Entry> datagrams;
        for (std::size_t i = next_; i < entries_.size(); ++i) {
            Entry rest = entries_[i];
            while (rest.size > rest.segment_size) {
                Entry first = rest;
                first.size = rest.segment_size;
                datagrams.push_back(first);
                rest.offset += first.size;
                rest.size -= first.size;
            }
            datagrams.push_back(rest);
        }
        entries_ = std::move(datagrams);
        next_ = 0;
    }

    /// The system refused the first entry for good.
    void handle_refusal() {
        const Entry& entry = entries_[next_];
        if (has_gso_ && entry.size > entry.segment_size) {
            has_gso_ = false;  // the device below cannot cut trains: do it here from now on
        } else {
            ++next_;
        }
    }

    std::vector<Entry> entries_;
    std::vector<std::byte> bytes_;
    std::size_t next_ = 0;  ///< The first entry that was not sent.
    bool has_gso_ = false;
    bool refused_ = false;
};

}  // namespace quicchat::quic
