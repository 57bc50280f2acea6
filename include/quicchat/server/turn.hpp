#pragma once

#include "quicchat/base/counters.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// What the parts of a hub share in one turn of the server: what time it is, and whether the log
/// can still be trusted.
class Turn {
public:
    /// What time it is for everything up to the next call; a start needs no steady time.
    /// @{
    void begin(WallTime now) { now_ = now; }
    void begin(WallTime now, TimePoint steady) {
        now_ = now;
        steady_ = steady;
    }
    /// @}

    /// As `begin` was told.
    /// @{
    WallTime now() const { return now_; }
    TimePoint steady() const { return steady_; }
    /// @}

    /// Requests that were refused since the start.
    ErrorCounts& refusals() { return refusals_; }
    /// To look at only.
    const ErrorCounts& refusals() const { return refusals_; }

    /// Takes note of an error that ends the server: a log that cannot be read or begun is of no
    /// use. Returns what it is given.
    Errc noted(Errc errc);
    /// The server has to end, for that reason.
    void fail(Errc errc) { failure_ = errc; }
    /// Whether `take_failure` has an error to give.
    bool has_failed() const { return failure_ != Errc{}; }
    /// Why the server has to end, once; `Errc{}`: it need not.
    Errc take_failure();

private:
    WallTime now_{};
    TimePoint steady_{};
    ErrorCounts refusals_;
    Errc failure_{};
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/impl/turn.ipp"
#endif
