#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using std::chrono::seconds;

TEST_CASE("members see who is typing", "[sim]") {
    World world{{.seed = 41, .limits = {.events_max = 50}, .operators = {"ada"}}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    Chatter& carl = world.add_in_room("carl", "#quiet");
    const auto is_typing = [](const Chatter& who) {
        return who.count<TypingChanged>() > 0 && who.last<TypingChanged>().typing;
    };

    SECTION("of their room, and not of others") {
        ada.client.say_typing("#lobby", world.now().steady);
        world.run();
        REQUIRE(is_typing(bob));
        CHECK(bob.last<TypingChanged>().user == "ada");
        CHECK(bob.last<TypingChanged>().room == "#lobby");
        CHECK(ada.count<TypingChanged>() == 0);
        CHECK(carl.count<TypingChanged>() == 0);
    }
    SECTION("until it is said, or for six seconds") {
        ada.client.say_typing("#lobby", world.now().steady);
        world.run();
        REQUIRE(ada.client.publish("#lobby", "done"));
        world.run();
        CHECK_FALSE(is_typing(bob));
        world.run_for(seconds{3});
        ada.client.say_typing("#lobby", world.now().steady);
        world.run();
        CHECK(is_typing(bob));
        world.run_for(seconds{7});
        CHECK_FALSE(is_typing(bob));
        CHECK(bob.count<TypingChanged>() == 4);
    }
    SECTION("but not who may not write") {
        REQUIRE(ada.client.act("#lobby", {.kind = Act::Kind::role,
                                          .subject = "bob",
                                          .value = static_cast<std::uint64_t>(Role::muted)}));
        world.run();
        bob.client.say_typing("#lobby", world.now().steady);
        world.run();
        CHECK(ada.count<TypingChanged>() == 0);
    }
    SECTION("and not who is not there") {
        carl.client.say_typing("#lobby", world.now().steady);
        world.run();
        CHECK(ada.count<TypingChanged>() == 0);
    }
    SECTION("and nothing of somebody who is behind") {
        bob.reading = false;
        for (int i = 0; i < 1000; ++i) {
            REQUIRE(ada.client.publish("#lobby", std::string(2000, '.')));
            if (i % 100 == 0) world.run();
        }
        world.run();
        ada.client.say_typing("#lobby", world.now().steady);
        world.run();
        bob.reading = true;
        world.run();
        CHECK(bob.count<TypingChanged>() == 0);
        CHECK(bob.texts().size() == 1000);
    }
}
