#pragma once

#include "quicchat/quic/udp_socket.hpp"

#include <linux/filter.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL Result<UdpSocket> UdpSocket::bind(const SocketAddress& address) {
    Result<UdpSocket> socket = open(address.family());
    if (!socket) return socket;
    if (address.family() == AF_INET6 && address.is_wildcard()) {
        socket->set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    if (::bind(socket->fd_, address.data(), address.size()) != 0) return last_error();
    return socket;
}

QUICCHAT_RARE_DECL Result<std::vector<UdpSocket>> UdpSocket::bind_shards(
    const SocketAddress& address, std::size_t count) {
    std::vector<UdpSocket> sockets;
    // Alone at first: that fails where anybody has the address, whoever would share it.
    Result<UdpSocket> first = bind(address);
    if (!first) return first.error();
    const SocketAddress local = first->local_address();
    sockets.push_back(*std::move(first));
    if (count > 1 && !sockets[0].set(SOL_SOCKET, SO_REUSEPORT, 1)) return last_error();
    while (sockets.size() < count) {
        Result<UdpSocket> next = open(local.family());
        if (!next) return next.error();
        if (!next->set(SOL_SOCKET, SO_REUSEPORT, 1)) return last_error();
        if (local.family() == AF_INET6 && local.is_wildcard()) {
            next->set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
        }
        if (::bind(next->fd_, local.data(), local.size()) != 0) return last_error();
        sockets.push_back(*std::move(next));
    }
    if (count > 1) (void)sockets[0].steer(count);  // strays are handed over where it fails
    return sockets;
}

/// RFC 9000 §17: a long header has the length of the destination connection id before it, a short
/// one begins with it behind the first byte.
QUICCHAT_RARE_DECL bool UdpSocket::steer(std::size_t sockets) const {
    constexpr std::uint32_t long_header = 0x80;
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, long_header, 2, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(sockets)),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    return setsockopt(fd_, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0;
}

QUICCHAT_DECL Result<UdpSocket> UdpSocket::connect(const SocketAddress& remote) {
    Result<UdpSocket> socket = open(remote.family());
    if (!socket) return socket;
    if (::connect(socket->fd_, remote.data(), remote.size()) != 0) return last_error();
    socket->connected_ = true;
    return socket;
}

QUICCHAT_DECL UdpSocket::UdpSocket(UdpSocket&& other) noexcept { *this = std::move(other); }

QUICCHAT_DECL UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(local_, other.local_);
    std::swap(receive_buffer_, other.receive_buffer_);
    std::swap(queue_, other.queue_);
    std::swap(connected_, other.connected_);
    return *this;
}

QUICCHAT_DECL UdpSocket::~UdpSocket() {
    if (fd_ >= 0) close(fd_);
}

QUICCHAT_DECL SocketAddress UdpSocket::local_address() const {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (getsockname(fd_, address, &size) != 0) return {};
    return {address, size};
}

QUICCHAT_DECL std::error_code UdpSocket::send(const Transmit& transmit) {
    if (!queue_.has_room()) {
        if (const auto error = flush()) return error;
    }
    if (queue_.has_room()) queue_.push(transmit);  // or else it is lost, as on any full link
    return {};
}

QUICCHAT_DECL void UdpSocket::ReceiveBatch::prepare(std::byte* buffer) {
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

QUICCHAT_DECL std::error_code UdpSocket::last_error() { return {errno, std::system_category()}; }

QUICCHAT_DECL Result<UdpSocket> UdpSocket::open(int family) {
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

QUICCHAT_DECL bool UdpSocket::set(int level, int option, int value) const {
    return setsockopt(fd_, level, option, &value, sizeof value) == 0;
}

QUICCHAT_DECL const SocketAddress& UdpSocket::local_or_ask() {
    if (local_.empty()) local_ = local_address();
    return local_;
}

}  // namespace quicchat::quic
