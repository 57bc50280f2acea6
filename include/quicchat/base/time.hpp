#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace quicchat {

/// The library's time line. It has no now(): the core is told the time, it never asks.
/// Nanoseconds, because that is what ngtcp2 counts in.
struct Clock {
    using duration = std::chrono::nanoseconds;          ///< As std::chrono wants it.
    using rep = duration::rep;                          ///< The same.
    using period = duration::period;                    ///< The same.
    using time_point = std::chrono::time_point<Clock>;  ///< The same.
    static constexpr bool is_steady = true;             ///< It never goes back.
};

/// A moment of that clock: for deadlines, and for what came before what.
using TimePoint = Clock::time_point;
/// A time span in nanoseconds.
using Duration = Clock::duration;

/// The time that people see on a message: since 1970, in UTC. It may jump, so nothing is ordered
/// by it.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// What an input that happens now is told: both times, read once by the driver.
struct Now {
    TimePoint steady;  ///< For deadlines.
    WallTime wall{};   ///< For what is stored, and shown to people.
};

/// Milliseconds that a peer named, as a Duration of at most a day: a larger number would overflow.
constexpr Duration from_milliseconds(std::uint64_t count) {
    constexpr std::uint64_t day = 24 * 60 * 60 * 1000;
    return std::chrono::milliseconds{static_cast<std::int64_t>(std::min(count, day))};
}

/// The same for sending: whole milliseconds, rounded down.
constexpr std::uint64_t to_milliseconds(Duration duration) {
    return static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(duration).count());
}

/// The earlier of two deadlines, where nothing means never.
constexpr std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
    if (!a) return b;
    if (!b) return a;
    return *a < *b ? a : b;
}

}  // namespace quicchat
