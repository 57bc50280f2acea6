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
    using Fill = void (*)(std::uint64_t& state, std::span<std::byte> bytes);

    /// `source` must fill all bytes or end the program.
    explicit Entropy(Fill source, std::uint64_t state = 0) : fill_(source), state_(state) {}

    /// The same seed gives the same bytes on every platform. Never for real use: whoever knows or
    /// guesses the seed knows the nonces.
    static Entropy seeded(std::uint64_t seed) { return Entropy{fill_from_seed, seed}; }

    void fill(std::span<std::byte> bytes) { fill_(state_, bytes); }

    template <std::size_t N>
    std::array<std::byte, N> draw() {
        std::array<std::byte, N> bytes;
        fill(bytes);
        return bytes;
    }

    std::uint64_t draw_number() {
        std::uint64_t number = 0;
        for (const std::byte octet : draw<8>()) {
            number = (number << 8) | std::to_integer<std::uint64_t>(octet);
        }
        return number;
    }

private:
    /// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
    static void fill_from_seed(std::uint64_t& state, std::span<std::byte> bytes) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (i % 8 == 0) {
                state += 0x9e3779b97f4a7c15;
                word = state;
                word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
                word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
                word ^= word >> 31;
            }
            bytes[i] = static_cast<std::byte>(word >> (8 * (i % 8)));
        }
    }

    Fill fill_;
    std::uint64_t state_;
};

}  // namespace quicchat
