#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/address.hpp"

namespace quicchat::quic {

/// How long the packets may be that leave through an interface of this machine.
class InterfacePayloads {
public:
    /// Bytes of a UDP payload that leaves from this address: its interface's MTU without the heads
    /// of IPv6 and UDP. 1452 of a common Ethernet, 8952 of one with jumbo frames, 65 488 of the
    /// loopback; 0 if no interface has the address. Asks the system once in 10 s at most.
    std::size_t max_from(const SocketAddress& local, TimePoint now);

private:
    void list();

    std::vector<std::pair<std::string, std::size_t>> payloads_;  ///< By host.
    std::optional<TimePoint> listed_at_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/interface_payloads.ipp"
#endif
