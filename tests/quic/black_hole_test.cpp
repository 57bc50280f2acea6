#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// A client and a server that have measured a wide path.
struct Scene {
    World world{LinkConfig{.datagram_bytes_max = 9000}};
    Host& server;
    Host& client;
    ConnectionId at_client = client.endpoint.connect(world.now).value();
    ConnectionId at_server{};
    StreamId stream{};
    std::size_t longest = 0;  ///< Datagram of the last moments.
    std::size_t spent = 0;    ///< Bytes of all of them.

    explicit Scene(std::size_t payload_max = quic::PacketSize::ordinary)
        : server(world.add_server({}, config(1, payload_max))),
          client(world.add_client({.trust = quic::Trust::insecure()}, config(2, payload_max))) {
        REQUIRE(world.run_until([&] { return find_event<Connected>(server) != nullptr; }));
        at_server = find_event<Connected>(server)->connection;
        stream = client.endpoint.open_stream(at_client).value();
        REQUIRE(client.endpoint.write(at_client, stream, text_bytes("!"), false));
        world.run_for(3s);
        REQUIRE(server.bytes_received == 1);
        world.spy = [this](const DatagramLink::Letter& letter) {
            longest = std::max(longest, letter.bytes.size());
            spent += letter.bytes.size();
        };
    }

    static quic::Config config(std::uint64_t seed, std::size_t payload_max) {
        quic::Config made = World::config(seed);
        made.udp_payload_bytes_max = payload_max;
        return made;
    }

    void narrow(std::size_t bytes = 1252) { world.link.config().datagram_bytes_max = bytes; }

    Duration send(Host& from, std::size_t bytes) {
        Host& to = &from == &client ? server : client;
        const ConnectionId id = &from == &client ? at_client : at_server;
        const std::uint64_t wanted = to.bytes_received + bytes;
        const TimePoint begin = world.now;
        longest = 0;
        REQUIRE(from.endpoint.write(id, stream, Bytes{Buffer(bytes)}, false));
        CHECK(world.run_until([&] { return to.bytes_received >= wanted; }, 5min));
        return world.now - begin;
    }
};

}  // namespace

TEST_CASE("a path that becomes narrower holds up nobody for long", "[quic][mtu]") {
    Scene scene;
    const bool from_server = GENERATE(true, false);
    CAPTURE(from_server);
    Host& sender = from_server ? scene.server : scene.client;
    scene.send(sender, 20'000);
    REQUIRE(scene.longest > 1400);
    scene.narrow();
    CHECK(scene.send(sender, 20'000) < 1500ms);
    CHECK(scene.send(sender, 50'000) < 500ms);
    CHECK(scene.longest == 1200);

    SECTION("nor later, when a long packet is tried again") {
        for (int i = 0; i < 60; ++i) {
            CHECK(scene.send(sender, 20'000) < 500ms);
            scene.world.run_for(1s);
        }
    }
    SECTION("and is used as a whole when it is wide again") {
        scene.narrow(1500);
        for (int i = 0; i < 10; ++i) {
            scene.send(sender, 20'000);
            scene.world.run_for(2s);
        }
        scene.send(sender, 20'000);
        CHECK(scene.longest > 1400);
    }
    CHECK(count_events<Disconnected>(scene.client) == 0);
    CHECK(count_events<Disconnected>(scene.server) == 0);
}

TEST_CASE("packets are as long as a path with jumbo frames takes", "[quic][mtu]") {
    Scene scene{8952};
    const bool from_server = GENERATE(true, false);
    CAPTURE(from_server);
    Host& sender = from_server ? scene.server : scene.client;
    scene.send(sender, 200'000);  // until then the congestion window is small
    CHECK(scene.longest == 8952);

    SECTION("until it becomes an ordinary one") {
        scene.narrow(1500);
        CHECK(scene.send(sender, 20'000) < 1500ms);
        for (int i = 0; i < 60; ++i) {
            CHECK(scene.send(sender, 50'000) < 500ms);
            scene.world.run_for(1s);
        }
        CHECK(scene.send(sender, 50'000) < 500ms);
        CHECK(scene.longest == 1452);
        scene.narrow(1252);
        CHECK(scene.send(sender, 20'000) < 1500ms);
        CHECK(scene.send(sender, 50'000) < 500ms);
        CHECK(scene.longest == 1200);
    }
    SECTION("and fill it with many small pieces") {
        const ConnectionId id = from_server ? scene.at_server : scene.at_client;
        scene.longest = 0;
        scene.spent = 0;
        const std::size_t piece = GENERATE(40, 100, 200);
        for (std::size_t sent = 0; sent < 100'000; sent += piece) {
            REQUIRE(sender.endpoint.write(id, scene.stream, Bytes{Buffer(piece)}, false));
        }
        scene.world.run_for(1s);
        CHECK(scene.longest > std::min<std::size_t>(60 * piece, 8000));
        CHECK(scene.spent < 110'000);  // and with hardly any padding
    }
    SECTION("also after a pause, in which the congestion window was not used") {
        for (const std::size_t bytes : {24'000, 28'000, 32'000, 36'000}) {
            scene.send(sender, bytes);
            scene.world.run_for(1s);
            for (int i = 0; i < 5; ++i) CHECK(scene.send(sender, 100) < 500ms);
        }
    }
}

TEST_CASE("nobody tries longer packets than the other one's interface takes", "[quic][mtu]") {
    World world{LinkConfig{.datagram_bytes_max = 9000}};
    const bool is_server = GENERATE(true, false);
    Host& server = world.add_server({}, Scene::config(1, is_server ? 8952 : 1452));
    Host& client = world.add_client({.trust = quic::Trust::insecure()},
                                    Scene::config(2, is_server ? 1452 : 8952));
    std::size_t longest = 0;
    world.spy = [&](const DatagramLink::Letter& letter) {
        longest = std::max(longest, letter.bytes.size());
    };
    const ConnectionId at_client = client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(server) != nullptr; }));
    const ConnectionId at_server = find_event<Connected>(server)->connection;
    const StreamId stream = client.endpoint.open_stream(at_client).value();
    REQUIRE(client.endpoint.write(at_client, stream, Bytes{Buffer(200'000)}, false));
    REQUIRE(world.run_until([&] { return server.bytes_received == 200'000; }));
    REQUIRE(server.endpoint.write(at_server, stream, Bytes{Buffer(200'000)}, false));
    REQUIRE(world.run_until([&] { return client.bytes_received == 200'000; }));
    CHECK(longest > 1400);
    CHECK(longest <= 1472);
}

TEST_CASE("packets are as long as an ordinary path takes where more is tried", "[quic][mtu]") {
    World world;
    world.link.config().datagram_bytes_max = GENERATE(1500, 1452, 1444);
    Host& server = world.add_server({}, Scene::config(1, 8952));
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, Scene::config(2, 8952));
    const ConnectionId id = client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(server) != nullptr; }));
    const StreamId stream = client.endpoint.open_stream(id).value();
    REQUIRE(client.endpoint.write(id, stream, Bytes{Buffer(200'000)}, false));
    REQUIRE(world.run_until([&] { return server.bytes_received == 200'000; }, 500ms));
    world.run_for(10s);
    const std::size_t wanted = std::min<std::size_t>(world.link.config().datagram_bytes_max, 1452);
    CHECK(client.endpoint.path_stats(id).value().packet_bytes_max == wanted);
}

TEST_CASE("a stream that is stuck in a narrow path is noticed beside one that is not",
          "[quic][mtu]") {
    Scene scene;
    const StreamId other = scene.client.endpoint.open_stream(scene.at_client).value();
    scene.narrow();
    REQUIRE(
        scene.client.endpoint.write(scene.at_client, scene.stream, Bytes{Buffer(20'000)}, false));
    const TimePoint begin = scene.world.now;
    for (int i = 0; i < 100 && scene.server.bytes_received < 20'001; ++i) {
        REQUIRE(scene.client.endpoint.write(scene.at_client, other, text_bytes("tick"), false));
        scene.world.run_for(100ms);
    }
    CHECK(scene.server.bytes_received >= 20'000);
    CHECK(scene.world.now - begin < 3s);
}

TEST_CASE("after a network that was away packets become long again", "[quic][mtu]") {
    Scene scene;
    scene.world.link.config().loss = 1000;
    REQUIRE(scene.client.endpoint.write(scene.at_client, scene.stream, Bytes{Buffer(5000)}, false));
    scene.world.run_for(10s);
    scene.world.link.config().loss = 0;
    REQUIRE(scene.world.run_until([&] { return scene.server.bytes_received == 5001; }, 1min));
    for (int i = 0; i < 20; ++i) {
        scene.send(scene.client, 5000);
        scene.world.run_for(1s);
    }
    scene.send(scene.client, 5000);
    CHECK(scene.longest > 1400);
}

namespace {

/// After a check at that time, while something has waited for so long; of `most`.
std::size_t limit_after_check(quic::PacketSize& size, Duration waits, std::uint64_t lost,
                              Duration at, std::size_t most) {
    const TimePoint now = TimePoint{1000s} + at;
    size.check({now - waits, 50ms, lost}, now);
    return size.limit(most);
}

}  // namespace

TEST_CASE("the size of packets", "[quic][mtu]") {
    quic::PacketSize size;
    const auto check = [&](Duration waits, std::uint64_t lost, Duration at) {
        return limit_after_check(size, waits, lost, at, 1400);
    };
    CHECK(size.limit(1400) == 1400);
    CHECK(check(400ms, 0, 1s) == 1400);
    CHECK(check(500ms, 0, 2s) == 1200);
    CHECK(check(3s, 0, 8s) == 1200);  // nothing comes through: no trial
    CHECK(check(0s, 0, 9s) == 1400);  // one packet
    size.handle_written(1000);
    CHECK(size.limit(1400) == 1400);
    size.handle_written(1300);
    CHECK(size.limit(1400) == 1200);
    CHECK(size.limit(1100) == 1100);

    SECTION("grows when a long packet was not lost") {
        CHECK(check(0s, 0, 100s) == 1200);  // from when it was sent, not from when it might be
        CHECK(check(0s, 0, 100s + 499ms) == 1200);
        CHECK(check(0s, 0, 100s + 500ms) == 1400);
        CHECK(check(0s, 9, 101s) == 1400);
    }
    SECTION("stays when it was, for twice as long each time") {
        Duration at = 10s;
        Duration pause = 10s;
        for (std::uint64_t lost = 1; lost < 20; ++lost) {
            CHECK(check(0s, lost, at) == 1200);
            CHECK(check(0s, lost, at + pause - 1s) == 1200);
            at += pause;
            CHECK(check(0s, lost, at) == 1400);
            size.handle_written(1300);
            pause = std::min<Duration>(2 * pause, 10min);
        }
    }
}

TEST_CASE("packets that may be much longer grow in two steps", "[quic][mtu]") {
    quic::PacketSize size;
    const auto check = [&](Duration waits, std::uint64_t lost, Duration at) {
        return limit_after_check(size, waits, lost, at, 8952);
    };
    CHECK(size.limit(8952) == 8952);
    CHECK(check(500ms, 0, 1s) == 1200);
    CHECK(check(0s, 0, 6s) == 1452);
    size.handle_written(1452);
    CHECK(check(0s, 0, 7s) == 1200);
    CHECK(check(0s, 0, 8s) == 1452);
    CHECK(check(0s, 0, 12s) == 1452);
    CHECK(check(0s, 0, 13s) == 8952);
    CHECK(check(0s, 3, 14s) == 8952);  // nothing long was sent
    SECTION("if the second one comes through") {
        size.handle_written(8952);
        CHECK(check(0s, 3, 15s) == 1452);
        CHECK(check(0s, 3, 16s) == 8952);
        CHECK(check(0s, 9, 90s) == 8952);
    }
    SECTION("or in one") {
        size.handle_written(8952);
        CHECK(check(0s, 4, 15s) == 1452);
        CHECK(check(0s, 4, 24s) == 1452);
        CHECK(check(0s, 4, 25s) == 8952);
    }
    SECTION("and are short again when even those of the first step are lost") {
        CHECK(check(500ms, 4, 15s) == 1200);
    }
}

TEST_CASE("packets are short before the second probe of a long path", "[quic][mtu]") {
    // Probes go after one PTO, and two more (RFC 9002 6.2.1). After 15 s the connection would end.
    const Duration pto = 2400ms;
    const TimePoint begin{1000s};
    quic::PacketSize size;
    size.check({begin, pto, 0}, begin + 2 * pto - 1ms);
    CHECK(size.limit(1400) == 1400);
    size.check({begin, pto, 0}, begin + 2 * pto);
    CHECK(size.limit(1400) == 1200);
}
