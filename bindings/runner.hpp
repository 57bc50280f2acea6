#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "quicchat/base/time.hpp"

namespace quicchat::python {

/// A client or a server that its host drives, from one thread at a time.
class Runner {
public:
    virtual ~Runner() = default;
    /// -1: it has none.
    virtual int fd() const = 0;
    /// Other descriptors that are readable when a turn is due, always the same; -1 for none.
    virtual std::array<int, 2> wake_fds() const { return {-1, -1}; }
    virtual bool wants_write() const = 0;
    virtual std::optional<TimePoint> next_deadline() const = 0;

    /// Does what there is to do: commands, datagrams, timers; leaves events in the mailbox.
    virtual void turn(Now now) = 0;

    /// The process ends: says good-bye to the peers now, without waiting for anybody.
    virtual void abandon(Now now) = 0;

    /// True when there is nothing left to do. It is destroyed then.
    virtual bool finished() const = 0;
};

enum class RunnerId : std::uint64_t {};

/// What runs clients and servers: the engine thread or, without sockets and threads, a network in
/// memory. Thread-safe.
class Host {
public:
    virtual ~Host() = default;

    /// Asks for a turn of that runner. Does nothing if it is gone.
    virtual void wake(RunnerId runner) = 0;

    /// False if nothing of it may be used any more.
    virtual bool is_alive() const = 0;
};

}  // namespace quicchat::python
