#include <string>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("a refused request leaves the connection alone", "[sim]") {
    World world{{.seed = 9, .limits = {.message_bytes_max = 100, .rooms_per_connection_max = 2}}};
    Chatter& ada = world.add_in_room("ada");

    SECTION("an unknown room") {
        REQUIRE(ada.client.join("#nowhere"));
        world.run();
        CHECK(ada.last<Refused>().errc == Errc::no_such_room);
        CHECK(ada.last<Refused>().room == "#nowhere");
        CHECK(ada.count<RoomLeft>() == 0);
        CHECK(ada.client.join("#nowhere"));  // its stream is gone, and it may ask again
        world.run();
        CHECK(ada.count<Refused>() == 2);
    }
    SECTION("a name that is none") {
        CHECK(ada.client.join("lobby").error() == Errc::invalid_name);
    }
    SECTION("a message that is too long") {
        CHECK(ada.client.publish("#lobby", std::string(101, 'a')).error() ==
              Errc::message_too_long);
        CHECK(ada.client.publish("#lobby", std::string(100, 'a')));
    }
    SECTION("a text that is none") {
        CHECK(ada.client.publish("#lobby", "\xff").error() == Errc::invalid_text);
    }
    SECTION("attributes that are none") {
        REQUIRE(ada.client.publish("#lobby", "hi", "[1]"));
        world.run();
        CHECK(ada.last<Refused>().errc == Errc::invalid_request);
        CHECK(ada.texts().empty());
    }
    SECTION("too many rooms") {
        REQUIRE(ada.client.join("#quiet"));
        CHECK(ada.client.join("#third").error() == Errc::too_many_rooms);
    }
    world.run();
    CHECK(ada.online());
    REQUIRE(ada.client.publish("#lobby", "still here"));
    world.run();
    CHECK(ada.texts().back() == "still here");
    CHECK(ada.client.unanswered_requests() == 0);
}

TEST_CASE("a server that checks what a client did not", "[sim]") {
    World world{
        {.seed = 10,
         .limits = {
             .message_bytes_max = 100, .attributes_bytes_max = 50, .rooms_per_connection_max = 2}}};
    ScriptedPeer peer = world.add_scripted();
    const StreamId control = peer.log_in("raw");
    const StreamId room = peer.join("#lobby");
    const auto refusal = [&](StreamId stream) {
        return from_wire_code(peer.expect<wire::Error>(stream).code);
    };

    SECTION("refuses texts that are too long or no text") {
        peer.send(room, wire::Publish{2, {}, std::string(101, 'a'), "{}"});
        CHECK(refusal(room) == Errc::message_too_long);
        peer.send(room, wire::Publish{3, {}, "a", std::string(51, ' ')});
        CHECK(refusal(room) == Errc::message_too_long);
        peer.send(room, wire::Publish{4, {}, "\x1b[2J", "{}"});
        CHECK(refusal(room) == Errc::invalid_text);
        peer.send(room, wire::Publish{5, {}, "", "{}"});
        CHECK(refusal(room) == Errc::invalid_text);
        peer.send(control, wire::Tell{6, {}, "raw", "\xff", "{}"});
        CHECK(refusal(control) == Errc::invalid_text);
        peer.send(control, wire::Tell{7, {}, "no body", "hi", "{}"});
        CHECK(refusal(control) == Errc::invalid_name);
    }
    SECTION("refuses a room twice, and too many, and ends their streams") {
        const auto join = [&](const char* name) {
            const StreamId stream = peer.open_stream();
            peer.send(stream, wire::Join{9, name, {}});
            const Errc errc = refusal(stream);
            CHECK(peer.is_over(stream));
            // What was sent in hope is dropped.
            peer.send(stream, wire::Publish{10, {}, "hi", "{}"});
            return errc;
        };
        CHECK(join("#LOBBY") == Errc::already_joined);
        CHECK(join("nonsense") == Errc::invalid_name);
        CHECK(join("#nowhere") == Errc::no_such_room);
        (void)peer.join("#quiet");
        CHECK(join("#nowhere") == Errc::too_many_rooms);
    }
    CHECK_FALSE(peer.closed());
    peer.send(room, wire::Publish{99, {}, "still here", "{}"});
    CHECK(peer.expect<wire::Ack>(room).request == 99);
}
