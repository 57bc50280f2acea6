#pragma once

#include "quicchat/quic/network_watch.hpp"

#include <sys/socket.h>
// The kernel's header wants the one above.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL NetworkWatch::NetworkWatch()
    : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)) {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups =
        RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (fd_.is_open() && ::bind(fd_.fd(), generic, sizeof address) != 0) fd_ = OwnedFd{};
}

QUICCHAT_RARE_DECL bool NetworkWatch::take_change() {
    bool changed = false;
    std::array<char, 8192> news{};
    while (fd_.is_open()) {
        // What the news are does not matter: whoever wants to know asks for a route. ENOBUFS says
        // that some were lost.
        const ssize_t size = ::recv(fd_.fd(), news.data(), news.size(), 0);
        if (size < 0 && errno != EINTR && errno != ENOBUFS) break;
        changed = true;
    }
    return changed;
}

}  // namespace quicchat::quic
