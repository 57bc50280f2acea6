#include <string>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

constexpr const char* hello = "02 06 00 00 00 02 7b7d";

wire::LoginBegin login(std::string_view user, std::string mechanism = "NAME-ONLY") {
    const BytesView name = as_bytes(user);
    return {std::move(mechanism), {}, Buffer(name.begin(), name.end())};
}

/// One member who was there before, and a peer that says what it likes.
struct EarlyScene {
    explicit EarlyScene(Limits limits = {}) : world({.seed = 41, .limits = limits}) {}

    bool is_silent(StreamId stream) { return !peer.next_frame(stream).has_value(); }

    World world;
    Chatter* witness = &world.add_in_room("witness");
    ScriptedPeer peer = world.add_scripted();
    StreamId control = peer.open_stream();
};

}  // namespace

TEST_CASE("a server keeps what comes on room streams until the login is complete", "[sim]") {
    EarlyScene scene;
    const StreamId room = scene.peer.open_stream();
    const StreamId other = scene.peer.open_stream();

    SECTION("and joins then, in the order of the streams") {
        scene.peer.send(control_stream, hello);
        scene.peer.send(other, wire::Join{2, "#quiet", {}});
        scene.peer.send(room, wire::Join{1, "#lobby", {}});
        CHECK(scene.is_silent(room));
        CHECK(scene.is_silent(other));
        CHECK(scene.witness->count<PresenceChanged>() == 0);
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.peer.expect<wire::Joined>(room).request == 1);
        CHECK(scene.peer.expect<wire::Joined>(other).request == 2);
        CHECK(scene.witness->last<PresenceChanged>().user == "early");
    }
    SECTION("also if it comes before the control stream") {
        scene.peer.send(room, wire::Join{1, "#lobby", {}});
        CHECK(scene.is_silent(room));
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.peer.expect<wire::Joined>(room).room == "#lobby");
    }
    SECTION("in pieces") {
        scene.peer.send(scene.control, hello);
        scene.peer.send(room, "20 0a 01 06 23");
        scene.peer.send(room, "6c");
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.is_silent(room));
        scene.peer.send(room, "6f 626279 01 05");
        CHECK(scene.peer.expect<wire::Joined>(room).room == "#lobby");
    }
    SECTION("and takes a join that is left again before it was made") {
        scene.peer.send(room, wire::Join{1, "#lobby", {}});
        scene.peer.send(room, "", true);
        CHECK_FALSE(scene.peer.is_over(room));
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.peer.is_over(room));
        CHECK_FALSE(scene.witness->last<PresenceChanged>().present);
    }
    SECTION("and forgets a join whose stream was abandoned") {
        scene.peer.send(room, wire::Join{1, "#lobby", {}});
        scene.peer.reset(room);
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.witness->count<PresenceChanged>() == 0);
    }
    SECTION("and refuses then what it would refuse later") {
        scene.peer.send(room, wire::Join{1, "#nowhere", {}});
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.peer.expect<wire::Error>(room).request == 1);
        CHECK(scene.peer.is_over(room));
    }
    CHECK_FALSE(scene.peer.closed());
}

TEST_CASE("a server does nothing about early joins", "[sim]") {
    EarlyScene scene;
    const StreamId room = scene.peer.open_stream();

    SECTION("of a login that fails") {
        scene.peer.send(room, wire::Join{1, "#lobby", {}});
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early", "PLAIN"));
        CHECK(scene.peer.closed()->errc == Errc::login_failed);
    }
    SECTION("that are garbage, until it closes for it") {
        scene.peer.send(room, "ffffffffffffffff ffffffffffffffff");
        CHECK_FALSE(scene.peer.closed());
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.peer.closed()->errc == Errc::frame_too_large);
    }
    SECTION("that are something else") {
        scene.peer.send(room, wire::Publish{1, {}, "hi", "{}"});
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early"));
        CHECK(scene.peer.closed()->errc == Errc::unexpected_frame);
    }
    CHECK(scene.is_silent(room));
    CHECK(scene.witness->count<PresenceChanged>() == 0);
    CHECK(scene.world.server.connection_count() == 1);
}

TEST_CASE("a server keeps only so much of a stranger", "[sim]") {
    EarlyScene scene{{.early_bytes_max = 1000}};
    const StreamId room = scene.peer.open_stream();
    const std::string piece(100, '0');  // 50 bytes in hex, and 128 for the stream

    SECTION("on one stream") {
        for (int i = 0; i < 17; ++i) scene.peer.send(room, piece);
        CHECK_FALSE(scene.peer.closed());
        scene.peer.send(room, piece);
        REQUIRE(scene.peer.closed());
        CHECK(scene.peer.closed()->errc == Errc::unexpected_frame);
    }
    SECTION("on all of them together, if they are empty as well") {
        scene.peer.send(room, "", true);
        for (int i = 0; i < 6; ++i) scene.peer.send(scene.peer.open_stream(), "", true);
        CHECK_FALSE(scene.peer.closed());
        scene.peer.send(scene.peer.open_stream(), "", true);
        REQUIRE(scene.peer.closed());
        CHECK(scene.peer.closed()->errc == Errc::unexpected_frame);
    }
    SECTION("but does not count what comes after the login") {
        scene.peer.send(scene.control, hello);
        scene.peer.send(scene.control, login("early"));
        scene.peer.send(room, wire::Join{1, "#lobby", {}});
        for (unsigned i = 0; i < 20; ++i) {
            scene.peer.send(room, wire::Publish{2 + i, {{std::byte(i)}}, "hello", "{}"});
        }
        CHECK_FALSE(scene.peer.closed());
        CHECK(scene.witness->texts().size() == 20);
    }
    CHECK(scene.witness->online());
}

TEST_CASE("a client believes nothing that a room says before the server has proved itself",
          "[sim]") {
    World world{{.seed = 42}};
    memory::Transport impostor = world.network.listen("impostor");
    memory::Client client{world.network.dial("impostor"),
                          *NameLogin::create("ada"),
                          Entropy::seeded(1),
                          {.reconnect = {.enabled = false}}};
    client.connect(world.now());
    REQUIRE(client.join("#lobby", Position::last(3)));
    std::optional<ConnectionId> connection;
    const auto run = [&] {
        do {
            client.process(world.now());
            impostor.handle_timeout(world.now().steady);
            while (const auto event = impostor.poll_event()) {
                if (const auto* connected = std::get_if<Connected>(&*event)) {
                    connection = connected->connection;
                }
            }
        } while (world.network.step());
    };
    const auto say = [&](StreamId stream, const auto& message) {
        (void)impostor.write(*connection, stream, Bytes{encode(message)}, false);
        run();
    };
    run();
    REQUIRE(connection);
    const StreamId room{4};
    const wire::Joined joined{1, "#lobby", Epoch{1}, 0, 1, false};
    const wire::Event event{1, {}, {}, "eve", "hi", "{}"};
    const auto next = [&] { return client.poll_event(); };

    SECTION("but takes it when that has happened") {
        say(room, joined);
        say(room, event);
        CHECK_FALSE(next());
        say(control_stream, wire::Welcome{0, {}, {100, 50, 3}, "{}"});
        CHECK_FALSE(next());
        say(control_stream, wire::LoginDone{"ada", {}});
        CHECK(std::holds_alternative<Online>(*next()));
        CHECK(std::holds_alternative<RoomJoined>(*next()));
        CHECK(std::get<RoomMessage>(*next()).text == "hi");
    }
    SECTION("nor what it says by ending the room") {
        impostor.reset_stream(*connection, room, 0);
        run();
        CHECK_FALSE(next());
        say(control_stream, wire::Welcome{0, {}, {100, 50, 3}, "{}"});
        say(control_stream, wire::LoginDone{"ada", {}});
        CHECK(std::holds_alternative<Online>(*next()));
        CHECK(std::get<Refused>(*next()).errc == Errc::not_in_room);
        CHECK(std::holds_alternative<RoomLeft>(*next()));
    }
    SECTION("and nothing at all if that fails") {
        say(room, joined);
        say(room, event);
        say(control_stream, wire::Welcome{0, {}, {100, 50, 3}, "{}"});
        say(control_stream, wire::LoginDone{"ada", hex("aa")});
        CHECK(std::get<Offline>(*next()).reason.errc == Errc::server_not_verified);
        CHECK_FALSE(next());
    }
}

TEST_CASE("a client may be in as many rooms as the server allows, and comes back to all of them",
          "[sim]") {
    std::vector<std::string> rooms;
    for (int i = 0; i < 100; ++i) rooms.push_back("#" + std::string(60, 'a') + std::to_string(i));
    World world{{.seed = 43, .rooms = rooms, .reconnect = {}}};
    Chatter& ada = world.add("ada");
    for (const std::string& room : rooms) REQUIRE(ada.client.join(room));
    world.run();
    CHECK(ada.count<RoomJoined>() == 100);
    world.network.cut(1);
    world.run_for(std::chrono::seconds{5});
    CHECK(ada.online());
    CHECK(ada.count<RoomJoined>() == 200);
}
