#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// How a client comes back after it lost its connection.
struct Reconnection {
    bool enabled = true;  ///< False: a lost connection is the end.
    /// Also before the first login has succeeded: for programs that nobody watches.
    bool before_first_login = false;
    Duration delay_min = std::chrono::milliseconds{500};  ///< Before the first attempt.
    Duration delay_max = std::chrono::seconds{30};        ///< Doubled with each, up to this.
    /// The same where the server said that it is busy or broken.
    Duration busy_delay_min = std::chrono::seconds{5};
    Duration busy_delay_max = std::chrono::minutes{2};  ///< Doubled with each, up to this.
    /// A connection that held so long was good: delays begin anew after it.
    Duration stable = std::chrono::seconds{10};
    std::optional<Duration> give_up_after{};  ///< Offline for so long is the end. Nothing: never.
};

/// When to dial again. Each delay is doubled and a random part of it, up to a half, is taken off:
/// clients that lost the same server do not come back at the same moment.
class Backoff {
public:
    /// For one client, from its first dial on.
    explicit Backoff(Reconnection policy) : policy_(policy) {}

    /// The login has succeeded.
    void handle_online(TimePoint now) { online_since_ = now; }

    /// The connection ended. How long to wait, or nothing if trying again cannot help or is not
    /// wanted.
    std::optional<Duration> handle_lost(Errc why, TimePoint now, Entropy& entropy);

    /// Attempts since the last connection that held.
    std::uint64_t attempts() const { return attempts_; }

private:
    Reconnection policy_;
    std::uint64_t attempts_ = 0;
    bool was_online_ = false;
    std::optional<TimePoint> online_since_;
    std::optional<TimePoint> offline_since_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/backoff.ipp"
#endif
