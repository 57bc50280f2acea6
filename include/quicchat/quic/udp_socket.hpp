#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#include "quicchat/base/result.hpp"
#include "quicchat/quic/config.hpp"
#include "quicchat/quic/udp_control.hpp"
#include "quicchat/quic/udp_send_queue.hpp"

namespace quicchat::quic {

/// A non-blocking UDP socket that moves many datagrams per system call, with ECN and the address
/// that each one was sent to. Neither SO_REUSEADDR nor SO_REUSEPORT: a second server on a port
/// fails with EADDRINUSE.
class UdpSocket {
public:
    /// A socket for a server. Port 0 lets the system choose; see `local_address`. `::` takes IPv4
    /// as well if the system allows it.
    static Result<UdpSocket> bind(const SocketAddress& address) {
        Result<UdpSocket> socket = open(address.family());
        if (!socket) return socket;
        if (address.family() == AF_INET6 && address.is_wildcard()) {
            socket->set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
        }
        if (::bind(socket->fd_, address.data(), address.size()) != 0) return last_error();
        return socket;
    }

    /// A socket for a client. Connected, so that a dead port is reported at once.
    static Result<UdpSocket> connect(const SocketAddress& remote) {
        Result<UdpSocket> socket = open(remote.family());
        if (!socket) return socket;
        if (::connect(socket->fd_, remote.data(), remote.size()) != 0) return last_error();
        socket->connected_ = true;
        return socket;
    }

    UdpSocket(UdpSocket&& other) noexcept { *this = std::move(other); }
    UdpSocket& operator=(UdpSocket&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(local_, other.local_);
        std::swap(receive_buffer_, other.receive_buffer_);
        std::swap(queue_, other.queue_);
        std::swap(connected_, other.connected_);
        return *this;
    }
    ~UdpSocket() {
        if (fd_ >= 0) close(fd_);
    }

    int fd() const { return fd_; }

    /// The address that the socket is bound to.
    SocketAddress local_address() const {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        auto* address = reinterpret_cast<sockaddr*>(&storage);
        if (getsockname(fd_, address, &size) != 0) return {};
        return {address, size};
    }

    /// What came of a `receive`.
    struct Received {
        std::size_t datagrams = 0;  ///< Empty ones and cut ones included.
        bool more = false;          ///< The batch was full: there may be more.
        bool unreachable = false;   ///< Nothing listens at the remote address of the socket.
        std::error_code error{};
    };

    /// Reads one batch and gives each datagram to `handle(const Datagram&)`.
    template <class Handler>
    Received receive(Handler handle) {
        ReceiveBatch batch;
        batch.prepare(receive_buffer_.get());
        const int count = recvmmsg(fd_, batch.messages.data(),
                                   static_cast<unsigned>(batch.messages.size()), 0, nullptr);
        Received received;
        if (count < 0) {
            received.unreachable = errno == ECONNREFUSED;
            const bool harmless = errno == EAGAIN || errno == EINTR || received.unreachable;
            if (!harmless) received.error = last_error();
            received.more = errno == EINTR || received.unreachable;
            return received;
        }
        const SocketAddress& local = local_or_ask();
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
            received.datagrams += split(batch, i, local, handle);
        }
        received.more = static_cast<std::size_t>(count) == batch.messages.size();
        return received;
    }

    /// Queues datagrams; `flush` sends them.
    std::error_code send(const Transmit& transmit) {
        if (!queue_.has_room()) {
            if (const auto error = flush()) return error;
        }
        if (queue_.has_room()) queue_.push(transmit);  // or else it is lost, as on any full link
        return {};
    }

    /// Sends what was queued, as far as the system takes it. While `wants_write()` is true after
    /// that, wait until the socket is writable and flush again, and queue nothing until then.
    std::error_code flush() { return queue_.flush(fd_, connected_); }
    bool wants_write() const { return !queue_.empty(); }

    /// True if nothing listens at the remote address, as far as sending told since the last call.
    bool take_refused() { return queue_.take_refused(); }

    /// True if the kernel cuts trains of packets itself.
    bool has_gso() const { return queue_.has_gso(); }
    /// For tests, and for devices that lie.
    void disable_gso() { queue_.set_gso(false); }

private:
    static constexpr std::size_t batch_max = 64;
    static constexpr std::size_t receive_bytes_max = 65'536;  // a whole train of GRO

    struct ReceiveBatch {
        std::array<mmsghdr, batch_max> messages;
        std::array<iovec, batch_max> vectors;
        std::array<sockaddr_storage, batch_max> names;
        std::array<ControlBuffer, batch_max> controls;

        void prepare(std::byte* buffer) {
            for (std::size_t i = 0; i < batch_max; ++i) {
                vectors[i] = {buffer + i * receive_bytes_max, receive_bytes_max};
                messages[i] = {};
                msghdr& head = messages[i].msg_hdr;
                head.msg_name = &names[i];
                head.msg_namelen = sizeof names[i];
                head.msg_iov = &vectors[i];
                head.msg_iovlen = 1;
                head.msg_control = controls[i].bytes;
                head.msg_controllen = sizeof controls[i].bytes;
            }
        }
    };

    UdpSocket() = default;

    static std::error_code last_error() { return {errno, std::system_category()}; }

    static Result<UdpSocket> open(int family) {
        UdpSocket made;
        made.fd_ = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
        if (made.fd_ < 0) return last_error();
        // Not filled with zeros: of 4 MiB only the pages are taken that datagrams were written to.
        made.receive_buffer_ =
            std::make_unique_for_overwrite<std::byte[]>(batch_max * receive_bytes_max);
        // All of these make things better and none is needed, so their failure is no error.
        if (family == AF_INET) {
            made.set(IPPROTO_IP, IP_RECVTOS, 1);
            made.set(IPPROTO_IP, IP_PKTINFO, 1);
            // RFC 9000 §14: "UDP datagrams MUST NOT be fragmented at the IP layer."
            made.set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
        } else {
            made.set(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
            made.set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
            made.set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
            made.set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);  // of mapped IPv4
            made.set(IPPROTO_IP, IP_RECVTOS, 1);
        }
        made.set(SOL_UDP, UDP_GRO, 1);
        made.set(SOL_SOCKET, SO_RCVBUF, 4 * 1024 * 1024);
        made.set(SOL_SOCKET, SO_SNDBUF, 4 * 1024 * 1024);
        made.queue_.set_gso(made.set(SOL_UDP, UDP_SEGMENT, 0));
        return made;
    }

    bool set(int level, int option, int value) const {
        return setsockopt(fd_, level, option, &value, sizeof value) == 0;
    }

    const SocketAddress& local_or_ask() {
        if (local_.empty()) local_ = local_address();
        return local_;
    }

    /// One message of a batch may be a train of datagrams (UDP_GRO).
    template <class Handler>
    static std::size_t split(ReceiveBatch& batch, std::size_t index, const SocketAddress& local,
                             Handler& handle) {
        const msghdr& head = batch.messages[index].msg_hdr;
        const ReceivedControl control = read_control(head, local);
        Datagram datagram{.local = control.local,
                          .remote = {static_cast<const sockaddr*>(head.msg_name), head.msg_namelen},
                          .ecn = control.ecn,
                          .bytes = {}};
        BytesView rest{static_cast<const std::byte*>(head.msg_iov->iov_base),
                       batch.messages[index].msg_len};
        std::size_t count = 0;
        do {
            const bool train = control.segment_size > 0;
            const std::size_t size =
                train ? std::min(control.segment_size, rest.size()) : rest.size();
            datagram.bytes = rest.first(size);
            rest = rest.subspan(size);
            ++count;
            handle(std::as_const(datagram));
        } while (!rest.empty());
        return count;
    }

    int fd_ = -1;
    SocketAddress local_;
    std::unique_ptr<std::byte[]> receive_buffer_;
    UdpSendQueue queue_;
    bool connected_ = false;
};

}  // namespace quicchat::quic
