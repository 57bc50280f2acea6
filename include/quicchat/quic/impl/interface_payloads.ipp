#pragma once

#include "quicchat/quic/interface_payloads.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>

#include "quicchat/base/owned_fd.hpp"
#include "quicchat/quic/handle.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL std::size_t InterfacePayloads::max_from(const SocketAddress& local,
                                                           TimePoint now) {
    constexpr Duration valid = std::chrono::seconds{10};
    if (!listed_at_ || now - *listed_at_ >= valid) {
        listed_at_ = now;
        list();
    }
    const std::string host = local.host_string();
    for (const auto& [known, payload] : payloads_) {
        if (known == host) return payload;
    }
    return 0;
}

QUICCHAT_RARE_DECL void InterfacePayloads::list() {
    constexpr std::size_t heads = 48;  // RFC 8200 §3 and RFC 768
    payloads_.clear();
    const OwnedFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifaddrs* first = nullptr;
    if (!socket.is_open() || getifaddrs(&first) != 0) return;
    const Handle<ifaddrs, freeifaddrs> owner{first};
    for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        const bool is_v6 = entry->ifa_addr->sa_family == AF_INET6;
        const SocketAddress address{entry->ifa_addr,
                                    is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)};
        ifreq request{};
        std::strncpy(request.ifr_name, entry->ifa_name, sizeof request.ifr_name - 1);
        if (address.empty() || ioctl(socket.fd(), SIOCGIFMTU, &request) != 0) continue;
        const auto mtu = static_cast<std::size_t>(request.ifr_mtu);
        if (mtu > heads) payloads_.emplace_back(address.host_string(), mtu - heads);
    }
}

}  // namespace quicchat::quic
