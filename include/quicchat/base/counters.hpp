#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "quicchat/base/error.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// How often something took how long.
struct Timing {
    std::uint64_t count = 0;  ///< Durations that were added.
    Duration sum{};           ///< Of all of them; divided by `count` it is their mean.
    Duration max{};           ///< The longest one.

    /// Counts one more that took so long.
    void add(Duration duration) {
        ++count;
        sum += duration;
        max = std::max(max, duration);
    }
};

/// How often each error was the reason for something.
class ErrorCounts {
public:
    /// Counts one error, or all that another one has counted.
    /// @{
    void add(Errc errc) { ++counts_[place(errc)]; }
    void add(const ErrorCounts& other) {
        for (std::size_t i = 0; i < places; ++i) counts_[i] += other.counts_[i];
    }
    /// @}

    /// How often that one was the reason.
    std::uint64_t of(Errc errc) const { return counts_[place(errc)]; }

    /// How often any was.
    std::uint64_t all() const {
        std::uint64_t sum = 0;
        for (const std::uint64_t count : counts_) sum += count;
        return sum;
    }

private:
    static constexpr std::size_t places = 128;

    static constexpr std::size_t place(Errc errc) {
        const std::uint64_t code = wire_code(errc);
        return code < places ? code : wire_code(Errc::internal_error);
    }

    std::array<std::uint64_t, places> counts_{};
};

}  // namespace quicchat
