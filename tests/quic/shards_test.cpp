#include <poll.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/name_login.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic_client.hpp"
#include "quicchat/quic_shards.hpp"
#include "support/patience.hpp"
#include "support/quic_world.hpp"

// A server of several threads, over loopback.

using namespace quicchat;
using namespace quicchat::test;

namespace {

quic::SocketAddress loopback(std::uint16_t port = 0) {
    return quic::SocketAddress::from_numeric("127.0.0.1", port).value();
}

quic::ServerConfig identity() {
    return {.certificate_pem = test_pair().certificate_pem, .key_pem = test_pair().key_pem};
}

using ShardedDriver = quic::ShardedDriver<quic::ShardedServer, quic::Endpoint>;

/// Nobody is too quick.
Limits patient_limits() {
    const Rate unlimited{1u << 30, 1u << 30};
    Limits limits;
    limits.messages_per_account = limits.messages_per_room = limits.messages_per_prefix = unlimited;
    limits.connections_per_prefix = limits.requests_per_connection = unlimited;
    limits.requests_per_account = unlimited;
    return limits;
}

/// A server with a room, by so many shards; it takes every name.
std::unique_ptr<ShardedDriver> make_server(std::size_t shards,
                                           const Limits& limits = patient_limits()) {
    return std::make_unique<ShardedDriver>(
        quic::UdpSocket::bind_shards(loopback(), shards).value(),
        quic::make_shards(identity(), {.limits = limits}, shards).value(), limits,
        MemoryLog{quic::system_entropy()}, NameAuthenticator{}, quic::system_entropy(),
        quicchat::ServerConfig{.rooms = {"#lobby"}, .limits = limits});
}

/// A client and what it was told.
class Guest {
public:
    Guest(const quic::SocketAddress& server, const std::string& name)
        : driver_(make(server, name)) {
        driver_->app().connect(quic::read_clock());
        (void)driver_->app().join("#lobby").value();
    }

    void turn() {
        REQUIRE_FALSE(driver_->turn(quic::read_clock()));
        while (auto event = driver_->app().poll_event()) {
            match_some(
                *std::move(event), 0,
                [&](RoomMessage&& message) { return texts.push_back(message.text), 0; },
                [&](RoomJoined&&) { return is_in = true, 0; },
                [&](Offline&& offline) { return left = offline.reason.errc, 0; });
        }
    }
    void say(const std::string& text) { (void)driver_->app().publish("#lobby", text).value(); }
    State state() const { return driver_->app().state(); }

    std::vector<std::string> texts{};
    bool is_in = false;
    std::optional<Errc> left{};

private:
    static std::unique_ptr<quic::Driver<quic::Client>> make(const quic::SocketAddress& server,
                                                            const std::string& name) {
        auto socket = quic::UdpSocket::connect(server).value();
        quic::ClientConfig target{.remote = server,
                                  .local = socket.local_address(),
                                  .server_name = "localhost",
                                  .trust = quic::Trust::insecure()};
        return std::make_unique<quic::Driver<quic::Client>>(
            std::move(socket), quic::Endpoint::client(std::move(target)).value(),
            NameLogin::create(name).value(), quic::system_entropy(), ClientConfig{});
    }

    std::unique_ptr<quic::Driver<quic::Client>> driver_;
};

/// The server's thread of the chat is this one, too.
template <class Done>
bool drive(ShardedDriver& server, std::vector<std::unique_ptr<Guest>>& guests, Done done) {
    const TimePoint end = quic::read_clock().steady + patience(30s);
    while (quic::read_clock().steady < end) {
        REQUIRE_FALSE(server.turn(quic::read_clock()));
        for (const auto& guest : guests) guest->turn();
        if (done()) return true;
        std::this_thread::sleep_for(100us);
    }
    return false;
}

TEST_CASE("sockets of shards", "[quic][shards][socket]") {
    constexpr std::size_t count = 4;
    auto sockets = quic::UdpSocket::bind_shards(loopback(), count).value();
    REQUIRE(sockets.size() == count);
    const quic::SocketAddress address = sockets[0].local_address();
    for (const auto& socket : sockets) CHECK(socket.local_address() == address);

    SECTION("are nobody else's") {
        CHECK(quic::UdpSocket::bind(address).error() == std::errc::address_in_use);
        CHECK(quic::UdpSocket::bind_shards(address, 2).error() == std::errc::address_in_use);
        const quic::UdpSocket alone = quic::UdpSocket::bind(loopback()).value();
        CHECK(quic::UdpSocket::bind_shards(alone.local_address(), 2).error() ==
              std::errc::address_in_use);
    }
    SECTION("each get what names them, from whoever it comes") {
        for (std::size_t i = 0; i < 40; ++i) {
            const std::size_t named = i % count;
            const bool is_long = i % 3 == 0;
            Buffer packet(40, std::byte{0x40});
            if (is_long) packet[0] = std::byte{0xc0};
            packet[is_long ? 6 : 1] = static_cast<std::byte>(named + 16 * (i % 7));
            quic::UdpSocket sender = quic::UdpSocket::connect(address).value();
            REQUIRE_FALSE(sender.send({{}, address, 0, packet, packet.size()}));
            REQUIRE_FALSE(sender.flush());
            pollfd wait{sockets[named].fd(), POLLIN, 0};
            const auto limit = std::chrono::ceil<std::chrono::milliseconds>(patience(5s));
            REQUIRE(::poll(&wait, 1, static_cast<int>(limit.count())) == 1);
            std::size_t got = 0;
            (void)sockets[named].receive([&](const quic::Datagram&) { ++got; });
            CHECK(got == 1);
        }
    }
    SECTION("are as many as there are cores, within reason") {
        const quic::ServerConfig server = identity();
        CHECK(quic::make_shards(server, {}, 0).error() == Errc::invalid_request);
        CHECK(quic::make_shards(server, {}, quic::shards_max + 1).error() == Errc::invalid_request);
    }
}

TEST_CASE("shards divide what a network may do", "[quic][shards]") {
    const Limits whole{.connections_per_prefix = {.burst = 50, .per_second = 7}};
    const Rate share = quic::limits_of_shard(whole, 4).connections_per_prefix;
    CHECK(share.burst == 13);  // rounded up: nobody is left with nothing
    CHECK(share.per_second == 2);
    CHECK(quic::limits_of_shard(whole, 1).connections_per_prefix.burst == 50);
}

TEST_CASE("a packet of another shard is handed to it", "[quic][shards]") {
    auto endpoints = quic::make_shards(identity(), {.seed = quic::test_seed(1)}, 2).value();
    Buffer packet(60, std::byte{0x40});
    packet[1] = std::byte{1};
    const quic::Datagram datagram{loopback(1), loopback(2), 0, packet};
    const TimePoint now{1000s};
    endpoints[0].handle_datagram(datagram, now);
    CHECK_FALSE(endpoints[0].poll_transmit(now).has_value());
    const auto stray = endpoints[0].poll_stray();
    REQUIRE(stray.has_value());
    CHECK(stray->shard == 1);
    CHECK((stray->bytes == packet));
    CHECK(stray->remote == datagram.remote);
    CHECK_FALSE(endpoints[0].poll_stray().has_value());

    // Where it belongs, and nobody knows it, its sender is told so (RFC 9000 §10.3).
    endpoints[1].handle_datagram(stray->datagram(), now);
    CHECK_FALSE(endpoints[1].poll_stray().has_value());
    CHECK(endpoints[1].poll_transmit(now).has_value());

    // No shard has that name.
    packet[1] = std::byte{2};
    endpoints[0].handle_datagram(datagram, now);
    CHECK_FALSE(endpoints[0].poll_stray().has_value());
    CHECK(endpoints[0].poll_transmit(now).has_value());

    // A flood of them takes no memory without end.
    packet[1] = std::byte{1};
    std::size_t kept = 0;
    for (int i = 0; i < 10'000; ++i) endpoints[0].handle_datagram(datagram, now);
    while (endpoints[0].poll_stray()) ++kept;
    CHECK(kept > 0);
    CHECK(kept < 1000);
}

TEST_CASE("a chat of several threads has one order for all", "[quic][shards]") {
    constexpr std::size_t shards = 3;
    constexpr std::size_t people = 16;
    constexpr std::size_t texts_each = 20;
    const auto server = make_server(shards);
    std::vector<std::unique_ptr<Guest>> guests;
    for (std::size_t i = 0; i < people; ++i) {
        guests.push_back(
            std::make_unique<Guest>(server->socket().local_address(), "guest" + std::to_string(i)));
    }
    const auto all = [&](auto condition) {
        return [&guests, condition] {
            return std::all_of(guests.begin(), guests.end(),
                               [&](const auto& guest) { return condition(*guest); });
        };
    };
    REQUIRE(drive(*server, guests, all([](const Guest& guest) { return guest.is_in; })));
    for (std::size_t i = 0; i < texts_each; ++i) {
        for (std::size_t who = 0; who < people; ++who) {
            guests[who]->say(std::to_string(who) + ": " + std::string(i * 500, 'x'));
        }
        (void)drive(*server, guests, [] { return true; });
    }
    REQUIRE(drive(*server, guests, all([](const Guest& guest) {
        return guest.texts.size() == people * texts_each;
    })));
    for (const auto& guest : guests) CHECK((guest->texts == guests[0]->texts));

    // Everything counts all shards.
    const ServerStats stats = server->app().stats();
    REQUIRE(stats.transport.has_value());
    CHECK(stats.transport->handshakes_done == people);
    CHECK(server->app().connection_count() == people);
    std::set<std::uint64_t> used;
    for (const ConnectionStats& connection : server->app().connection_stats()) {
        used.insert(static_cast<std::uint64_t>(connection.connection) % shards);
        REQUIRE(connection.path.has_value());
        CHECK(connection.path->bytes_sent > 0);
    }
    CHECK(used.size() > 1);  // one in 16 million times it is one
    for (const Duration time : server->cpu_times()) CHECK(time > Duration::zero());
    CHECK(drive(*server, guests, [&] { return server->app().unsent_bytes() == 0; }));

    // An end that everybody is told.
    server->app().shutdown(quic::read_clock());
    REQUIRE(drive(*server, guests, [&] { return server->app().finished(); }));
    REQUIRE(drive(*server, guests,
                  all([](const Guest& guest) { return guest.state() != State::ready; })));
}

}  // namespace
