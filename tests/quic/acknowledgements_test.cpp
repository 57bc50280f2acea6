#include <catch2/catch_test_macros.hpp>

#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

struct Traffic {
    std::uint64_t from_client = 0;
    std::uint64_t from_server = 0;
    bool all_arrived = false;
};

/// A server that sends a small message every `pause`, to a client with nothing to say.
Traffic drip(bool hold, int messages, Duration pause) {
    World world{{.delay_min = 100us, .delay_max = 100us}};
    quic::Config server_config = World::config(1);
    quic::Config client_config = World::config(2);
    server_config.hold_acknowledgements = client_config.hold_acknowledgements = hold;
    Host& server = world.add_server({}, std::move(server_config));
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, std::move(client_config));
    client.endpoint.connect(world.now).value();
    world.run_until([&] { return find_event<Connected>(server) != nullptr; });
    const ConnectionId at_client = find_event<Connected>(client)->connection;
    const StreamId stream = client.endpoint.open_stream(at_client).value();
    (void)client.endpoint.write(at_client, stream, text_bytes("!"), false);
    world.run_for(3s);  // path MTU discovery and all that
    const ConnectionId id = find_event<Connected>(server)->connection;
    Traffic traffic;
    world.spy = [&](const DatagramLink::Letter& letter) {
        ++(letter.to == server.address ? traffic.from_client : traffic.from_server);
    };
    for (int i = 0; i < messages; ++i) {
        (void)server.endpoint.write(id, stream, Bytes{Buffer(120)}, false);
        world.run_for(pause);
    }
    world.run_for(100ms);
    traffic.all_arrived = client.bytes_received == static_cast<std::uint64_t>(messages) * 120;
    return traffic;
}

}  // namespace

TEST_CASE("acknowledgements are held back while there is nothing else to say", "[quic][ack]") {
    const Traffic prompt = drip(false, 200, 1ms);
    const Traffic held = drip(true, 200, 1ms);
    CHECK(prompt.all_arrived);
    CHECK(held.all_arrived);
    CHECK(held.from_client * 4 < prompt.from_client);
    CHECK(held.from_server <= prompt.from_server);
    CHECK(held.from_server < 260);  // and no needless retransmission
}

TEST_CASE("a held acknowledgement comes before the sender gets nervous", "[quic][ack]") {
    const Traffic held = drip(true, 50, 100ms);
    CHECK(held.all_arrived);
    CHECK(held.from_server < 110);
    CHECK(held.from_client <= 110);
}
