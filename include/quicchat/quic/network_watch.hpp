#pragma once

#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"

namespace quicchat::quic {

/// Tells when addresses or routes of this computer change: another Wi-Fi, a cable, a VPN. Without
/// netlink it tells nothing.
class NetworkWatch {
public:
    NetworkWatch();

    /// Readable when something has changed; -1 if nothing can be told.
    int fd() const { return fd_.fd(); }

    /// True if something has changed since the last call.
    bool take_change();

private:
    OwnedFd fd_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/network_watch.ipp"
#endif
