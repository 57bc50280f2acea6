#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quic/certificate_files.hpp"
#include "quicchat/quic/certificate.hpp"
#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using quic::CertificateError;

namespace {

Fingerprint key_of(const quic::CertificatePair& pair) {
    return quic::key_fingerprint(pair.certificate_pem).value();
}

std::error_code replace(Host& server, const quic::CertificatePair& pair) {
    return server.endpoint.set_certificate(pair.certificate_pem, pair.key_pem);
}

/// Connects anew; the key that the server showed, if that worked.
std::optional<Fingerprint> shown_to(World& world, Host& client) {
    client.events.clear();
    client.endpoint.connect(world.now).value();
    world.run_until([&] { return !client.events.empty(); });
    const auto* connected = find_event<Connected>(client);
    return connected != nullptr ? connected->peer_key : std::nullopt;
}

/// Says something on a new stream of a server that echoes. True if it came back.
bool echoes(World& world, Host& client, std::string text) {
    const ConnectionId id = find_event<Connected>(client)->connection;
    const Result<StreamId> stream = client.endpoint.open_stream(id);
    if (!stream) return false;
    client.text.clear();
    if (!client.endpoint.write(id, *stream, text_bytes(text), true)) return false;
    return world.run_until([&] { return client.text == text; }, 10s);
}

Host& add_pinned(World& world, const quic::CertificatePair& pair) {
    return world.add_client({.trust = quic::Trust::pinned({key_of(pair)})},
                            World::config(200 + world.hosts.size()));
}

}  // namespace

TEST_CASE("a server that is given another certificate", "[quic][reload]") {
    World world;
    const quic::CertificatePair renewed = certificate_pair("leaf");
    REQUIRE(key_of(renewed) != key_of(test_pair()));
    Host& server = world.add_server();
    server.echo = true;
    Host& old = add_pinned(world, test_pair());
    REQUIRE(shown_to(world, old) == key_of(test_pair()));

    SECTION("shows it to those who come, and keeps who is there") {
        REQUIRE(replace(server, renewed) == std::error_code{});
        Host& late = add_pinned(world, renewed);
        CHECK(shown_to(world, late) == key_of(renewed));
        CHECK(echoes(world, old, "still here"));
        CHECK(echoes(world, late, "hello"));
        CHECK(old.endpoint.update_keys(find_event<Connected>(old)->connection, world.now));
        CHECK(echoes(world, old, "with other keys"));
        world.run_for(20s);
        CHECK(echoes(world, old, "and later"));
        CHECK(find_event<Disconnected>(old) == nullptr);
        Host& stale = add_pinned(world, test_pair());
        CHECK_FALSE(shown_to(world, stale));
        CHECK(find_event<Disconnected>(stale)->reason.errc == Errc::server_key_changed);
    }
    SECTION("lets a handshake end with the one that it began with") {
        REQUIRE(world.run_until([&] { return server.endpoint.half_open() == 0; }));
        Host& early = add_pinned(world, test_pair());
        early.endpoint.connect(world.now).value();
        world.run_until([&] { return server.endpoint.half_open() == 1; });
        REQUIRE(find_event<Connected>(early) == nullptr);
        REQUIRE(replace(server, renewed) == std::error_code{});
        world.run_until([&] { return !early.events.empty(); });
        REQUIRE(find_event<Connected>(early) != nullptr);
        CHECK(find_event<Connected>(early)->peer_key == key_of(test_pair()));
        CHECK(echoes(world, early, "hello"));
        // At the server the handshake ends with one more packet.
        CHECK(server.endpoint.half_open() == 0);
    }
    SECTION("refuses a pair of no use, and goes on") {
        const auto wrong = certificate_pair("rsa_2048");
        CHECK(server.endpoint.set_certificate(renewed.certificate_pem, wrong.key_pem) ==
              CertificateError::mismatch);
        CHECK(server.endpoint.set_certificate("", renewed.key_pem) ==
              CertificateError::not_a_certificate);
        CHECK(server.endpoint.set_certificate(renewed.certificate_pem, "rubbish") ==
              CertificateError::not_a_key);
        Host& late = add_pinned(world, test_pair());
        CHECK(shown_to(world, late) == key_of(test_pair()));
        CHECK(echoes(world, old, "still here"));
    }
    SECTION("can be given one after the other") {
        for (const char* name : {"rsa_2048", "ed25519", "leaf", "rsa_2048"}) {
            CAPTURE(name);
            const quic::CertificatePair pair = certificate_pair(name);
            REQUIRE(replace(server, pair) == std::error_code{});
            Host& late = add_pinned(world, pair);
            CHECK(shown_to(world, late) == key_of(pair));
        }
        CHECK(echoes(world, old, "still here"));
    }
    SECTION("is no client") {
        CHECK(old.endpoint.set_certificate(renewed.certificate_pem, renewed.key_pem) ==
              Errc::not_ready);
    }
}

TEST_CASE("another certificate leaves tokens and resets good", "[quic][reload]") {
    World world;
    quic::ServerConfig config{.retry = quic::RetryPolicy::always,
                              .reset_secret = quic::test_seed(77)};
    Host& server = world.add_server(config, World::config(1));
    Host& client = world.add_client();
    REQUIRE(shown_to(world, client) == key_of(test_pair()));
    world.run_for(1s);  // NEW_TOKEN
    REQUIRE(replace(server, certificate_pair("leaf")) == std::error_code{});

    SECTION("who was here before is not asked for a proof of the address") {
        const TimePoint begin = world.now;
        CHECK(shown_to(world, client) == key_of(certificate_pair("leaf")));
        CHECK(world.now - begin < 30ms);  // one round trip of 20 ms, not two
    }
    SECTION("who was connected is told by the server that comes after it") {
        Host& late = world.add_client();
        REQUIRE(shown_to(world, late));
        config.certificate_pem = certificate_pair("leaf").certificate_pem;
        config.key_pem = certificate_pair("leaf").key_pem;
        server.endpoint = quic::Endpoint::server(config, World::config(3)).value();
        for (Host* host : {&client, &late}) {
            const ConnectionId id = find_event<Connected>(*host)->connection;
            const StreamId stream = host->endpoint.open_stream(id).value();
            REQUIRE(host->endpoint.write(id, stream, Bytes{Buffer(100)}, false));
            REQUIRE(world.run_until([&] { return find_event<Disconnected>(*host) != nullptr; }));
            CHECK(find_event<Disconnected>(*host)->reason.by_peer);
        }
    }
}

TEST_CASE("a server that is given other limits", "[quic][reload]") {
    World world;
    Host& server = world.add_server();
    server.echo = true;
    Host& old = world.add_client();
    REQUIRE(shown_to(world, old));
    Limits limits;
    limits.stream_receive_window = limits.connection_receive_window = 4096;
    limits.idle_timeout = 2s;
    limits.connections_max = 2;
    limits.stream_backlog_bytes_max = 10;
    server.endpoint.set_limits(limits);
    Host& late = world.add_client();
    REQUIRE(shown_to(world, late));

    SECTION("gives them to those who come") {
        CHECK(echoes(world, late, std::string(9000, 'x')));
        world.link.config().loss = 1000;
        world.run_for(5s);
        world.link.config().loss = 0;
        CHECK(count_events<Disconnected>(server) == 1);
        CHECK(find_event<Disconnected>(late) != nullptr);
        CHECK(echoes(world, old, std::string(9000, 'x')));
        CHECK(find_event<Disconnected>(old) == nullptr);
    }
    SECTION("lets in so many from now on, and cuts nobody") {
        Host& third = world.add_client();
        CHECK_FALSE(shown_to(world, third));
        CHECK(echoes(world, old, "still here"));
        limits.connections_max = 3;
        server.endpoint.set_limits(limits);
        CHECK(shown_to(world, third));
    }
    SECTION("says Writable as before: who writes relies on it") {
        world.run_for(1s);
        const ConnectionId id = std::get<Connected>(server.events.back()).connection;
        const ConnectionId at_client = find_event<Connected>(late)->connection;
        const StreamId stream = late.endpoint.open_stream(at_client).value();
        (void)late.endpoint.write(at_client, stream, text_bytes("!"), false);
        world.run_for(1s);
        (void)server.endpoint.write(id, stream, Bytes{Buffer(20'000)}, false);
        world.run_for(1s);
        CHECK(count_events<Writable>(server) == 0);
    }
}
