#pragma once

#include <cassert>
#include <cstdint>

namespace quicchat::memory {

/// Repeatable numbers for simulations, never for secrets: SplitMix64 (Steele, Lea, Flood 2014).
///
/// Neither an engine nor a distribution of the standard library: the output of the distributions
/// differs between libraries, and a seed in a bug report must mean the same run for everyone.
class Random {
public:
    /// Any seed, also 0; the same one gives the same numbers everywhere.
    explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

    /// 64 bits, all of them equally random.
    constexpr std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// A number from `low` to `high`, both included. The bias of % is harmless here.
    constexpr std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        assert(low <= high);
        const std::uint64_t width = high - low + 1;
        return width == 0 ? next() : low + next() % width;
    }

    /// True in `percent` of 100 cases.
    constexpr bool chance(unsigned percent) { return draw(0, 99) < percent; }

private:
    std::uint64_t state_;
};

}  // namespace quicchat::memory
