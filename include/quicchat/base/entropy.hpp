#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace quicchat {

/// Where random bytes come from: the operating system in programs, a seed in simulations. The core
/// draws all its randomness from the one it was given.
class Entropy {
public:
    /// Fills `bytes`; `state` is its own to keep.
    using Fill = void (*)(std::uint64_t& state, std::span<std::byte> bytes);

    /// `source` must fill all bytes or end the program.
    explicit Entropy(Fill source, std::uint64_t state = 0) : fill_(source), state_(state) {}

    /// The same seed gives the same bytes on every platform. Never for real use: whoever knows or
    /// guesses the seed knows the nonces.
    static Entropy seeded(std::uint64_t seed) { return Entropy{fill_from_seed, seed}; }

    /// Random bytes, all of them.
    void fill(std::span<std::byte> bytes) { fill_(state_, bytes); }

    /// The same, as a value.
    template <std::size_t N>
    std::array<std::byte, N> draw() {
        std::array<std::byte, N> bytes;
        fill(bytes);
        return bytes;
    }

    /// A random number of 64 bits.
    std::uint64_t draw_number();

private:
    /// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
    static void fill_from_seed(std::uint64_t& state, std::span<std::byte> bytes);

    Fill fill_;
    std::uint64_t state_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/entropy.ipp"
#endif
