#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "quicchat/quic/config.hpp"

// Linux has had them since 4.18 and 5.0; the C library's headers are sometimes older.
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace quicchat::quic {

/// Room for the control messages of one datagram: ECN, address, segment size.
struct ControlBuffer {
    alignas(cmsghdr) std::byte bytes[128];
};

/// What the control messages of a received datagram say.
struct ReceivedControl {
    SocketAddress local;  ///< The address it was sent to.
    std::uint8_t ecn = 0;
    std::size_t segment_size = 0;  ///< Not 0: these are several datagrams of that size.
};

namespace detail {

template <class T>
T read_as(const cmsghdr* message) {
    T value{};
    std::memcpy(&value, CMSG_DATA(const_cast<cmsghdr*>(message)), sizeof value);
    return value;
}

inline std::uint8_t read_ecn(const cmsghdr* message) {
    // The kernel sends a byte for IPv4 and an int for IPv6.
    const bool is_byte = message->cmsg_len < CMSG_LEN(sizeof(int));
    const int field = is_byte ? read_as<std::uint8_t>(message) : read_as<int>(message);
    return static_cast<std::uint8_t>(field & 3);
}

}  // namespace detail

/// `bound` is the socket's own address, whose port the datagram was sent to.
inline ReceivedControl read_control(const msghdr& head, const SocketAddress& bound) {
    ReceivedControl control{.local = bound};
    auto* walk = const_cast<msghdr*>(&head);
    for (const cmsghdr* message = CMSG_FIRSTHDR(walk); message != nullptr;
         message = CMSG_NXTHDR(walk, const_cast<cmsghdr*>(message))) {
        const int level = message->cmsg_level;
        const int type = message->cmsg_type;
        if ((level == IPPROTO_IP && type == IP_TOS) ||
            (level == IPPROTO_IPV6 && type == IPV6_TCLASS)) {
            control.ecn = detail::read_ecn(message);
        } else if (level == IPPROTO_IP && type == IP_PKTINFO && bound.family() == AF_INET) {
            sockaddr_in local = bound.v4();
            local.sin_addr = detail::read_as<in_pktinfo>(message).ipi_addr;
            control.local = {reinterpret_cast<const sockaddr*>(&local), sizeof local};
        } else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO && bound.family() == AF_INET6) {
            sockaddr_in6 local = bound.v6();
            local.sin6_addr = detail::read_as<in6_pktinfo>(message).ipi6_addr;
            control.local = {reinterpret_cast<const sockaddr*>(&local), sizeof local};
        } else if (level == SOL_UDP && type == UDP_GRO) {
            const int size = detail::read_as<int>(message);
            control.segment_size = size > 0 ? static_cast<std::size_t>(size) : 0;
        }
    }
    return control;
}

namespace detail {

/// Appends control messages to a message head.
class ControlWriter {
public:
    ControlWriter(msghdr& head, ControlBuffer& buffer) : head_(head), buffer_(buffer) {}

    template <class T>
    void append(int level, int type, const T& value) {
        auto* message = reinterpret_cast<cmsghdr*>(buffer_.bytes + used_);
        message->cmsg_level = level;
        message->cmsg_type = type;
        message->cmsg_len = CMSG_LEN(sizeof value);
        std::memcpy(CMSG_DATA(message), &value, sizeof value);
        used_ += CMSG_SPACE(sizeof value);
        head_.msg_control = buffer_.bytes;
        head_.msg_controllen = used_;
    }

private:
    msghdr& head_;
    ControlBuffer& buffer_;
    std::size_t used_ = 0;
};

}  // namespace detail

/// The control messages for sending. `with_source` keeps the address that the peer knows us by: on
/// a socket that is bound to all addresses the system might choose another.
inline void write_control(msghdr& head, ControlBuffer& buffer, const Transmit& transmit,
                          bool with_source) {
    detail::ControlWriter writer{head, buffer};
    const bool v4 = transmit.remote.family() == AF_INET;
    const bool mapped = !v4 && IN6_IS_ADDR_V4MAPPED(&transmit.remote.v6().sin6_addr);
    if (transmit.ecn != 0) {
        if (v4 || mapped) writer.append(IPPROTO_IP, IP_TOS, int{transmit.ecn});
        if (!v4 && !mapped) writer.append(IPPROTO_IPV6, IPV6_TCLASS, int{transmit.ecn});
    }
    const bool known = with_source && !transmit.local.empty() && !transmit.local.is_wildcard();
    if (known && transmit.local.family() == AF_INET) {
        in_pktinfo info{};
        info.ipi_spec_dst = transmit.local.v4().sin_addr;
        writer.append(IPPROTO_IP, IP_PKTINFO, info);
    } else if (known && transmit.local.family() == AF_INET6) {
        in6_pktinfo info{};
        info.ipi6_addr = transmit.local.v6().sin6_addr;
        writer.append(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
    if (transmit.bytes.size() > transmit.segment_size) {
        writer.append(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(transmit.segment_size));
    }
}

}  // namespace quicchat::quic
