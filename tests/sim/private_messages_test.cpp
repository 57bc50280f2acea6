#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("a private message reaches all devices of both, and nobody else", "[sim]") {
    INFO("seed=" << seed());
    World world{{.seed = seed()}};
    Chatter& ada = world.add_online("ada");
    Chatter& ada_phone = world.add_online("ada");
    Chatter& bob = world.add_online("Bob");
    Chatter& bob_phone = world.add_online("bob");
    Chatter& eve = world.add_online("eve");

    REQUIRE(ada.client.tell("BOB", "psst", R"({"secret":true})"));
    world.run();
    for (const Chatter* person : {&ada, &ada_phone, &bob, &bob_phone}) {
        REQUIRE(person->count<PrivateMessage>() == 1);
        const auto message = person->last<PrivateMessage>();
        CHECK(message.from == "ada");
        CHECK(message.text == "psst");
        CHECK(message.attributes == R"({"secret":true})");
        CHECK(message.offset == 1);
    }
    CHECK(eve.count<PrivateMessage>() == 0);
    CHECK(ada.last<Acked>().id == bob.last<PrivateMessage>().id);
    CHECK(ada_phone.count<Acked>() == 0);

    SECTION("in one order for both directions") {
        for (int i = 0; i < 20; ++i) {
            REQUIRE(ada.client.tell("bob", "from ada"));
            REQUIRE(bob_phone.client.tell("ada", "from bob"));
        }
        world.run();
        for (const Chatter* person : {&ada, &ada_phone, &bob, &bob_phone}) {
            const auto messages = person->all<PrivateMessage>();
            REQUIRE(messages.size() == 41);
            for (std::size_t i = 0; i < 41; ++i) {
                CHECK(messages[i].offset == i + 1);
                CHECK(messages[i].id == ada.all<PrivateMessage>()[i].id);
            }
        }
    }
    SECTION("also if they come back later") {
        bob.client.close();
        bob_phone.client.close();
        world.run();
        REQUIRE(ada.client.tell("bob", "hello?"));
        world.run();
        CHECK(ada.count<Refused>() == 0);
        const Chatter& again = world.add_online("bob");
        world.run();
        CHECK(again.last<PrivateMessage>().text == "hello?");
    }
    SECTION("unless nobody has that name") {
        REQUIRE(ada.client.tell("carl", "hello?"));
        world.run();
        CHECK(ada.last<Refused>().errc == Errc::no_such_user);
        CHECK(ada.client.tell("no body", "hello?").error() == Errc::invalid_name);
    }
}

TEST_CASE("a peer that tells more at once than may be under way is held up, and answered",
          "[sim]") {
    World world{{.seed = 24, .limits = {.replies_max = 4}}};
    Chatter& bob = world.add_online("bob");
    ScriptedPeer peer = world.add_scripted();
    const StreamId control = peer.log_in("raw");
    Buffer requests;
    for (unsigned i = 0; i < 100; ++i) {
        append(requests, encode(wire::Tell{1 + i, {{std::byte(i)}}, "bob", "psst", "{}"}));
    }
    peer.send_bytes(control, Bytes{requests}, false);
    std::size_t acks = 0;
    while (const auto message = peer.next_frame(control)) {
        if (const auto* ack = std::get_if<wire::Ack>(&*message)) CHECK(ack->request == ++acks);
    }
    CHECK(acks == 100);
    CHECK(bob.count<PrivateMessage>() == 100);
}
