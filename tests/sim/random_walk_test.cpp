#include <cstdint>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "sim/random_walk.hpp"
#include "support/seed.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("whatever people do, and wherever the network breaks, the promises hold", "[sim]") {
    // QUICCHAT_SEED repeats one walk; QUICCHAT_SIM_SEEDS asks for more of them.
    const std::uint64_t first = seed();
    const std::uint64_t count = seed_is_given() ? 1 : seed_count(300);
    for (std::uint64_t i = 0; i < count; ++i) {
        INFO("seed=" << first + i);
        RandomWalk walk{first + i};
        walk.go(150);
    }
}

TEST_CASE("a simulation is the same run everywhere", "[sim]") {
    // Any change of what is sent, or when, changes the number. That is no error, but it should be
    // the same number for every compiler and library: copy it from the failed test.
    RandomWalk walk{20261122};
    walk.go(150);
    CHECK(walk.world.network.trace_hash() == 10054255681064545904u);

    RandomWalk again{20261122};
    again.go(150);
    CHECK(again.world.network.trace_hash() == walk.world.network.trace_hash());
    RandomWalk other{20261123};
    other.go(150);
    CHECK(other.world.network.trace_hash() != walk.world.network.trace_hash());
}
