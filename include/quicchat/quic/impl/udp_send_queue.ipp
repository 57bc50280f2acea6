#pragma once

#include "quicchat/quic/udp_send_queue.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/udp_control.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void UdpSendQueue::push(const Transmit& transmit) {
    entries_.push_back({transmit.local, transmit.remote, transmit.ecn, bytes_.size(),
                        transmit.bytes.size(), transmit.segment_size});
    bytes_.insert(bytes_.end(), transmit.bytes.begin(), transmit.bytes.end());
}

QUICCHAT_DECL std::error_code UdpSendQueue::flush(int fd, bool connected) {
    while (!empty()) {
        const std::size_t sent = send_batch(fd, connected);
        next_ += sent;
        if (sent > 0) {
            blocked_ = false;
            continue;
        }
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
        handle_refusal(errno);
    }
    entries_.clear();
    bytes_.clear();
    next_ = 0;
    return {};
}

QUICCHAT_DECL bool UdpSendQueue::take_refused() { return std::exchange(refused_, false); }

QUICCHAT_DECL std::size_t UdpSendQueue::send_batch(int fd, bool connected) {
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

QUICCHAT_DECL Transmit UdpSendQueue::transmit_of(const Entry& entry) const {
    return {entry.local, entry.remote, entry.ecn,
            BytesView{bytes_}.subspan(entry.offset, entry.size), entry.segment_size};
}

QUICCHAT_DECL void UdpSendQueue::split_trains() {
    if (has_gso()) return;
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

QUICCHAT_DECL void UdpSendQueue::advance(TimePoint now) {
    now_ = now;
    if (gso_again_at_ && now >= *gso_again_at_) gso_again_at_.reset();
}

QUICCHAT_DECL void UdpSendQueue::handle_refusal(int error) {
    const Entry& entry = entries_[next_];
    // EIO: a device on the way cannot checksum trains; EINVAL: it cannot take this one. All others
    // are about the network, a firewall or this peer, and pass or concern nobody else.
    const bool about_trains = error == EIO || error == EINVAL;
    if (about_trains && has_gso() && entry.size > entry.segment_size) {
        gso_again_at_ = now_ + gso_pause;  // until then they are cut here
    } else {
        blocked_ = blocked_ || (error != EMSGSIZE && error != ECONNREFUSED);
        ++next_;
    }
}

}  // namespace quicchat::quic
