#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/printers.hpp"
#include "support/quic_world.hpp"
#include "support/seed.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

const quic::SocketAddress stranger = *quic::SocketAddress::parse("192.0.2.66:666");

void throw_at(Host& host, const quic::SocketAddress& from, BytesView bytes, TimePoint now) {
    host.endpoint.handle_datagram({host.address, from, 0, bytes}, now);
}

std::size_t answers(Host& host, TimePoint now, std::size_t* bytes = nullptr) {
    std::size_t count = 0;
    while (const auto transmit = host.endpoint.poll_transmit(now)) {
        ++count;
        if (bytes != nullptr) *bytes += transmit->bytes.size();
    }
    return count;
}

Buffer random_bytes(DatagramLink& link, std::size_t size) {
    Buffer bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(link.draw(256));
    return bytes;
}

/// The first datagram of a client: a whole, valid Initial.
Buffer first_flight(std::uint64_t seed) {
    World world;
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, World::config(seed));
    client.endpoint.connect(world.now).value();
    const auto transmit = client.endpoint.poll_transmit(world.now);
    const BytesView bytes = transmit->bytes.first(transmit->segment_size);
    return Buffer(bytes.begin(), bytes.end());
}

}  // namespace

TEST_CASE("garbage never disturbs a connection", "[quic][garbage]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    World world{{.seed = seed, .delay_min = 5ms, .delay_max = 9ms}};
    Host& server = world.add_server();
    Host& client = world.add_client();
    server.echo = true;
    client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until(
        [&] { return find_event<Connected>(client) && find_event<Connected>(server); }));
    const ConnectionId id = find_event<Connected>(client)->connection;
    const StreamId stream = client.endpoint.open_stream(id).value();

    // Every real packet is followed by broken copies of it, from the same address.
    world.spy = [&](const DatagramLink::Letter& letter) {
        Host& to = letter.to == server.address ? server : client;
        for (int i = 0; i < 4; ++i) {
            Buffer broken = letter.bytes;
            if (world.link.draw(3) == 0) broken.resize(world.link.draw(broken.size() + 1));
            for (std::uint64_t flips = world.link.draw(4); !broken.empty() && flips-- > 0;) {
                broken[world.link.draw(broken.size())] ^=
                    static_cast<std::byte>(1 << world.link.draw(8));
            }
            if (broken == letter.bytes) continue;
            throw_at(to, letter.from, broken, world.now);
        }
    };
    constexpr std::size_t rounds = 300;
    for (std::size_t i = 0; i < rounds; ++i) {
        REQUIRE(client.endpoint.write(id, stream, Bytes{Buffer(500)}, i + 1 == rounds));
        throw_at(server, client.address, random_bytes(world.link, world.link.draw(1500)),
                 world.now);
        throw_at(server, stranger, random_bytes(world.link, 1200 + world.link.draw(200)),
                 world.now);
        throw_at(client, server.address, random_bytes(world.link, world.link.draw(1500)),
                 world.now);
        throw_at(server, client.address, {}, world.now);
        world.run_for(7ms);
    }
    CHECK(world.run_until([&] { return client.bytes_received == rounds * 500; }));
    CHECK(find_event<Disconnected>(client) == nullptr);
    CHECK(find_event<Disconnected>(server) == nullptr);
    CHECK(server.endpoint.connections() == 1);
}

TEST_CASE("broken handshakes of every kind end without a trace", "[quic][garbage]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    for (std::uint64_t i = 0; i < 60; ++i) {
        World world{{.seed = seed + i, .delay_min = 1ms, .delay_max = 20ms}};
        Host& server = world.add_server();
        Host& client = world.add_client();
        world.tamper = [&](DatagramLink::Letter& letter) {
            if (world.link.draw(3) != 0 || letter.bytes.empty()) return;
            letter.bytes[world.link.draw(letter.bytes.size())] ^= std::byte{0x10};
        };
        client.endpoint.connect(world.now).value();
        world.run_for(20s);
        world.tamper = nullptr;
        world.run_for(2min);
        CHECK(server.endpoint.half_open() == 0);
        const bool connected = find_event<Connected>(client) != nullptr;
        CHECK((connected || find_event<Disconnected>(client) != nullptr));
        CHECK(server.endpoint.connections() <= 1);
    }
}

TEST_CASE("junk handshakes push out junk", "[quic][flood]") {
    World world;
    Host& server = world.add_server({.half_open_max = 2}, World::config(1));
    // A neighbour begins handshakes, proves its address, and says no more. All clients of this
    // world are in one network; the junk has one address in it.
    std::vector<Host*> junk;
    const auto begin = [&](int count) {
        for (int i = 0; i < count; ++i) {
            Host& host = world.add_client();
            host.public_address =
                *quic::SocketAddress::parse("10.0.1.66:" + std::to_string(20'000 + junk.size()));
            host.endpoint.connect(world.now).value();
            junk.push_back(&host);
        }
    };
    // It gets no further than the Retry: what the server says after that is lost.
    world.tamper = [&](DatagramLink::Letter& letter) {
        const bool is_junk = letter.to.host_string() == "10.0.1.66";
        const bool is_retry =
            !letter.bytes.empty() && (letter.bytes[0] & std::byte{0xf0}) == std::byte{0xf0};
        if (is_junk && !is_retry) letter.bytes.clear();
    };
    begin(30);
    world.run_for(200ms);
    CHECK(server.endpoint.half_open() == 8);  // four times half_open_max
    CHECK(server.endpoint.connections() == 8);

    SECTION("of the address that has most") {
        for (int i = 0; i < 5; ++i) {
            Host& honest = world.add_client();
            honest.endpoint.connect(world.now).value();
            begin(10);
            REQUIRE(world.run_until([&] { return find_event<Connected>(honest) != nullptr; }, 1s));
        }
        CHECK(server.endpoint.half_open() <= 8);
    }
    SECTION("and takes the place of nobody who is connected") {
        quic::Config config = World::config(2);
        config.limits.connections_max = 3;
        Host& small = world.add_server({.half_open_max = 2}, std::move(config), 4434);
        const auto remote = *quic::SocketAddress::parse("10.0.0.1:4434");
        for (int i = 0; i < 20; ++i) {
            Host& host = world.add_client({.remote = remote, .trust = quic::Trust::insecure()},
                                          World::config(500 + static_cast<std::uint64_t>(i)));
            host.public_address =
                *quic::SocketAddress::parse("10.0.1.66:" + std::to_string(30'000 + i));
            host.endpoint.connect(world.now).value();
        }
        world.run_for(200ms);
        CHECK(small.endpoint.half_open() == 8);
        Host& honest = world.add_client({.remote = remote, .trust = quic::Trust::insecure()},
                                        World::config(600));
        honest.endpoint.connect(world.now).value();
        CHECK(world.run_until([&] { return find_event<Connected>(honest) != nullptr; }, 1s));
    }
    world.tamper = nullptr;
    world.run_for(60s);
    CHECK(server.endpoint.half_open() == 0);
}

TEST_CASE("handshakes of a network have a rate, and known clients another", "[quic][flood]") {
    World world;
    quic::Config config = World::config(1);
    config.limits.connections_per_prefix = {.burst = 4, .per_second = 1};
    Host& server = world.add_server({.retry = quic::RetryPolicy::always}, std::move(config));
    Host& known = world.add_client();
    const ConnectionId id = known.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(known) != nullptr; }));
    world.run_for(100ms);
    server.endpoint.note_login(find_event<Connected>(server)->connection);
    world.run_for(100ms);
    known.endpoint.close(id, Errc::closed, "");
    world.run_for(100ms);

    std::vector<Host*> strangers;
    for (int i = 0; i < 12; ++i) {
        strangers.push_back(&world.add_client());
        strangers.back()->endpoint.connect(world.now).value();
    }
    const auto connected = [&] {
        return std::count_if(strangers.begin(), strangers.end(), [](const Host* host) {
            return find_event<Connected>(*host) != nullptr;
        });
    };
    world.run_for(50ms);
    CHECK(connected() == 3);
    CHECK(server.endpoint.half_open() == 0);
    // The network is used up, but who was here before comes in at once.
    known.events.clear();
    known.endpoint.connect(world.now).value();
    CHECK(world.run_until([&] { return find_event<Connected>(known) != nullptr; }, 50ms));
    // The others were not refused: they try again, and come in as the rate allows.
    world.run_for(3s);
    CHECK(connected() > 3);
    for (const Host* host : strangers) CHECK(find_event<Disconnected>(*host) == nullptr);
}

TEST_CASE("strangers get no more out of a server than they put in", "[quic][flood]") {
    World world;
    Host& server = world.add_server({.half_open_max = 10}, World::config(1));
    std::size_t bytes = 0;

    SECTION("with valid first packets under a forged address") {
        std::size_t sent = 0;
        for (std::uint64_t i = 0; i < 100; ++i) {
            const Buffer initial = first_flight(1000 + i);
            throw_at(server, stranger, initial, world.now);
            sent += initial.size();
            answers(server, world.now, &bytes);
        }
        CHECK(server.endpoint.half_open() == 10);
        // RFC 9000 §8: three times as much before the address is proved; and for all that came
        // after the tenth a Retry only.
        CHECK(bytes <= 10 * 3 * 1200 + 90 * 200);
        const TimePoint end = world.now + 60s;
        while (world.step(end)) {
        }
        CHECK(server.endpoint.half_open() == 0);
        CHECK(server.endpoint.connection_ids() == 0);
        CHECK(server.events.empty());
    }
    SECTION("with first packets that are too short, or empty") {
        Buffer initial = first_flight(1);
        initial.resize(1199);
        throw_at(server, stranger, initial, world.now);
        throw_at(server, stranger, {}, world.now);
        throw_at(server, stranger, Buffer(1, std::byte{0xc0}), world.now);
        CHECK(answers(server, world.now) == 0);
        CHECK(server.endpoint.connections() == 0);
    }
    SECTION("with versions that nobody speaks") {
        Buffer initial = first_flight(1);
        initial[1] = std::byte{0x7a};
        throw_at(server, stranger, initial, world.now);
        CHECK(answers(server, world.now, &bytes) == 1);
        CHECK(bytes < 100);
        initial.resize(1000);
        throw_at(server, stranger, initial, world.now);
        CHECK(answers(server, world.now) == 0);
    }
    SECTION("with packets for connections that nobody knows") {
        for (int i = 0; i < 10'000; ++i) {
            Buffer packet = random_bytes(world.link, 1200);
            packet[0] = std::byte{0x41};
            throw_at(server, stranger, packet, world.now);
        }
        const std::size_t resets = answers(server, world.now, &bytes);
        CHECK(resets > 0);
        CHECK(resets <= 100);
        CHECK(bytes == resets * 42);
        world.now += 10s;
        // Always shorter than the question, which could be a stateless reset itself.
        bytes = 0;
        throw_at(server, stranger, Buffer(42, std::byte{0x41}), world.now);
        CHECK(answers(server, world.now, &bytes) == 1);
        CHECK(bytes == 41);
        bytes = 0;
        throw_at(server, stranger, Buffer(22, std::byte{0x41}), world.now);
        CHECK(answers(server, world.now, &bytes) == 1);
        CHECK(bytes == 21);
        throw_at(server, stranger, Buffer(21, std::byte{0x41}), world.now);
        CHECK(answers(server, world.now) == 0);
    }
}

TEST_CASE("a client with a version that the server does not speak is told", "[quic]") {
    World world;
    Host& server = world.add_server();
    Host& client = world.add_client();
    Buffer negotiation;
    world.tamper = [&](DatagramLink::Letter& letter) {
        if (letter.to == server.address && letter.bytes.size() >= 1200) {
            letter.bytes[1] = std::byte{0x7a};  // on its way to the server
        } else if (letter.to == client.address) {
            negotiation = letter.bytes;
        }
    };
    client.endpoint.connect(world.now).value();
    world.run_until([&] { return !client.events.empty(); });
    REQUIRE(negotiation.size() > 20);
    CHECK(as_text(BytesView{negotiation}.subspan(1, 4)) == std::string(4, '\0'));
    // The answer lists version 1, so an honest client ignores it (RFC 9000 §6.2) and waits.
    CHECK(find_event<Disconnected>(client)->reason.errc == Errc::handshake_timeout);
}

TEST_CASE("a server never offers the version that it has just refused", "[quic]") {
    // RFC 9000 §6.2: the client would throw such an answer away.
    const std::string wanted = GENERATE("1a2a3a4a", "2a3a4a5a", "7a7a7a7a");
    World world;
    Host& server = world.add_server();
    Buffer initial = random_bytes(world.link, 1200);
    const Bytes head = hex_bytes("c0" + wanted + "08 0102030405060708 00");
    std::copy(head.view().begin(), head.view().end(), initial.begin());
    throw_at(server, stranger, initial, world.now);
    const auto answer = server.endpoint.poll_transmit(world.now);
    REQUIRE(answer);
    const BytesView versions = answer->bytes.subspan(1 + 4 + 1 + 0 + 1 + 8);
    REQUIRE(versions.size() == 12);
    const Bytes own = hex_bytes(wanted);
    const Bytes version_1 = hex_bytes("00000001");
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(as_text(versions.subspan(4 * i, 4)) != as_text(own.view()));
    }
    CHECK(as_text(versions.subspan(4, 4)) == as_text(version_1.view()));
}

TEST_CASE("a server gets no streams of its own at a client", "[quic]") {
    World world;
    Host& server = world.add_server();
    Host& client = world.add_client();
    client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(server) != nullptr; }));
    const ConnectionId id = find_event<Connected>(server)->connection;
    CHECK(server.endpoint.open_stream(id).error() == Errc::too_many_streams);
}

TEST_CASE("a client learns that a restarted server has forgotten it", "[quic][reset]") {
    World world;
    quic::ServerConfig config{.reset_secret = quic::test_seed(77)};
    Host& server = world.add_server(config, World::config(1));
    Host& client = world.add_client();
    client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(client) != nullptr; }));
    world.run_for(1s);
    const ConnectionId id = find_event<Connected>(client)->connection;

    SECTION("if it kept its reset secret") {
        config.certificate_pem = test_pair().certificate_pem;
        config.key_pem = test_pair().key_pem;
        server.endpoint = quic::Endpoint::server(config, World::config(3)).value();
        SECTION("by the first that it sends") {
            const StreamId stream = client.endpoint.open_stream(id).value();
            REQUIRE(client.endpoint.write(id, stream, Bytes{Buffer(100)}, false));
        }
        SECTION("by its keep-alive, if it has nothing to send") {}
        const Duration keep_alive = World::config(2).limits.keep_alive;
        const TimePoint end = world.now + keep_alive + 1s;
        REQUIRE(world.run_until([&] { return find_event<Disconnected>(client) != nullptr; }));
        CHECK(world.now < end);
        const CloseReason& reason = find_event<Disconnected>(client)->reason;
        CHECK(reason.errc == Errc::transport_failed);
        CHECK(reason.by_peer);
        CHECK(error_class(reason.errc) == ErrorClass::retry);
    }
    SECTION("but believes nobody else") {
        Buffer forged = random_bytes(world.link, 42);
        forged[0] = std::byte{0x41};
        for (int i = 0; i < 100; ++i) throw_at(client, server.address, forged, world.now);
        world.run_for(1s);
        CHECK(find_event<Disconnected>(client) == nullptr);
    }
}

TEST_CASE("calls in every state are harmless", "[quic]") {
    World world;
    Host& server = world.add_server();
    Host& client = world.add_client();
    const ConnectionId id = client.endpoint.connect(world.now).value();
    const auto poke = [&](Host& host, ConnectionId connection) {
        quic::Endpoint& endpoint = host.endpoint;
        (void)endpoint.open_stream(connection);
        (void)endpoint.write(connection, StreamId{0}, Bytes{Buffer(10)}, false);
        (void)endpoint.write(connection, StreamId{~0ULL}, Bytes{Buffer(10)}, false);
        endpoint.reset_stream(connection, StreamId{4}, ~0ULL);
        endpoint.reset_stream(connection, StreamId{3}, 1);
        endpoint.consume(connection, StreamId{0}, ~std::size_t{0});
        (void)endpoint.backlog(connection, StreamId{0});
        (void)endpoint.send_datagram(connection, Bytes{Buffer(10)});
        (void)endpoint.channel_binding(connection);
        (void)endpoint.update_keys(connection, world.now);
    };
    for (int i = 0; i < 100; ++i) {
        poke(client, i % 2 == 0 ? id : ConnectionId{99});
        poke(server, ConnectionId{1});
        world.run_for(1ms);
    }
    CHECK(find_event<Connected>(client) != nullptr);
    client.endpoint.close(id, Errc::closed, "");
    poke(client, id);
    world.run_for(1s);
    poke(client, id);
    poke(server, ConnectionId{1});
    CHECK(count_events<Disconnected>(client) == 1);
    CHECK(count_events<Disconnected>(server) == 1);
}
