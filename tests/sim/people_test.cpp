#include <algorithm>
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

std::vector<std::string> names(const std::vector<RoomSummary>& rooms) {
    std::vector<std::string> all;
    for (const RoomSummary& room : rooms) all.push_back(room.room);
    return all;
}

using Names = std::vector<std::string>;
using Persons = std::vector<RoomPerson>;

}  // namespace

TEST_CASE("a room is made, kept in order, and archived", "[sim]") {
    // The second time with another server on the same log after each step.
    const bool restarts = GENERATE(false, true);
    Town town{{.seed = 5}};
    const auto pause = [&] {
        if (restarts) town.restart();
    };
    Chatter& ada = town.add("Ada");
    Chatter& bob = town.add("bob");
    Chatter& carl = town.add("carl");
    REQUIRE(town.outcome(ada, ada.client.create_room("#Den", RoomAccess::invitation, "cats")) ==
            Errc{});
    REQUIRE(town.join(ada, "#den") == Errc{});
    CHECK(ada.last<RoomJoined>().role == Role::owner);
    pause();

    // Nobody else knows of it before being invited.
    CHECK(names(town.rooms(ada)) == Names{"#Den", "#lobby"});
    CHECK(names(town.rooms(bob)) == Names{"#lobby"});
    CHECK(town.join(bob, "#den") == Errc::no_such_room);
    CHECK(town.outcome(bob, bob.client.create_room("#den")) == Errc::room_exists);
    CHECK(town.appoint(ada, "#den", "bob", Role::moderator) == Errc{});
    pause();
    CHECK(town.join(bob, "#den") == Errc{});
    CHECK(bob.last<RoomJoined>().role == Role::moderator);
    CHECK(bob.last<RoomJoined>().topic == "cats");
    CHECK(town.appoint(bob, "#den", "carl", Role::member) == Errc{});
    CHECK(town.appoint(bob, "#den", "carl", Role::moderator) == Errc::forbidden);
    CHECK(town.join(carl, "#den") == Errc{});
    pause();

    CHECK(town.act(carl, "#den", {.kind = Act::Kind::topic}, "dogs") == Errc::forbidden);
    CHECK(town.act(bob, "#den", {.kind = Act::Kind::topic}, "mice") == Errc{});
    CHECK(carl.last<RoomAct>().text == "mice");
    pause();
    CHECK(town.rooms(carl).at(0).topic == "mice");
    CHECK(town.members(carl, "#den") == Persons{{"Ada", Role::owner, true},
                                                {"bob", Role::moderator, true},
                                                {"carl", Role::member, true}});

    // A mute ends by itself.
    const WallTime soon = town.now().wall + 10min;
    CHECK(town.appoint(bob, "#den", "Carl", Role::muted, soon, "too loud") == Errc{});
    CHECK(carl.last<RoomAct>().act.until == soon);
    pause();
    CHECK(town.say(carl, "#den", "but") == Errc::forbidden);
    CHECK(town.appoint(carl, "#den", "carl", Role::none) == Errc::forbidden);
    town.run_for(10min);
    pause();
    CHECK(town.say(carl, "#den", "thanks") == Errc{});
    CHECK(bob.texts() == std::vector<std::string>{"thanks"});

    // So does a ban; until then there is no such room.
    CHECK(town.appoint(bob, "#den", "carl", Role::banned, town.now().wall + 10min, "out") ==
          Errc{});
    REQUIRE(carl.count<RoomLeft>() == 1);
    CHECK(carl.last<RoomLeft>().errc == Errc::removed);
    CHECK(carl.last<RoomLeft>().text == "out");
    pause();
    CHECK(town.join(carl, "#den") == Errc::no_such_room);
    CHECK(names(town.rooms(carl)) == Names{"#lobby"});
    town.run_for(10min);
    pause();
    CHECK(town.join(carl, "#den") == Errc::no_such_room);  // not banned, but not invited either
    CHECK(town.appoint(bob, "#den", "carl", Role::member) == Errc{});
    CHECK(town.join(carl, "#den") == Errc{});

    // Out, in again, and out for good.
    CHECK(town.appoint(ada, "#den", "bob", Role::none, {}, "bye") == Errc{});
    CHECK(bob.last<RoomLeft>().errc == Errc::removed);
    CHECK(town.appoint(carl, "#den", "carl", Role::none) == Errc{});
    pause();
    CHECK(town.members(ada, "#den") == Persons{{"Ada", Role::owner, true}});
    CHECK(town.appoint(ada, "#den", "ada", Role::none) == Errc::forbidden);  // it keeps an owner

    CHECK(town.act(ada, "#den", {.kind = Act::Kind::access, .value = 2}) == Errc{});
    pause();
    CHECK(town.say(ada, "#den", "anybody?") == Errc::forbidden);
    CHECK(town.rooms(ada).at(0).access == RoomAccess::archived);
    CHECK(ada.texts() == std::vector<std::string>{"thanks"});
    for (const Chatter* person : {&ada, &bob, &carl}) CHECK(person->count<RoomGap>() == 0);
}

TEST_CASE("who is removed while away is told at the next connection", "[sim]") {
    Town town{{.seed = 6, .server = {.operators = {"root"}}}};
    Chatter& root = town.add_in("root", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    town.network.cut(2);
    const Result<RequestId> lost = bob.client.publish("#lobby", "lost");
    REQUIRE(lost);
    CHECK(town.appoint(root, "#lobby", "bob", Role::banned) == Errc{});
    town.run_for(10s);
    CHECK(bob.online());
    CHECK(bob.last<RoomLeft>().errc == Errc::forbidden);
    CHECK(town.outcome(bob, lost) == Errc::not_in_room);
    CHECK(bob.client.unanswered_requests() == 0);
    CHECK(root.texts().empty());

    SECTION("and may come back when that is taken back") {
        CHECK(town.appoint(root, "#lobby", "BOB", Role::none) == Errc{});
        CHECK(town.join(bob, "#lobby") == Errc{});
        CHECK(town.say(bob, "#lobby", "sorry") == Errc{});
    }
}

TEST_CASE("what a removed member had asked is answered, or said to have no answer", "[sim]") {
    Town town{{.seed = 7, .server = {.operators = {"root"}}}};
    Chatter& root = town.add_in("root", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    std::vector<RequestId> asked;
    REQUIRE(root.client.act("#lobby", {.kind = Act::Kind::role, .subject = "bob", .value = 0},
                            "enough"));
    for (int i = 0; i < 100; ++i) {
        asked.push_back(*bob.client.publish("#lobby", std::to_string(i)));
    }
    town.run();
    CHECK(bob.client.unanswered_requests() == 0);
    std::vector<std::string> acked;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const Errc errc = town.outcome(bob, asked[i]);
        CHECK((errc == Errc{} || errc == Errc::not_in_room));
        if (errc == Errc{}) acked.push_back(std::to_string(i));
    }
    CHECK(bob.last<RoomLeft>().text == "enough");
    // Nobody was acknowledged what the others did not see, in order.
    const std::vector<std::string> seen = root.texts();
    REQUIRE(acked.size() <= seen.size());
    CHECK(std::equal(acked.begin(), acked.end(), seen.begin()));
}

TEST_CASE("one creation of a room is one room, however often it is sent", "[sim]") {
    Town town{{.seed = 8}};
    Chatter& ada = town.add("ada");
    const auto request = ada.client.create_room("#den", RoomAccess::everybody, "cats");
    town.network.cut_after(1, 10);
    town.run_for(10s);
    CHECK(ada.count<Reconnecting>() == 1);
    CHECK(town.outcome(ada, request) == Errc{});
    CHECK(town.join(ada, "#den", Position::last(10)) == Errc{});
    CHECK(ada.last<RoomJoined>().role == Role::owner);
    REQUIRE(ada.count<RoomAct>() == 1);
    CHECK(ada.last<RoomAct>().act.kind == Act::Kind::creation);
}

TEST_CASE("an account's markers are the same on its devices, and unread is what others said",
          "[sim]") {
    Town town{{.seed = 9}};
    Chatter& ada = town.add_in("ada", "#lobby");
    Chatter& phone = town.add_in("ada", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    for (int i = 0; i < 5; ++i) REQUIRE(town.say(bob, "#lobby", "hi") == Errc{});
    CHECK(town.rooms(ada).at(0).unread == 5);
    REQUIRE(phone.client.mark_read("#LOBBY", 3) == Errc{});
    town.run();
    CHECK(ada.last<MarkerMoved>().offset == 3);
    CHECK(bob.count<MarkerMoved>() == 0);
    CHECK(town.rooms(ada).at(0).unread == 2);
    REQUIRE(ada.client.mark_read("#lobby", 4, true) == Errc{});
    REQUIRE(phone.client.mark_read("#lobby", 2, true) == Errc{});
    town.run();
    REQUIRE(bob.count<MarkerMoved>() == 1);
    CHECK(bob.last<MarkerMoved>().user == "ada");
    CHECK(bob.last<MarkerMoved>().offset == 4);

    SECTION("also if it was said without a connection") {
        town.cut();
        REQUIRE(ada.client.mark_read("#lobby", 5) == Errc{});
        town.run_for(10s);
        CHECK(town.rooms(phone).at(0).marker == 5);
    }
    SECTION("also after a restart") {
        town.restart();
        CHECK(town.rooms(phone).at(0).marker == 4);
        CHECK(town.rooms(phone).at(0).unread == 1);
    }
}
