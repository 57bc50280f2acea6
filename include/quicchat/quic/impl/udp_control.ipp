#pragma once

#include "quicchat/quic/udp_control.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::quic::detail {

template <class T>
T read_as(const cmsghdr* message) {
    T value{};
    std::memcpy(&value, CMSG_DATA(const_cast<cmsghdr*>(message)), sizeof value);
    return value;
}

QUICCHAT_DECL std::uint8_t read_ecn(const cmsghdr* message) {
    // The kernel sends a byte for IPv4 and an int for IPv6.
    const bool is_byte = message->cmsg_len < CMSG_LEN(sizeof(int));
    const int field = is_byte ? read_as<std::uint8_t>(message) : read_as<int>(message);
    return static_cast<std::uint8_t>(field & 3);
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_DECL ReceivedControl read_control(const msghdr& head, const SocketAddress& bound) {
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

QUICCHAT_DECL void write_control(msghdr& head, ControlBuffer& buffer, const Transmit& transmit,
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
