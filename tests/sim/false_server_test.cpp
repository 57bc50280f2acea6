#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// A client that dials a server which says whatever it likes.
struct FalseServer {
    memory::Network network{{.seed = 5}};
    memory::Transport server = network.listen("false");
    memory::Client client{network.dial("false"),
                          *NameLogin::create("ada"),
                          Entropy::seeded(3),
                          {.reconnect = {.enabled = false}}};
    std::optional<ConnectionId> connection{};

    FalseServer() {
        client.connect({network.now(), {}});
        run();
        REQUIRE(connection);
    }
    void run() {
        do {
            client.process({network.now(), {}});
            while (client.poll_event()) {
            }
            while (auto event = server.poll_event()) {
                if (const auto* connected = std::get_if<Connected>(&*event)) {
                    connection = connected->connection;
                }
            }
        } while (network.step());
    }
    void send(std::string_view hex) {
        (void)server.write(*connection, control_stream, hex_bytes(hex), false);
        run();
    }
};

constexpr const char* welcome_head = "04 5388";  // Welcome, 5 000 bytes follow

}  // namespace

TEST_CASE("a client takes no more than 4096 bytes from a server that did not prove itself",
          "[sim]") {
    FalseServer scene;
    CHECK(scene.client.state() != State::closed);
    SECTION("in a frame that it waits for") { scene.send(welcome_head); }
    SECTION("in one that it would skip") { scene.send("35 5388"); }
    CHECK(scene.client.state() == State::closed);
}

TEST_CASE("a client waits for a first frame of 4096 bytes", "[sim]") {
    FalseServer scene;
    scene.send("04 5000");
    CHECK(scene.client.state() != State::closed);
}
