#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sim/town.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

/// A town in the year 1972, so that its clock can be set back.
struct ClockTown : Town {
    ClockTown()
        : Town({.server = {.rooms = {"#lobby"}, .operators = {"ada"}}, .accounts = {"bob"}}) {
        wall_ahead = 20'000h;
    }
};

}  // namespace

TEST_CASE("the computer's clock is set while people chat", "[sim]") {
    ClockTown town;
    Chatter& ada = town.add_in("ada", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    std::vector<std::string> said;
    for (const Duration step :
         {Duration{-1h}, Duration{24h}, Duration{-10'000h}, Duration{90'000h}, Duration{-1ms}}) {
        town.wall_ahead += step;
        for (Chatter* person : {&ada, &bob}) {
            said.push_back(person->user + std::to_string(said.size()));
            CHECK(town.say(*person, "#lobby", said.back()) == Errc{});
            const WallTime told = ada.last<RoomMessage>().time;
            CHECK(told <= town.now().wall);
            CHECK(told > town.now().wall - 1s);
        }
        town.run_for(2min);
    }
    for (const Chatter* person : {&ada, &bob}) {
        CHECK(person->texts() == said);
        CHECK(person->count<Reconnecting>() == 0);
        CHECK(person->count<NoAnswerYet>() == 0);
        Offset expected = 0;
        for (const RoomMessage& message : person->all<RoomMessage>()) {
            CHECK(message.offset == ++expected);
        }
    }

    // Who comes later sees the same order, whatever the times say.
    Chatter& late = town.add_in("late", "#lobby", Position::last(100));
    town.run();
    CHECK(late.texts() == said);
}

TEST_CASE("a mute lasts longer when the clock is set back, and never shorter", "[sim]") {
    ClockTown town;
    Chatter& ada = town.add_in("ada", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    REQUIRE(town.appoint(ada, "#lobby", "bob", Role::muted, town.now().wall + 10min) == Errc{});
    const auto later = [&](Duration time) {
        town.run_for(time);
        return town.say(bob, "#lobby", "hello");
    };

    SECTION("set back") {
        town.wall_ahead -= 1h;
        CHECK(later(11min) == Errc::forbidden);
        CHECK(later(58min) == Errc::forbidden);
        CHECK(later(2min) == Errc{});
    }
    SECTION("set forward, to before its end") {
        town.wall_ahead += 5min;
        CHECK(later(4min) == Errc::forbidden);
        CHECK(later(2min) == Errc{});
    }
    SECTION("set back while the server begins anew") {
        town.wall_ahead -= 1h;
        town.restart();
        CHECK(later(11min) == Errc::forbidden);
        CHECK(later(1h) == Errc{});
    }
}

TEST_CASE("rates are of the steady clock: setting the other one gives and takes nothing", "[sim]") {
    Town town{{.server = {.rooms = {"#lobby"}, .limits = {.messages_per_account = {3, 1}}}}};
    town.wall_ahead = 20'000h;
    Chatter& ada = town.add_in("ada", "#lobby");
    for (int i = 0; i < 3; ++i) CHECK(town.say(ada, "#lobby", "quick") == Errc{});
    CHECK(town.say(ada, "#lobby", "too quick") == Errc::rate_limited);
    town.wall_ahead += GENERATE(Duration{24h}, Duration{-24h});
    CHECK(town.say(ada, "#lobby", "still too quick") == Errc::rate_limited);
    town.run_for(3s);
    for (int i = 0; i < 3; ++i) CHECK(town.say(ada, "#lobby", "slower") == Errc{});
}
