#include <catch2/catch_test_macros.hpp>
#include <chrono>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

TEST_CASE("a server counts what it does", "[sim]") {
    World world{{.seed = 31, .rooms = {"#lobby"}}};
    Chatter& ada = world.add_in_room("ada");
    world.add_in_room("bob");
    const ServerStats before = world.server.stats();
    REQUIRE(ada.client.publish("#lobby", "hello"));
    world.run();
    const ServerStats stats = world.server.stats();

    SECTION("that is there now") {
        CHECK(stats.connections == 2);
        CHECK(stats.users == 2);
        CHECK(stats.members == 2);
        CHECK(stats.rooms == 1);
        CHECK(stats.files == 0);
        CHECK(stats.appends_under_way == 0);
        CHECK(stats.answers_waiting == 0);
    }
    SECTION("that has happened") {
        CHECK(stats.connections_made == 2);
        CHECK(stats.logins == 2);
        CHECK(stats.messages_stored - before.messages_stored == 1);
        CHECK(stats.records_stored - before.records_stored == 1);
        CHECK(stats.deliveries - before.deliveries == 2);
        CHECK(stats.delivered_bytes - before.delivered_bytes > 2 * 5);
        CHECK(stats.received_bytes - before.received_bytes > 5);
        CHECK(stats.appends.count - before.appends.count == 1);
        CHECK(stats.requests_refused.all() == 0);
    }
    SECTION("a record that is no message among the records only") {
        const Offset hello = ada.last<Acked>().offset;
        REQUIRE(ada.client.act("#lobby", {.kind = Act::Kind::reaction, .target = hello}, "x"));
        world.run();
        const ServerStats then = world.server.stats();
        CHECK(then.messages_stored == stats.messages_stored);
        CHECK(then.records_stored == stats.records_stored + 1);
    }
    SECTION("a request that it refuses, by the error") {
        REQUIRE(ada.client.join("#nowhere"));
        world.run();
        const ServerStats then = world.server.stats();
        CHECK(then.requests_refused.of(Errc::no_such_room) == 1);
        CHECK(then.requests_refused.all() == 1);
        CHECK(ada.client.stats().requests_refused.of(Errc::no_such_room) == 1);
    }
    SECTION("a login that it ends, and the connection with it") {
        ScriptedPeer peer = world.add_scripted();
        world.run_for(20s);
        const ServerStats then = world.server.stats();
        CHECK(then.logins == 2);
        CHECK(then.logins_refused.of(Errc::login_timeout) == 1);
        CHECK(then.connections == 2);
        CHECK(then.connections_ended.all() == then.connections_made - 2);
    }
    SECTION("a turn as it is told") {
        CHECK(stats.turns.count == 0);
        world.server.note_turn(3ms);
        world.server.note_turn(1ms);
        const Timing turns = world.server.stats().turns;
        CHECK(turns.count == 2);
        CHECK(turns.sum == 4ms);
        CHECK(turns.max == 3ms);
    }
    SECTION("who is connected, without figures of a transport that has none") {
        CHECK_FALSE(stats.transport);
        const std::vector<ConnectionStats> all = world.server.connection_stats();
        REQUIRE(all.size() == 2);
        CHECK(all[0].user == "ada");
        CHECK(all[0].state == State::ready);
        CHECK_FALSE(all[0].path);
    }
}

TEST_CASE("a client counts what it does", "[sim]") {
    World world{{.seed = 32}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    REQUIRE(ada.client.publish("#lobby", "hello"));
    world.run();
    const ClientStats stats = ada.client.stats();
    CHECK(stats.state == State::ready);
    CHECK(stats.dials == 1);
    CHECK(stats.logins == 1);
    CHECK(stats.requests_stored == 1);
    CHECK(stats.messages_received == 1);
    CHECK(stats.unanswered_requests == 0);
    CHECK(stats.connections_lost.all() == 0);
    CHECK_FALSE(stats.path);
    CHECK(bob.client.stats().messages_received == 1);
    CHECK(bob.client.stats().requests_stored == 0);

    ada.client.close();
    world.run();
    CHECK(ada.client.stats().connections_lost.of(Errc::closed) == 1);
}
