#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace quicchat::test {

/// The seed of a random test: QUICCHAT_SEED if that is set, or else a new one every time. Say what
/// it was, or a failure cannot be repeated:
///
///     const std::uint64_t seed = test::seed();
///     INFO("seed=" << seed);
inline std::uint64_t seed() {
    // One per process, so that every section of a test case runs with the same one.
    static const std::uint64_t value = [] {
        if (const char* text = std::getenv("QUICCHAT_SEED")) {
            return static_cast<std::uint64_t>(std::stoull(text, nullptr, 0));
        }
        std::random_device device;
        return (static_cast<std::uint64_t>(device()) << 32) | device();
    }();
    return value;
}

/// How many seeds to try: QUICCHAT_SIM_SEEDS if that is set, or else as many as usual.
inline std::uint64_t seed_count(std::uint64_t usual) {
    const char* text = std::getenv("QUICCHAT_SIM_SEEDS");
    return text != nullptr ? std::stoull(text) : usual;
}

/// True if somebody asks for one run in particular.
inline bool seed_is_given() { return std::getenv("QUICCHAT_SEED") != nullptr; }

}  // namespace quicchat::test
