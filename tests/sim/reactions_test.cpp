#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/town.hpp"

using namespace quicchat;
using namespace quicchat::test;
using Kind = Act::Kind;

TEST_CASE("reactions that leave in one flight are judged one after the other", "[sim]") {
    Town town{{.seed = 7}};
    Chatter& ada = town.add_in("ada", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    REQUIRE(town.say(ada, "#lobby", "party?") == Errc{});
    const auto react = [&](Chatter& who, Kind kind) {
        REQUIRE(who.client.act("#lobby", {.kind = kind, .target = 1}, "+1"));
    };
    for (const Kind kind : {Kind::unreaction, Kind::reaction, Kind::reaction, Kind::unreaction,
                            Kind::unreaction, Kind::reaction, Kind::reaction, Kind::reaction}) {
        react(ada, kind);
        react(bob, kind);
    }
    REQUIRE(ada.client.publish("#lobby", "behind"));
    town.run();
    for (const Chatter* who : {&ada, &bob}) {
        CHECK(who->count<Refused>() == 5);
        for (const Refused& refused : who->all<Refused>()) CHECK(refused.errc == Errc::no_change);
        CHECK(who->client.unanswered_requests() == 0);
        CHECK(who->texts() == std::vector<std::string>{"party?", "behind"});
    }
    CHECK(bob.count<RoomAct>() == 6);
    std::string mine;
    for (const RoomAct& act : ada.all<RoomAct>()) {
        if (act.from == "ada") mine += act.act.kind == Kind::reaction ? "+" : "-";
    }
    CHECK(mine == "+-+");
}
