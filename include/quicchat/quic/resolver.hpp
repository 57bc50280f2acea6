#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/quic/address.hpp"

namespace quicchat::quic {

/// Looks up host names without blocking the caller. Each look-up has a thread of its own that
/// nobody waits for: a name server that does not answer must not hold up the end of a program, and
/// there is no way to stop getaddrinfo.
class Resolver {
public:
    /// The best address first; an error of `resolve_category`, or what the system says.
    using Answer = Result<std::vector<SocketAddress>>;

    Resolver() : shared_(std::make_shared<Shared>()) {}

    /// It may be that the system has no descriptors left.
    bool is_open() const { return shared_->wake.is_open(); }
    /// Readable when there is an answer.
    int fd() const { return shared_->wake.fd(); }

    /// Begins to look this up, unless a look-up is under way: all are for the same host.
    void ask(const std::string& host, std::uint16_t port);

    /// The answer, once.
    std::optional<Answer> take();

private:
    struct Shared {
        WakeFd wake;
        std::mutex mutex;  ///< Guards what follows.
        bool busy = false;
        std::optional<Answer> answer;
    };

    std::shared_ptr<Shared> shared_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/resolver.ipp"
#endif
