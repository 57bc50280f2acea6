#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

quic::SocketAddress address(const std::string& host, int port) {
    return *quic::SocketAddress::from_numeric(host, static_cast<std::uint16_t>(port));
}

/// Somebody who sends first packets and nothing more, from wherever he likes.
class Flooder {
public:
    explicit Flooder(World& world, Host& server) : world_(&world), server_(&server) {}

    /// The first packet of a client that wants to be there.
    static Buffer first_packet(std::uint64_t seed, std::vector<std::uint8_t> token = {}) {
        World apart;
        Host& client = apart.add_client({.trust = quic::Trust::insecure()}, World::config(seed));
        client.endpoint.set_address_token(std::move(token));
        client.endpoint.connect(apart.now).value();
        const auto transmit = client.endpoint.poll_transmit(apart.now);
        const BytesView bytes = transmit->bytes.first(transmit->segment_size);
        return Buffer(bytes.begin(), bytes.end());
    }

    void send(const quic::SocketAddress& from, BytesView bytes) {
        server_->endpoint.handle_datagram({server_->address, from, 0, bytes}, world_->now);
    }

    /// Begins handshakes with a token that is good there.
    void begin(const std::string& host, std::size_t count,
               const std::vector<std::uint8_t>& token = {}) {
        for (std::size_t i = 0; i < count; ++i) {
            ++sent_;
            send(address(host, 1000 + static_cast<int>(sent_ % 60'000)),
                 first_packet(100'000 + sent_, token));
        }
    }

    /// Throws away what the server says to him.
    std::size_t take_answers() {
        std::size_t count = 0;
        while (server_->endpoint.poll_transmit(world_->now)) ++count;
        return count;
    }

private:
    World* world_;
    Host* server_;
    std::uint64_t sent_ = 0;
};

/// A client elsewhere, at that host.
Host& add_client_at(World& world, const std::string& host) {
    Host& client = world.add_client();
    client.public_address = address(host, 5000 + static_cast<int>(world.hosts.size()));
    return client;
}

bool connects(World& world, Host& client, Duration time = 9s) {
    client.events.clear();
    client.endpoint.connect(world.now).value();
    return world.run_until([&] { return !client.events.empty(); }, time) &&
           find_event<Connected>(client) != nullptr;
}

/// The server's name for the newest connection.
ConnectionId newest(const Host& server) {
    ConnectionId id{};
    for (const TransportEvent& event : server.events) {
        if (const auto* connected = std::get_if<Connected>(&event)) id = connected->connection;
    }
    return id;
}

/// Connects, logs in if wanted, and gives back the token that is left when it has gone.
std::vector<std::uint8_t> token_of(World& world, Host& server, const std::string& host,
                                   bool logs_in) {
    Host& client = add_client_at(world, host);
    REQUIRE(connects(world, client));
    world.run_for(1s);
    if (logs_in) server.endpoint.note_login(newest(server));
    world.run_for(1s);
    const auto token = client.endpoint.address_token();
    REQUIRE_FALSE(token.empty());
    client.endpoint.close(find_event<Connected>(client)->connection, Errc::closed, "");
    world.run_for(10s);
    client.listening = false;
    return token;
}

quic::Config config_with(const Limits& limits) {
    quic::Config config = World::config(1);
    config.limits = limits;
    return config;
}

}  // namespace

TEST_CASE("who was logged in is no stranger when it comes again", "[quic][strangers]") {
    World world;
    Limits limits;
    limits.connections_per_prefix = {.burst = 12, .per_second = 1};
    const bool is_rate = GENERATE(true, false);
    Host& server =
        world.add_server({.retry = is_rate ? quic::RetryPolicy::always : quic::RetryPolicy::never,
                          .half_open_max = is_rate ? 64u : 2u},
                         config_with(limits));
    Flooder flooder{world, server};
    Host& friend_ = add_client_at(world, "10.9.9.1");
    Host& visitor = add_client_at(world, "10.9.9.2");
    REQUIRE(connects(world, visitor));
    REQUIRE(connects(world, friend_));
    world.run_for(1s);
    server.endpoint.note_login(newest(server));
    const auto tokens = [&] {
        std::vector<std::vector<std::uint8_t>> all;
        for (int i = 0; i < 6; ++i) all.push_back(token_of(world, server, "10.9.9.9", false));
        return all;
    }();
    friend_.events.clear();
    visitor.events.clear();

    if (is_rate) {
        // A neighbour uses up what the network has. It has been here, but was not logged in.
        for (const auto& token : tokens) flooder.begin("10.9.9.9", 10, token);
        CHECK(server.endpoint.half_open() >= 12);
        flooder.take_answers();
        CHECK(connects(world, friend_, 500ms));
        CHECK_FALSE(connects(world, visitor, 500ms));
    } else {
        // Handshakes of many networks push out older ones.
        friend_.endpoint.connect(world.now).value();
        visitor.endpoint.connect(world.now).value();
        world.run_for(11ms);
        for (int i = 0; i < 60; ++i) flooder.begin("10.8." + std::to_string(i) + ".1", 1);
        CHECK(server.endpoint.half_open() == 4 * 4 * 2 + 1);
        world.run_for(1s);
        CHECK(find_event<Connected>(friend_) != nullptr);
        CHECK(find_event<Disconnected>(friend_) == nullptr);
        CHECK(find_event<Disconnected>(visitor) != nullptr);
    }
}

TEST_CASE("a token of an earlier run leads through a flood of 250 networks",
          "[quic][strangers][flood]") {
    const bool is_restarted = GENERATE(false, true);  // the server
    CAPTURE(is_restarted);
    World world;
    const quic::ServerConfig identity{.retry = quic::RetryPolicy::always,
                                      .token_secret = quic::test_seed(7)};
    Host& before = world.add_server(identity, World::config(1));
    const auto token = token_of(world, before, "10.9.9.9", true);
    before.listening = !is_restarted;
    Host& server = is_restarted ? world.add_server(identity, World::config(2)) : before;
    Flooder flooder{world, server};
    const Buffer packet = Flooder::first_packet(1);
    const auto flood = [&] {
        for (int network = 0; network < 250; ++network) {
            for (int i = 0; i < 8; ++i) {
                flooder.send(address("10.8." + std::to_string(network) + ".1", 1000 + i), packet);
            }
        }
    };
    // There is no moment at which it has a Retry left for anybody else.
    flood();
    flooder.take_answers();
    world.tamper = [&](const DatagramLink::Letter& letter) {
        if (letter.to == server.address) flood();
    };
    const auto begun = server.endpoint.stats().handshakes_begun;
    for (const bool kept : {false, true}) {
        Host& client = add_client_at(world, "10.9.9.9");  // a program that begins
        if (kept) client.endpoint.set_address_token(token);
        CHECK(connects(world, client) == kept);
        CHECK(server.endpoint.stats().handshakes_begun - begun == (kept ? 1 : 0));
        client.listening = false;
    }
    CHECK(server.endpoint.stats().strangers.dropped_answers > 2000);
}

TEST_CASE("an address token that no packet can hold keeps nobody out", "[quic][strangers]") {
    World world;
    world.add_server({}, World::config(1));
    Host& client = world.add_client();
    for (const std::size_t size : {40, 511, 512, 513, 1200, 1400, 20'000}) {
        CAPTURE(size);
        client.endpoint.set_address_token(std::vector<std::uint8_t>(size, 7));
        CHECK(client.endpoint.address_token().size() == (size <= 512 ? size : 0));
        CHECK(connects(world, client));
    }
}

TEST_CASE("an address token is good for a few uses", "[quic][strangers][retry]") {
    World world;
    Host& server = world.add_server({.retry = quic::RetryPolicy::always}, World::config(1));
    Flooder flooder{world, server};
    const bool logged_in = true;
    for (const bool known : {!logged_in, logged_in}) {
        const auto token = token_of(world, server, "10.9.9.9", known);
        const std::size_t before = server.endpoint.half_open();
        flooder.begin("10.9.9.9", 20, token);
        CHECK(server.endpoint.half_open() - before == quic::TokenUses::uses_max);
        flooder.take_answers();
        world.run_for(30s);
        flooder.begin("10.9.9.9", 20, token);
        CHECK(server.endpoint.half_open() == 0);
        flooder.take_answers();
    }
}

TEST_CASE("handshakes that end at once are bounded by network and time", "[quic][strangers]") {
    // Whoever begins and closes at once fills no table; what costs is the server's first flight.
    World world;
    Limits limits;
    limits.connections_per_prefix = {.burst = 20, .per_second = 10};
    Host& server = world.add_server({.retry = quic::RetryPolicy::always}, config_with(limits));
    std::set<std::string> begun;  // who got a first flight, not a Retry
    world.spy = [&](const DatagramLink::Letter& letter) {
        if (letter.from == server.address && letter.bytes.size() > 1000) {
            begun.insert(letter.to.to_string());
        }
    };
    for (int second = 0; second < 5; ++second) {
        for (int i = 0; i < 50; ++i) {
            Host& client = add_client_at(world, "10.9.9." + std::to_string(i + 1));
            const ConnectionId id = client.endpoint.connect(world.now).value();
            world.run_for(35ms);  // a Retry, and the server's first flight
            client.endpoint.close(id, Errc::closed, "");
            client.listening = false;
            world.run_for(8ms);
        }
    }
    world.spy = nullptr;
    CHECK(begun.size() >= 20);
    CHECK(begun.size() <= 20 + 10 * 12);
    CHECK(connects(world, add_client_at(world, "10.9.8.1")));
}

TEST_CASE("a flood of questions starves only its own network", "[quic][strangers][flood]") {
    World world;
    Host& server = world.add_server();
    Flooder flooder{world, server};
    const auto ask = [&](const std::string& host, const Buffer& packet, int count) {
        for (int i = 0; i < count; ++i) flooder.send(address(host, 1000 + i), packet);
        return flooder.take_answers();
    };
    SECTION("of stateless resets") {
        const Buffer packet(100, std::byte{0x41});
        CHECK(ask("10.9.9.9", packet, 5000) == 100);
        CHECK(ask("10.9.8.1", packet, 1) == 1);
        CHECK(ask("10.9.9.1", packet, 1) == 0);
        world.now += 1s;
        CHECK(ask("10.9.9.9", packet, 5000) == 50);
    }
    SECTION("of version negotiations") {
        Buffer packet = Flooder::first_packet(1);
        packet[1] = std::byte{0x7a};
        CHECK(ask("10.9.9.9", packet, 5000) == 100);
        CHECK(ask("10.9.8.1", packet, 1) == 1);
        CHECK(ask("10.9.9.1", packet, 1) == 0);
    }
    SECTION("of Retries") {
        Limits limits;
        limits.connections_per_prefix = {.burst = 50, .per_second = 10};
        quic::ServerConfig always{.certificate_pem = test_pair().certificate_pem,
                                  .key_pem = test_pair().key_pem,
                                  .retry = quic::RetryPolicy::always};
        server.endpoint = quic::Endpoint::server(always, config_with(limits)).value();
        const Buffer packet = Flooder::first_packet(1);
        CHECK(ask("10.9.9.9", packet, 400) == 50);
        CHECK(ask("10.9.8.1", packet, 1) == 1);
        CHECK(ask("10.9.9.1", packet, 1) == 0);
    }
    SECTION("from everywhere, not many networks at all") {
        const Buffer packet(100, std::byte{0x41});
        for (int i = 0; i < 200; ++i) {
            (void)ask("10.1." + std::to_string(i) + ".1", packet, 4);
        }
        CHECK(ask("10.9.8.1", packet, 1) == 1);
    }
}
