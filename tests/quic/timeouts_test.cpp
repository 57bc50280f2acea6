#include <catch2/catch_test_macros.hpp>

#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

quic::Config quick(std::uint64_t seed) {
    quic::Config config = World::config(seed);
    config.limits.handshake_timeout = 5s;
    config.limits.idle_timeout = 30s;
    config.limits.keep_alive = 12s;
    return config;
}

const CloseReason& reason_of(const Host& host) {
    const auto* disconnected = find_event<Disconnected>(host);
    REQUIRE(disconnected != nullptr);
    return disconnected->reason;
}

}  // namespace

TEST_CASE("a handshake that gets no answer ends in time", "[quic][timeout]") {
    World world;
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, quick(2));
    const TimePoint begin = world.now;

    SECTION("and says that nobody was there") {
        client.endpoint.connect(world.now).value();
        REQUIRE(world.run_until([&] { return find_event<Disconnected>(client) != nullptr; }));
        CHECK(reason_of(client).errc == Errc::handshake_timeout);
        CHECK(reason_of(client).datagrams_received == 0);
        CHECK_FALSE(reason_of(client).by_peer);
        CHECK(world.now - begin >= 5s);
        CHECK(world.now - begin < 6s);
    }
    SECTION("and says that somebody was there who does not speak QUIC") {
        Host& server = world.add_server({}, quick(1));
        world.tamper = [](DatagramLink::Letter& letter) {
            letter.bytes.assign(100, std::byte{0x40});
        };
        client.endpoint.connect(world.now).value();
        world.run_for(100ms);
        client.endpoint.handle_datagram(
            {client.address, server.address, 0, Buffer(100, std::byte{0x40})}, world.now);
        REQUIRE(world.run_until([&] { return find_event<Disconnected>(client) != nullptr; }));
        CHECK(reason_of(client).errc == Errc::handshake_timeout);
        CHECK(reason_of(client).datagrams_received > 0);
    }
    SECTION("at the server without a word to the application") {
        Host& server = world.add_server({}, quick(1));
        client.endpoint.connect(world.now).value();
        world.run_for(11ms);
        client.listening = false;
        CHECK(server.endpoint.half_open() == 1);
        world.run_for(20s);
        CHECK(server.endpoint.half_open() == 0);
        CHECK(server.endpoint.connections() == 0);
        CHECK(server.events.empty());
        world.run_for(60s);
        CHECK(server.endpoint.connection_ids() == 0);
    }
}

TEST_CASE("a client speaks often enough for a server that is less patient", "[quic][timeout]") {
    World world;
    quic::Config impatient = quick(1);
    impatient.limits.idle_timeout = 6s;
    Host& server = world.add_server({}, impatient);
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, quick(2));
    client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(server) != nullptr; }));
    world.run_for(2min);
    CHECK(find_event<Disconnected>(client) == nullptr);
    CHECK(find_event<Disconnected>(server) == nullptr);
}

TEST_CASE("an established connection", "[quic][timeout]") {
    World world;
    Host& server = world.add_server({}, quick(1));
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, quick(2));
    client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(server) != nullptr; }));

    SECTION("is kept alive by the client while nobody says anything") {
        world.run_for(10min);
        CHECK(find_event<Disconnected>(client) == nullptr);
        CHECK(find_event<Disconnected>(server) == nullptr);
    }
    SECTION("ends at both sides when the network is gone") {
        world.link.config().loss = 1000;
        const TimePoint begin = world.now;
        world.run_for(5min);
        CHECK(reason_of(client).errc == Errc::idle_timeout);
        CHECK(reason_of(server).errc == Errc::idle_timeout);
        CHECK(count_events<Disconnected>(client) == 1);
        CHECK(world.now - begin == 5min);
        CHECK(server.endpoint.connections() == 0);
        CHECK(server.endpoint.connection_ids() == 0);
    }
    SECTION("survives a network that is away for a while") {
        world.link.config().loss = 1000;
        world.run_for(15s);
        world.link.config().loss = 0;
        server.echo = true;
        const ConnectionId id = find_event<Connected>(client)->connection;
        const StreamId stream = client.endpoint.open_stream(id).value();
        REQUIRE(client.endpoint.write(id, stream, text_bytes("still here"), true));
        CHECK(world.run_until([&] { return client.text == "still here"; }));
    }
    SECTION("is not ended by a report that nobody listens") {
        client.endpoint.handle_unreachable(world.now);
        world.run_for(1s);
        CHECK(find_event<Disconnected>(client) == nullptr);
    }
    SECTION("does not mind a clock that goes back") {
        const ConnectionId id = find_event<Connected>(client)->connection;
        server.echo = true;
        const StreamId stream = client.endpoint.open_stream(id).value();
        for (int i = 0; i < 50; ++i) {
            REQUIRE(client.endpoint.write(id, stream, text_bytes("x"), false));
            for (auto* host : {&client, &server}) {
                host->endpoint.handle_timeout(world.now - 10s);
                while (host->endpoint.poll_transmit(world.now - 20s)) {
                }
                host->endpoint.handle_datagram(
                    {host->address, client.address, 0, Buffer(40, std::byte{0x55})},
                    world.now - 30s);
            }
            world.run_for(10ms);
        }
        CHECK(find_event<Disconnected>(client) == nullptr);
        CHECK(find_event<Disconnected>(server) == nullptr);
    }
}

TEST_CASE("a client cannot dial before it knows where to", "[quic]") {
    auto client = quic::Endpoint::client({.trust = quic::Trust::insecure()});
    REQUIRE(client);
    CHECK(client->connect(TimePoint{}).error() == Errc::not_ready);
    auto server = quic::Endpoint::server(
        {.certificate_pem = test_pair().certificate_pem, .key_pem = test_pair().key_pem});
    REQUIRE(server);
    CHECK(server->connect(TimePoint{}).error() == Errc::not_ready);
}
