#pragma once

#include "quicchat/base/error.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// What the parts of a hub share in one turn of the server: what time it is, and whether the log
/// can still be trusted.
class Turn {
public:
    void begin(WallTime now) { now_ = now; }
    WallTime now() const { return now_; }

    /// Takes note of an error that ends the server: a log that cannot be read or begun is of no
    /// use. Returns what it is given.
    Errc noted(Errc errc);
    void fail(Errc errc) { failure_ = errc; }
    bool has_failed() const { return failure_ != Errc{}; }
    Errc take_failure();

private:
    WallTime now_{};
    Errc failure_{};
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/impl/turn.ipp"
#endif
