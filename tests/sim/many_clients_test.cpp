#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("two hundred clients at once", "[sim]") {
    INFO("seed=" << seed());
    constexpr std::size_t count = 200;
    World world{{.seed = seed(), .tick = std::chrono::milliseconds{1}}};
    std::vector<Chatter*> people;
    for (std::size_t i = 0; i < count; ++i)
        people.push_back(&world.add("user" + std::to_string(i)));
    world.run();
    for (Chatter* person : people) {
        REQUIRE(person->online());
        REQUIRE(person->client.join("#lobby"));
    }
    world.run();
    for (Chatter* person : people)
        REQUIRE(person->client.publish("#lobby", "I am " + person->user));
    world.run();

    for (Chatter* person : people) {
        const auto seen = person->all<RoomMessage>();
        REQUIRE(seen.size() == count);
        for (std::size_t i = 0; i < count; ++i) REQUIRE(seen[i].offset == i + 1);
        REQUIRE(person->count<Acked>() == 1);
    }
    REQUIRE(people[0]->client.request_members("#lobby"));
    world.run();
    CHECK(people[0]->last<MemberList>().people.size() == count);

    // All leave in the same moment, one half in peace.
    for (std::size_t i = 1; i < count; ++i) {
        if (i % 2 == 0) {
            people[i]->client.close();
        } else {
            world.network.cut(i + 1);
        }
    }
    world.run();
    CHECK(world.server.connection_count() == 1);
    CHECK(people[0]->online());
}
