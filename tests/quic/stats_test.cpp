#include <catch2/catch_test_macros.hpp>

#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("a QUIC endpoint measures itself", "[quic]") {
    World world;

    SECTION("and the way of each connection") {
        Host& server = world.add_server();
        Host& client = world.add_client();
        server.echo = true;
        const ConnectionId id = connected(world, client);
        const StreamId stream = client.endpoint.open_stream(id).value();
        REQUIRE(client.endpoint.write(id, stream, text_bytes(std::string(5000, 'x')), true));
        REQUIRE(world.run_until([&] { return client.bytes_received == 5000; }));

        const std::optional<PathStats> path = client.endpoint.path_stats(id);
        REQUIRE(path);
        CHECK(path->round_trip > Duration{});
        CHECK(path->round_trip_min > Duration{});
        CHECK(path->round_trip_min <= path->round_trip);
        CHECK(path->congestion_window >= 2 * path->packet_bytes_max);
        CHECK(path->packet_bytes_max >= 1200);
        CHECK(path->bytes_sent > 5000);
        CHECK(path->bytes_received > 5000);
        CHECK(path->packets_sent > 4);
        CHECK(path->packets_received > 4);

        const TransportStats stats = server.endpoint.stats();
        CHECK(stats.handshakes_begun == 1);
        CHECK(stats.handshakes_done == 1);
        CHECK(stats.handshakes_open == 0);
        CHECK(stats.handshakes_failed.all() == 0);
        CHECK(stats.datagrams_received > 4);
        CHECK(stats.datagrams_sent > 4);
        CHECK(stats.bytes_received > 5000);
        CHECK(stats.bytes_sent > 5000);

        client.endpoint.close(id, Errc::closed, "");
        world.run_for(1s);
        CHECK_FALSE(client.endpoint.path_stats(id));
    }
    SECTION("a connection that was not acknowledged anything yet has no round trip") {
        Host& client = world.add_client();
        const ConnectionId id = client.endpoint.connect(world.now).value();
        world.run_for(10ms);
        REQUIRE(client.endpoint.path_stats(id));
        CHECK(client.endpoint.path_stats(id)->round_trip_min == Duration{});
        CHECK(client.endpoint.path_stats(id)->bytes_received == 0);
    }
    SECTION("clients that must prove their address") {
        Host& server = world.add_server({.retry = quic::RetryPolicy::always}, World::config(1));
        connected(world, world.add_client());
        world.run_for(1s);
        CHECK(server.endpoint.stats().strangers.retries == 1);
        CHECK(server.endpoint.stats().handshakes_done == 1);
    }
    SECTION("clients for which there is no room") {
        quic::Config config = World::config(1);
        config.limits.connections_max = 1;
        Host& server = world.add_server({}, config);
        connected(world, world.add_client());
        Host& other = world.add_client();
        other.endpoint.connect(world.now).value();
        REQUIRE(world.run_until([&] { return find_event<Disconnected>(other) != nullptr; }));
        CHECK(server.endpoint.stats().strangers.refused_full > 0);
        CHECK(server.endpoint.stats().handshakes_begun == 1);
    }
    SECTION("what is no packet of anybody's") {
        Host& server = world.add_server();
        Buffer bytes(100, std::byte{0xc0});
        bytes[1] = bytes[2] = bytes[3] = std::byte{0};
        bytes[4] = std::byte{1};
        bytes[5] = std::byte{8};
        bytes[14] = std::byte{0};
        server.endpoint.handle_datagram({server.address, server.address, 0, bytes}, world.now);
        CHECK(server.endpoint.stats().strangers.dropped_malformed == 1);
        CHECK(server.endpoint.stats().datagrams_received == 1);
        CHECK(server.endpoint.stats().bytes_received == 100);
    }
    SECTION("a handshake that fails, by the error") {
        Host& server = world.add_server();
        Host& client = world.add_client();
        client.listening = false;
        client.endpoint.connect(world.now).value();
        REQUIRE(world.run_until([&] { return server.endpoint.half_open() > 0; }));
        server.listening = false;
        world.run_for(60s);
        const TransportStats stats = server.endpoint.stats();
        CHECK(stats.handshakes_done == 0);
        CHECK(stats.handshakes_begun > 0);
        CHECK(stats.handshakes_failed.all() == stats.handshakes_begun);
        CHECK(stats.handshakes_failed.of(Errc::handshake_timeout) == stats.handshakes_begun);
    }
}
