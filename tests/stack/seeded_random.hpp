#pragma once

#include <cstdint>

namespace quicchat::test {

/// Begins wolfSSL's random bytes anew, from a seed. seeded_random.cpp says how, and why no program
/// but this one can.
void seed_tls(std::uint64_t seed);

}  // namespace quicchat::test
