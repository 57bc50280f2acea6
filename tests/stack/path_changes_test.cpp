#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <utility>

#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

// What is mended in ngtcp2 (cmake/ngtcp2_mends.md), where the client says nothing that would be
// repeated: its next packet is a keep-alive after 25 s.

namespace {

/// A server that has something to say to a client whose NAT moves it about.
struct MovingClient {
    World world;
    Host& server = world.add_server();
    Host& client = world.add_client();
    ConnectionId at_client = client.endpoint.connect(world.now).value();
    ConnectionId at_server{};
    StreamId stream{};
    const quic::SocketAddress home = client.public_address;
    const quic::SocketAddress away = *quic::SocketAddress::from_numeric("10.0.2.1", 999);
    bool is_silent = false;  ///< What the server sends is lost.
    bool goes_home = false;  ///< When the next packet of the server is there.

    MovingClient() {
        REQUIRE(world.run_until([&] { return find_event<Connected>(client) != nullptr; }));
        stream = client.endpoint.open_stream(at_client).value();
        REQUIRE(client.endpoint.write(at_client, stream, text_bytes("begin"), false));
        REQUIRE(world.run_until([&] { return server.text == "begin"; }));
        at_server = find_event<Connected>(server)->connection;
        world.tamper = [&](DatagramLink::Letter& letter) {
            if (letter.from != server.address) return;
            if (is_silent) letter.to = {};
            if (std::exchange(goes_home, false)) letter.to = client.public_address = home;
        };
        world.run_for(3s);
    }

    void say(const std::string& text) {
        REQUIRE(server.endpoint.write(at_server, stream, text_bytes(text), false));
    }
    void move(const quic::SocketAddress& address) { client.public_address = address; }
    bool hears(const std::string& text) {
        return world.run_until([&] { return client.text.ends_with(text); }, 5s);
    }
};

Duration milliseconds(int count) { return std::chrono::milliseconds{count}; }

}  // namespace

TEST_CASE("a server follows a client back to the path that it has just left", "[stack][paths]") {
    for (int stays = 20; stays <= 1200; stays += 20) {
        CAPTURE(stays);
        MovingClient scene;
        scene.move(scene.away);
        REQUIRE(scene.client.endpoint.write(scene.at_client, scene.stream, text_bytes("x"), false));
        scene.world.run_for(milliseconds(stays));
        scene.goes_home = true;
        scene.say("one");
        REQUIRE(scene.hears("one"));
        scene.world.run_for(50ms);  // the acknowledgement comes from there, and no more
        scene.say("two");
        CHECK(scene.hears("two"));
    }
}

TEST_CASE("what was lost before a client moved is sent again", "[stack][paths]") {
    for (int silent = 0; silent <= 200; silent += 20) {
        for (int stays = 0; stays <= 200; stays += 20) {
            CAPTURE(silent, stays);
            MovingClient scene;
            scene.say("one");
            REQUIRE(scene.hears("one"));
            scene.say("two");
            scene.is_silent = true;
            scene.move(scene.away);
            scene.world.run_for(milliseconds(silent));
            scene.is_silent = false;
            if (stays > 0) {
                scene.world.run_for(milliseconds(stays));
                scene.move(scene.home);
            }
            CHECK(scene.hears("two"));
        }
    }
}
