#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "quicchat/base/result.hpp"
#include "quicchat/quic/config.hpp"
#include "quicchat/quic/udp_control.hpp"
#include "quicchat/quic/udp_send_queue.hpp"

namespace quicchat::quic {

/// A non-blocking UDP socket that moves many datagrams per system call, with ECN and the address
/// that each one was sent to. Neither SO_REUSEADDR nor, unless shards ask for it, SO_REUSEPORT: a
/// second server on a port fails with EADDRINUSE.
class UdpSocket {
public:
    /// A socket for a server. Port 0 lets the system choose; see `local_address`. `::` takes IPv4
    /// as well if the system allows it.
    static Result<UdpSocket> bind(const SocketAddress& address);

    /// So many sockets on one address, for a thread each. A packet goes to the one that the first
    /// byte of its connection id names, modulo their number, by a filter of the kernel
    /// (SO_ATTACH_REUSEPORT_CBPF); where it takes none, it spreads them by their senders'
    /// addresses. A second server on the port fails as well, as long as it does not share it.
    static Result<std::vector<UdpSocket>> bind_shards(const SocketAddress& address,
                                                      std::size_t count);

    /// A socket for a client. Connected, so that a dead port is reported at once.
    static Result<UdpSocket> connect(const SocketAddress& remote);

    /// The other one then has what this one had: no socket, if this one is new.
    /// @{
    UdpSocket(UdpSocket&& other) noexcept;
    UdpSocket& operator=(UdpSocket&& other) noexcept;
    /// @}

    ~UdpSocket();

    /// For `poll` and the like: receive and send by this object. It stays this object's.
    int fd() const { return fd_; }

    /// The address that the socket is bound to.
    SocketAddress local_address() const;

    /// What came of a `receive`.
    struct Received {
        std::size_t datagrams = 0;  ///< Empty ones and cut ones included.
        bool more = false;          ///< The batch was full: there may be more.
        bool unreachable = false;   ///< Nothing listens at the remote address of the socket.
        /// The socket is of no more use. Errors of the network are none of these.
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
            // Others are about the network, as a router said (ICMP) or the system knows, and pass.
            if (errno == EBADF || errno == ENOTSOCK) received.error = last_error();
            received.more = errno != EAGAIN && !received.error;
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
    std::error_code send(const Transmit& transmit);

    /// Sends what was queued, as far as the system takes it. While `wants_write()` is true after
    /// that, wait until the socket is writable and flush again, and queue nothing until then.
    std::error_code flush() { return queue_.flush(fd_, connected_); }
    /// Whether something is queued: after `flush` the socket had no room for it.
    bool wants_write() const { return !queue_.empty(); }

    /// True if nothing listens at the remote address, as far as sending told since the last call.
    bool take_refused() { return queue_.take_refused(); }

    /// True while the system refuses what is sent: the network is down, or our address gone.
    bool is_blocked() const { return queue_.is_blocked(); }

    /// Says what time it is: some things are tried again after a while.
    void advance(TimePoint now) { queue_.advance(now); }

    /// True if the kernel cuts trains of packets itself, as far as is known.
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

        void prepare(std::byte* buffer);
    };

    UdpSocket() = default;

    static std::error_code last_error();

    static Result<UdpSocket> open(int family);

    bool steer(std::size_t sockets) const;

    bool set(int level, int option, int value) const;

    const SocketAddress& local_or_ask();

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

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/udp_socket.ipp"
#endif
