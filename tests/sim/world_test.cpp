#include "sim/world.hpp"

#include <catch2/catch_test_macros.hpp>

template class quicchat::Client<quicchat::memory::Transport>;
template class quicchat::Server<quicchat::memory::Transport>;

using namespace quicchat::test;

TEST_CASE("two people chat", "[sim]") {
    World world;
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    REQUIRE(ada.client.publish("#lobby", "hello"));
    world.run();
    CHECK(bob.texts() == std::vector<std::string>{"hello"});
    CHECK(bob.last<quicchat::RoomMessage>().from == "ada");
}
