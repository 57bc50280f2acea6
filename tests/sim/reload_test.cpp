#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

/// What a World's server begins with.
ServerConfig begun(const WorldConfig& config = {}) {
    return {.rooms = config.rooms, .operators = config.operators, .limits = config.limits};
}

Errc reload(World& world, const ServerConfig& next) {
    const Errc errc = world.server.reload(next, world.now());
    world.server.process(world.now());
    world.run();
    return errc;
}

/// What comes of a message: `Errc{}`, or why it was refused.
Errc say(World& world, Chatter& person, const std::string& text, std::string room = "#lobby") {
    const std::size_t refused = person.count<Refused>();
    REQUIRE(person.client.publish(room, text));
    world.run();
    return person.count<Refused>() > refused ? person.last<Refused>().errc : Errc{};
}

Errc create(World& world, Chatter& person, const std::string& room,
            RoomAccess access = RoomAccess::everybody) {
    const std::size_t refused = person.count<Refused>();
    REQUIRE(person.client.create_room(room, access));
    world.run();
    return person.count<Refused>() > refused ? person.last<Refused>().errc : Errc{};
}

Errc join(World& world, Chatter& person, const std::string& room) {
    const std::size_t refused = person.count<Refused>();
    REQUIRE(person.client.join(room));
    world.run();
    return person.count<Refused>() > refused ? person.last<Refused>().errc : Errc{};
}

}  // namespace

TEST_CASE("a server takes other limits while people are connected", "[sim][reload]") {
    World world{{.seed = 61}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    ServerConfig next = begun();

    SECTION("lower ones refuse what is too much, and higher ones allow it again") {
        REQUIRE(say(world, ada, std::string(1000, 'x')) == Errc{});
        next.limits.message_bytes_max = 999;
        REQUIRE(reload(world, next) == Errc{});
        CHECK(say(world, ada, std::string(1000, 'x')) == Errc::message_too_long);
        CHECK(say(world, ada, std::string(999, 'x')) == Errc{});
        next.limits.message_bytes_max = 1000;
        REQUIRE(reload(world, next) == Errc{});
        CHECK(say(world, ada, std::string(1000, 'x')) == Errc{});
    }
    SECTION("rates count at once, for who has used up the old one as well") {
        world.run_for(1s);
        next.limits.messages_per_account = {.burst = 2, .per_second = 1};
        next.limits.requests_per_connection = {.burst = 2, .per_second = 1};
        REQUIRE(reload(world, next) == Errc{});
        CHECK(say(world, ada, "1") == Errc{});
        CHECK(say(world, ada, "2") == Errc{});
        CHECK(say(world, ada, "3") == Errc::rate_limited);
        CHECK(join(world, ada, "#none") == Errc::no_such_room);
        CHECK(join(world, ada, "#none") == Errc::no_such_room);
        CHECK(join(world, ada, "#none") == Errc::rate_limited);
        // The debt was two seconds; nobody has to wait for more than the new budget.
        next.limits.messages_per_account = {.burst = 100, .per_second = 1000};
        next.limits.requests_per_connection = {.burst = 100, .per_second = 1000};
        REQUIRE(reload(world, next) == Errc{});
        world.run_for(100ms);
        CHECK(say(world, ada, "4") == Errc{});
        CHECK(join(world, ada, "#none") == Errc::no_such_room);
    }
    SECTION("a room that is too full now keeps its people, and takes no more") {
        next.limits.members_max = 1;
        REQUIRE(reload(world, next) == Errc{});
        Chatter& carl = world.add_online("carl");
        CHECK(join(world, carl, "#lobby") == Errc::room_full);
        CHECK(say(world, ada, "still here") == Errc{});
        CHECK(bob.texts() == std::vector<std::string>{"still here"});
        next.limits.members_max = 3;
        REQUIRE(reload(world, next) == Errc{});
        CHECK(join(world, carl, "#lobby") == Errc{});
    }
    SECTION("a server that is too full now takes nobody new") {
        next.limits.connections_max = 1;
        REQUIRE(reload(world, next) == Errc{});
        Chatter& carl = world.add("carl");
        world.run();
        CHECK(carl.last<Offline>().reason.errc == Errc::server_full);
    }
    SECTION("who comes has the new time to log in, who was there the old one") {
        ScriptedPeer first = world.add_scripted();
        next.limits.login_timeout = 2s;
        REQUIRE(reload(world, next) == Errc{});
        ScriptedPeer second = world.add_scripted();
        world.run_for(3s);
        second.next_frame(StreamId{0});
        first.next_frame(StreamId{0});
        CHECK(second.closed());
        CHECK_FALSE(first.closed());
        world.run_for(13s);
        first.next_frame(StreamId{0});
        CHECK(first.closed());
    }
    SECTION("and the time to drain") {
        next.limits.drain_timeout = 10s;
        REQUIRE(reload(world, next) == Errc{});
        world.server.shutdown(world.now());
        world.run();
        CHECK(ada.last<GoingAway>().grace == 10s);
    }
    if (!world.server.finished()) CHECK(ada.online());
    CHECK(bob.online());
    CHECK(ada.count<Reconnecting>() + bob.count<Reconnecting>() + ada.count<Offline>() == 0);
}

TEST_CASE("a slow reader gets everything, whatever limits come", "[sim][reload]") {
    const WorldConfig config{.seed = 62,
                             .limits = {.stream_backlog_bytes_max = 16'384,
                                        .outbox_bytes_max = 2'000'000,
                                        .stream_receive_window = 8192,
                                        .connection_receive_window = 32'768}};
    World world{config};
    Chatter& ada = world.add_in_room("ada");
    Chatter& slow = world.add_in_room("slow");
    slow.reading = false;
    ServerConfig next = begun(config);
    next.limits.stream_backlog_bytes_max = 1024;
    next.limits.room_recent_frames_max = 1;
    next.limits.events_max = 16;
    REQUIRE(reload(world, next) == Errc{});
    for (int i = 0; i < 100; ++i) REQUIRE(say(world, ada, std::string(1000, 'x')) == Errc{});
    slow.reading = true;
    world.run();
    CHECK(slow.texts().size() == 100);
    CHECK(slow.count<RoomGap>() == 0);
}

TEST_CASE("operators come and go while people are connected", "[sim][reload]") {
    const WorldConfig config{.seed = 63, .operators = {"ada"}};
    World world{config};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    REQUIRE(create(world, bob, "#den", RoomAccess::invitation) == Errc{});
    REQUIRE(join(world, bob, "#den") == Errc{});
    ServerConfig next = begun(config);

    SECTION("one who comes is an owner everywhere, at once") {
        Chatter& carl = world.add_online("carl");
        CHECK(join(world, carl, "#den") == Errc::no_such_room);
        next.operators = {"Carl", "ada"};
        next.anybody_makes_rooms = false;
        REQUIRE(reload(world, next) == Errc{});
        CHECK(join(world, carl, "#den") == Errc{});
        CHECK(carl.last<RoomJoined>().role == Role::owner);
        CHECK(create(world, carl, "#carl") == Errc{});
        CHECK(create(world, bob, "#bob") == Errc::forbidden);
    }
    SECTION("one who goes reads no more than others may") {
        REQUIRE(join(world, ada, "#den") == Errc{});
        REQUIRE(say(world, bob, "for our operator", "#den") == Errc{});
        next.operators = {};
        REQUIRE(reload(world, next) == Errc{});
        CHECK(ada.last<RoomLeft>().room == "#den");
        CHECK(ada.last<RoomLeft>().errc == Errc::removed);
        REQUIRE(say(world, bob, "among us", "#den") == Errc{});
        REQUIRE(say(world, bob, "for all") == Errc{});
        CHECK(ada.texts() == std::vector<std::string>{"for our operator", "for all"});
        CHECK(bob.texts().size() == 3);
        CHECK(join(world, ada, "#den") == Errc::no_such_room);
        CHECK(say(world, ada, "I am here") == Errc{});
        CHECK(bob.count<RoomLeft>() == 0);
    }
    SECTION("one who stays notices nothing") {
        REQUIRE(join(world, ada, "#den") == Errc{});
        next.operators = {"ADA", "carl"};
        REQUIRE(reload(world, next) == Errc{});
        REQUIRE(say(world, bob, "hello", "#den") == Errc{});
        CHECK(ada.texts() == std::vector<std::string>{"hello"});
        CHECK(ada.count<RoomLeft>() == 0);
    }
    CHECK(ada.online());
    CHECK(bob.online());
}

TEST_CASE("rooms are added while people are connected", "[sim][reload]") {
    World world{{.seed = 64}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    ServerConfig next = begun();

    SECTION("and are there at once; those that are not listed any more stay") {
        next.rooms = {"#tea", "#Tea", "#quiet"};
        REQUIRE(reload(world, next) == Errc{});
        CHECK(join(world, ada, "#tea") == Errc{});
        CHECK(join(world, bob, "#tea") == Errc{});
        CHECK(say(world, ada, "a cup?", "#tea") == Errc{});
        CHECK(say(world, ada, "hello") == Errc{});
        CHECK(bob.texts() == std::vector<std::string>{"a cup?", "hello"});
        REQUIRE(reload(world, next) == Errc{});
        CHECK(say(world, ada, "more?", "#tea") == Errc{});
        CHECK(bob.texts().back() == "more?");
    }
    SECTION("also one that somebody has made, which stays his") {
        REQUIRE(create(world, ada, "#tea") == Errc{});
        REQUIRE(join(world, ada, "#tea") == Errc{});
        next.rooms.push_back("#TEA");
        REQUIRE(reload(world, next) == Errc{});
        CHECK(ada.last<RoomJoined>().room == "#tea");
        CHECK(ada.last<RoomJoined>().role == Role::owner);
        CHECK(ada.count<RoomLeft>() == 0);
        CHECK(say(world, ada, "mine", "#tea") == Errc{});
    }
    SECTION("and nothing at all changes if they are too many, or no rooms") {
        next.limits.message_bytes_max = 10;
        next.operators = {"bob"};
        next.rooms = {"#tea", "lobby"};
        CHECK(reload(world, next) == Errc::invalid_name);
        next.rooms = {"#tea", "#milk"};
        next.limits.rooms_max = 3;
        CHECK(reload(world, next) == Errc::too_many_rooms);
        next.rooms = {"#quiet"};
        next.limits.rooms_max = 1;  // of two: the server could not start again
        CHECK(reload(world, next) == Errc::too_many_rooms);
        CHECK(join(world, bob, "#tea") == Errc::no_such_room);
        CHECK(say(world, ada, std::string(100, 'x')) == Errc{});
        CHECK_FALSE(world.server.finished());
        next.rooms = {"#tea"};
        next.limits.rooms_max = 3;
        CHECK(reload(world, next) == Errc{});
        CHECK(join(world, bob, "#tea") == Errc{});
        CHECK(say(world, ada, std::string(100, 'x')) == Errc::message_too_long);
    }
    CHECK(ada.online());
}
