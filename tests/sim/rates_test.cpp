#include <chrono>
#include <cstddef>
#include <deque>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("who asks for too much is told when to ask again", "[sim]") {
    World world{{.seed = 31,
                 .limits = {.messages_per_account = {.burst = 3, .per_second = 1},
                            .requests_per_connection = {.burst = 5, .per_second = 1}}}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");

    SECTION("by messages, on all devices together") {
        Chatter& phone = world.add_in_room("Ada");
        for (int i = 0; i < 3; ++i) REQUIRE(ada.client.publish("#lobby", std::to_string(i)));
        REQUIRE(ada.client.publish("#lobby", "too much"));
        REQUIRE(phone.client.tell("bob", "too much as well"));
        world.run();
        CHECK(ada.count<Acked>() == 3);
        CHECK(ada.last<Refused>().errc == Errc::rate_limited);
        CHECK(ada.last<Refused>().retry_after > std::chrono::milliseconds{900});
        CHECK(ada.last<Refused>().retry_after <= std::chrono::seconds{1});
        CHECK(phone.last<Refused>().errc == Errc::rate_limited);
        CHECK(bob.texts() == std::vector<std::string>{"0", "1", "2"});
    }
    SECTION("and is heard when the time is over") {
        for (int i = 0; i < 4; ++i) REQUIRE(ada.client.publish("#lobby", std::to_string(i)));
        world.run();
        REQUIRE(ada.count<Refused>() == 1);
        world.run_for(ada.last<Refused>().retry_after);
        REQUIRE(ada.client.publish("#lobby", "again"));
        world.run();
        CHECK(ada.count<Refused>() == 1);
        CHECK(bob.texts().back() == "again");
    }
    SECTION("which does not keep others from speaking, or him from asking") {
        for (int i = 0; i < 9; ++i) REQUIRE(ada.client.publish("#lobby", std::to_string(i)));
        REQUIRE(ada.client.request_members("#lobby"));
        REQUIRE(bob.client.publish("#lobby", "I may"));
        world.run();
        CHECK(ada.count<MemberList>() == 1);
        CHECK(bob.count<Refused>() == 0);
        CHECK(ada.texts().size() == 4);
    }
    SECTION("by questions, which leaves him his messages") {
        for (int i = 0; i < 9; ++i) REQUIRE(ada.client.request_members("#lobby"));
        REQUIRE(ada.client.request_rooms());
        REQUIRE(ada.client.request_history("#lobby", 0, 1, 1));
        REQUIRE(ada.client.join("#quiet"));
        REQUIRE(ada.client.create_room("#new"));
        REQUIRE(ada.client.publish("#lobby", "still"));
        world.run();
        // The first request was Join; which of the others came first is the network's.
        const std::size_t acts = ada.count<Acked>() - 1;
        CHECK(ada.count<MemberList>() + ada.count<RoomList>() + ada.count<HistoryPage>() +
                  ada.count<RoomJoined>() - 1 + acts ==
              4);
        CHECK(ada.count<Refused>() == 9);
        for (const Refused& refused : ada.all<Refused>()) CHECK(refused.errc == Errc::rate_limited);
        CHECK(ada.texts().back() == "still");
        CHECK(ada.client.unanswered_requests() == 0);
        world.run_for(std::chrono::seconds{2});
        REQUIRE(ada.client.request_members("#lobby"));
        world.run();
        CHECK(ada.count<Refused>() == 9);
    }
    CHECK(ada.online());
}

TEST_CASE("who does not log in makes room for who does", "[sim]") {
    World world{{.seed = 32, .limits = {.strangers_per_prefix_max = 3}}};
    const auto come = [&](const std::string& from) {
        return ScriptedPeer{world.network.dial("chat", {}, from), [&] { world.run(); },
                            world.network.now()};
    };
    // A neighbour behind the same address connects and says nothing, over and over.
    std::deque<ScriptedPeer> junk;
    for (int i = 0; i < 20; ++i) junk.push_back(come("192.0.2.7:" + std::to_string(1000 + i)));
    std::size_t left = 0;
    for (ScriptedPeer& peer : junk) {
        (void)peer.next_frame(StreamId{0});
        left += peer.closed() ? 0 : 1;
    }
    CHECK(left == 3);
    REQUIRE(junk.front().closed());
    CHECK(junk.front().closed()->errc == Errc::server_full);

    SECTION("at the same address") {
        ScriptedPeer honest = come("192.0.2.7:9");
        (void)honest.log_in("ada");
        for (int i = 0; i < 20; ++i) junk.push_back(come("192.0.2.7:" + std::to_string(2000 + i)));
        CHECK_FALSE(honest.closed());
        (void)honest.join("#lobby");
    }
    SECTION("at another one of the network, however slow the login") {
        ScriptedPeer honest = come("192.0.2.8:9");
        for (int i = 0; i < 20; ++i) junk.push_back(come("192.0.2.7:" + std::to_string(2000 + i)));
        (void)honest.log_in("ada");
        CHECK_FALSE(honest.closed());
    }
    SECTION("and who has gone counts no more") {
        for (ScriptedPeer& peer : junk) {
            if (!peer.closed()) peer.transport().close(peer.connection(), Errc::closed, "");
        }
        world.run();
        REQUIRE(world.server.connection_count() == 0);
        std::deque<ScriptedPeer> gone;  // each from an address of its own
        for (int i = 0; i < 3; ++i) {
            gone.push_back(come("192.0.2." + std::to_string(20 + i) + ":1"));
            gone.back().transport().close(gone.back().connection(), Errc::closed, "");
            world.run();
        }
        std::deque<ScriptedPeer> people;  // of one address, while their logins take long
        for (int i = 0; i < 3; ++i) people.push_back(come("192.0.2.9:" + std::to_string(i + 1)));
        for (int i = 0; i < 3; ++i) (void)people[i].log_in("user" + std::to_string(i));
    }
    SECTION("and logged in one counts no more") {
        std::deque<ScriptedPeer> people;
        for (int i = 0; i < 10; ++i) {
            people.push_back(come("192.0.2.7:" + std::to_string(3000 + i)));
            (void)people.back().log_in("user" + std::to_string(i));
        }
        for (ScriptedPeer& peer : people) CHECK_FALSE(peer.closed());
    }
}

TEST_CASE("strangers of many networks leave room for others", "[sim]") {
    World world{{.seed = 33, .limits = {.connections_max = 12, .strangers_per_prefix_max = 3}}};
    std::deque<ScriptedPeer> junk;
    for (int i = 0; i < 40; ++i) {
        const std::string from = "198.51." + std::to_string(i) + ".1:1";
        junk.push_back(ScriptedPeer{world.network.dial("chat", {}, from), [&] { world.run(); },
                                    world.network.now()});
    }
    for (int i = 0; i < 9; ++i) world.add_online("user" + std::to_string(i));
    CHECK(world.server.connection_count() == 11);
}
