#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

quic::SocketAddress at(const char* text) { return *quic::SocketAddress::parse(text); }

/// A client that learns of addresses after it has dialled, and a server at two of them.
struct Scene {
    World world;
    Host& first = world.add_server();  // 10.0.0.1:4433
    Host& second = world.add_server({}, World::config(2), 4434);
    Host& client = world.add_client({.routes_later = true, .trust = trust()}, World::config(3));
    ConnectionId id = client.endpoint.connect(world.now).value();
    TimePoint begin = world.now;

    static quic::Trust trust() { return quic::Trust::insecure(); }

    quic::Route to(const quic::SocketAddress& remote) const { return {client.address, remote}; }
    void offer(std::vector<quic::Route> routes, std::string text = {}) {
        client.endpoint.offer_routes(std::move(routes), world.now, std::move(text));
    }
    bool connects() {
        return world.run_until([&] { return find_event<Connected>(client) != nullptr; });
    }
    const CloseReason& end() {
        world.run_until([&] { return find_event<Disconnected>(client) != nullptr; });
        REQUIRE(count_events<Disconnected>(client) == 1);
        CHECK(find_event<Disconnected>(client)->connection == id);
        CHECK(find_event<Connected>(client) == nullptr);
        CHECK(client.endpoint.connections() == 0);
        return find_event<Disconnected>(client)->reason;
    }
    bool echoes() {
        const std::size_t before = client.text.size();
        const StreamId stream = client.endpoint.open_stream(id).value();
        REQUIRE(client.endpoint.write(id, stream, text_bytes("hello"), true));
        return world.run_until([&] { return client.text.size() == before + 5; });
    }
};

const quic::SocketAddress dead = at("10.9.9.9:4433");

}  // namespace

TEST_CASE("a dial that waits for addresses", "[quic][routes]") {
    Scene scene;
    CHECK(scene.client.endpoint.wants_routes());
    CHECK(scene.client.endpoint.open_stream(scene.id).error() == Errc::not_ready);
    SECTION("is the only one") {
        CHECK(scene.client.endpoint.connect(scene.world.now).error() == Errc::not_ready);
    }
    SECTION("ends with the reason why there are none") {
        scene.offer({}, "no such host");
        CHECK(scene.end().errc == Errc::unreachable);
        CHECK(scene.end().text == "no such host");
    }
    SECTION("can be given up") {
        scene.client.endpoint.close(scene.id, Errc::login_timeout, "");
        CHECK(scene.end().errc == Errc::login_timeout);
        scene.offer({scene.to(scene.first.address)});  // too late
        scene.world.run_for(1s);
        CHECK(scene.first.events.empty());
        CHECK(scene.client.endpoint.connect(scene.world.now));
    }
}

TEST_CASE("a client with several addresses of its server", "[quic][routes]") {
    Scene scene;
    scene.first.echo = scene.second.echo = true;
    const quic::Route to_first = scene.to(scene.first.address);
    const quic::Route to_second = scene.to(scene.second.address);

    SECTION("uses the first one that is good, and asks no other") {
        scene.offer({to_first, to_second});
        REQUIRE(scene.connects());
        CHECK(scene.world.now - scene.begin < 100ms);
        CHECK(scene.echoes());
        CHECK(scene.second.events.empty());
    }
    SECTION("waits a quarter of a second for one that is silent") {
        scene.offer({scene.to(dead), to_second});
        REQUIRE(scene.connects());
        CHECK(scene.world.now - scene.begin >= 250ms);
        CHECK(scene.world.now - scene.begin < 350ms);
        CHECK(find_event<Connected>(scene.client)->connection == scene.id);
        CHECK(find_event<Connected>(scene.client)->peer_address == "10.0.0.1:4434");
        CHECK(scene.echoes());
        scene.world.run_for(30s);
        CHECK(scene.echoes());
        CHECK(scene.client.endpoint.connections() == 1);
        CHECK(count_events<Disconnected>(scene.client) == 0);
    }
    SECTION("does not wait for one where nobody listens") {
        const auto other = at("10.0.1.77:7777");
        scene.offer({{other, dead}, to_second});
        scene.client.endpoint.handle_unreachable(scene.world.now, other);
        REQUIRE(scene.connects());
        CHECK(scene.world.now - scene.begin < 100ms);
    }
    SECTION("keeps one connection of several that come through") {
        scene.world.link.config().delay_min = scene.world.link.config().delay_max = 400ms;
        scene.offer({to_first, to_second});
        REQUIRE(scene.connects());
        scene.world.run_for(5s);
        CHECK(count_events<Connected>(scene.client) == 1);
        CHECK(count_events<Disconnected>(scene.client) == 0);
        CHECK(scene.client.endpoint.connections() == 1);
        CHECK(scene.first.endpoint.connections() == 1);
        CHECK(scene.second.endpoint.connections() == 0);
        CHECK(scene.echoes());
        CHECK(scene.client.endpoint.connection_ids() < 10);
    }
    SECTION("ends once, when all have failed") {
        scene.offer({scene.to(dead), scene.to(at("10.9.9.8:1"))});
        CHECK(scene.end().errc == Errc::handshake_timeout);
        CHECK(scene.world.now - scene.begin < 11s);
        CHECK(scene.client.endpoint.connect(scene.world.now));
    }
    SECTION("says that nobody listens rather than that nobody answers") {
        const auto other = at("10.0.1.77:7777");
        scene.offer({scene.to(dead), {other, at("10.9.9.8:1")}});
        scene.world.run_for(300ms);
        scene.client.endpoint.handle_unreachable(scene.world.now, other);
        CHECK(scene.end().errc == Errc::unreachable);
    }
}

TEST_CASE("a server that is refused is not tried at its other addresses", "[quic][routes]") {
    World world;
    world.add_server();
    Host& second = world.add_server({}, World::config(2), 4434);
    Host& client = world.add_client({.routes_later = true, .trust = quic::Trust::pinned({})},
                                    World::config(3));
    client.endpoint.connect(world.now).value();
    client.endpoint.offer_routes(
        {{client.address, at("10.0.0.1:4433")}, {client.address, second.address}}, world.now);
    REQUIRE(world.run_until([&] { return find_event<Disconnected>(client) != nullptr; }));
    CHECK(find_event<Disconnected>(client)->reason.errc == Errc::server_key_changed);
    world.run_for(1s);
    CHECK(second.endpoint.half_open() == 0);
    CHECK(count_events<Disconnected>(client) == 1);
}

TEST_CASE("a client whose address changes", "[quic][routes]") {
    Scene scene;
    scene.first.echo = true;
    scene.offer({scene.to(scene.first.address)});
    const auto move = [&](const char* to) {
        const auto from = std::exchange(scene.client.address, at(to));
        scene.client.public_address = scene.client.address;
        scene.client.endpoint.migrate(from, scene.client.address, scene.world.now);
    };

    SECTION("goes on from there at once") {
        REQUIRE(scene.connects());
        scene.world.run_for(2s);
        for (const char* address : {"10.0.7.1:1000", "10.0.7.2:1001", "10.0.7.3:1002"}) {
            move(address);
            const TimePoint moved = scene.world.now;
            CHECK(scene.echoes());
            CHECK(scene.world.now - moved < 100ms);
            scene.world.run_for(1s);
            CHECK(scene.client.endpoint.speaks_from(scene.client.address));
        }
    }
    SECTION("sends again what was under way") {
        REQUIRE(scene.connects());
        scene.world.run_for(2s);
        scene.client.public_address = at("10.0.6.6:6");  // the old one is gone
        scene.client.listening = false;
        const StreamId stream = scene.client.endpoint.open_stream(scene.id).value();
        REQUIRE(scene.client.endpoint.write(scene.id, stream, text_bytes("still"), true));
        scene.world.link.config().loss = 1000;
        scene.world.run_for(5s);
        scene.world.link.config().loss = 0;
        scene.client.listening = true;
        move("10.0.7.1:1000");
        const TimePoint moved = scene.world.now;
        REQUIRE(scene.world.run_until([&] { return scene.client.text == "still"; }));
        CHECK(scene.world.now - moved < 500ms);
    }
    CHECK(count_events<Disconnected>(scene.client) == 0);
    CHECK(count_events<Connected>(scene.first) == 1);
}

TEST_CASE("a client whose address changes before it is connected begins anew", "[quic][routes]") {
    Scene scene;
    scene.offer({scene.to(scene.first.address)});
    scene.world.run_for(15ms);  // the first flight is at the server
    const auto from = std::exchange(scene.client.address, at("10.0.7.1:1000"));
    scene.client.public_address = scene.client.address;
    scene.client.endpoint.migrate(from, scene.client.address, scene.world.now);
    CHECK(scene.end().errc == Errc::transport_failed);
    CHECK(scene.world.now - scene.begin < 100ms);
    const ConnectionId again = scene.client.endpoint.connect(scene.world.now).value();
    scene.offer({scene.to(scene.first.address)});
    REQUIRE(scene.connects());
    CHECK(find_event<Connected>(scene.client)->connection == again);
}

TEST_CASE("a connection that leads nowhere can be ended", "[quic][routes]") {
    Scene scene;
    scene.offer({scene.to(scene.first.address)});
    REQUIRE(scene.connects());
    scene.client.endpoint.abandon(at("10.0.7.1:1000"), "another one");
    scene.client.endpoint.abandon(scene.client.address, "no way");
    scene.world.run_for(10ms);
    const auto* gone = find_event<Disconnected>(scene.client);
    REQUIRE(gone != nullptr);
    CHECK(gone->reason.errc == Errc::transport_failed);
    CHECK(gone->reason.text == "no way");
}

TEST_CASE("addresses are tried by turns of their families", "[quic][routes]") {
    const auto order =
        quic::interleave_families({at("[fd00::1]:1"), at("[fd00::2]:1"), at("[fd00::1]:1"),
                                   at("10.0.0.1:1"), at("[fd00::3]:1"), at("10.0.0.2:1")});
    REQUIRE(order.size() == 5);
    CHECK(order[0] == at("[fd00::1]:1"));
    CHECK(order[1] == at("10.0.0.1:1"));
    CHECK(order[2] == at("[fd00::2]:1"));
    CHECK(order[3] == at("10.0.0.2:1"));
    CHECK(order[4] == at("[fd00::3]:1"));
    CHECK(quic::interleave_families({}).empty());
}
