#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quic/certificate_files.hpp"
#include "quicchat/quic/certificate_facts.hpp"
#include "quicchat/quic/error.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "support/printers.hpp"
#include "support/quic_world.hpp"

// What a connection with the ALPN of HTTP/3 has beside those of our own protocol: streams of one
// direction, a stream more, and codes of its own.

using namespace quicchat;
using namespace quicchat::test;

namespace {

quic::Config config_with(std::uint64_t seed, std::vector<std::string> alpn) {
    quic::Config config = World::config(seed);
    config.alpn = std::move(alpn);
    return config;
}

/// A server that speaks both, and a client of one of them.
struct Pair {
    explicit Pair(std::string alpn) {
        server = &world.add_server({}, config_with(1, {"quicchat/1", "h3"}));
        client = &world.add_client({.trust = quic::Trust::insecure()}, config_with(2, {alpn}));
        client->endpoint.connect(world.now).value();
        REQUIRE(world.run_until(
            [&] { return find_event<Connected>(*client) && find_event<Connected>(*server); }));
        id = find_event<Connected>(*client)->connection;
        server_id = find_event<Connected>(*server)->connection;
    }

    Errc reason_after_close(Host& closing, ConnectionId closed, Errc why, const Host& other) {
        closing.endpoint.close(closed, why, "");
        REQUIRE(world.run_until([&] { return find_event<Disconnected>(other) != nullptr; }));
        return find_event<Disconnected>(other)->reason.errc;
    }

    World world;
    Host* server;
    Host* client;
    ConnectionId id{};
    ConnectionId server_id{};
};

std::size_t most_streams(Host& host, ConnectionId id, auto open) {
    std::size_t count = 0;
    while ((host.endpoint.*open)(id)) ++count;
    CHECK((host.endpoint.*open)(id).error() == Errc::too_many_streams);
    return count;
}

}  // namespace

TEST_CASE("a server speaks two application protocols on one port", "[quic][http3]") {
    const std::string alpn = GENERATE("quicchat/1", "h3");
    Pair pair{alpn};

    SECTION("and both ends say which it is") {
        CHECK(find_event<Connected>(*pair.client)->alpn == alpn);
        CHECK(find_event<Connected>(*pair.server)->alpn == alpn);
    }
    SECTION("and both ends know the certificate that was shown") {
        const quic::Der der = quic::certificates_from_pem(test_pair().certificate_pem).at(0);
        const CertificateHash hash = quic::WolfCrypto::sha256(std::as_bytes(std::span{der}));
        CHECK(find_event<Connected>(*pair.client)->certificate_hash == hash);
        CHECK(find_event<Connected>(*pair.server)->certificate_hash == hash);
    }
    SECTION("and only HTTP/3 has streams of one direction") {
        const std::size_t many = alpn == "h3" ? 3 : 0;
        CHECK(most_streams(*pair.client, pair.id, &quic::Endpoint::open_uni_stream) == many);
        CHECK(most_streams(*pair.server, pair.server_id, &quic::Endpoint::open_uni_stream) == many);
    }
    SECTION("and HTTP/3 has one stream more, for its request") {
        const std::size_t many = Limits{}.rooms_per_connection_max + (alpn == "h3" ? 9 : 8);
        CHECK(most_streams(*pair.client, pair.id, &quic::Endpoint::open_stream) == many);
        CHECK(most_streams(*pair.server, pair.server_id, &quic::Endpoint::open_stream) == 0);
    }
}

TEST_CASE("a server does not speak HTTP/3 unless it is told to", "[quic][http3]") {
    World world;
    world.add_server();
    Host& client = world.add_client({.trust = quic::Trust::insecure()}, config_with(2, {"h3"}));
    client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Disconnected>(client) != nullptr; }));
    CHECK(find_event<Disconnected>(client)->reason.errc == Errc::version_mismatch);
}

TEST_CASE("who asks for HTTP/3 may be shown another certificate", "[quic][http3]") {
    const auto hash_of = [](const quic::CertificatePair& pair) {
        const quic::Der der = quic::certificates_from_pem(pair.certificate_pem).at(0);
        return quic::WolfCrypto::sha256(std::as_bytes(std::span{der}));
    };
    const quic::CertificatePair rsa = certificate_pair("rsa_2048");
    const quic::CertificatePair other = certificate_pair("p256_parameters");
    World world;
    Host& server = world.add_server({.certificate_pem = rsa.certificate_pem,
                                     .key_pem = rsa.key_pem,
                                     .http3_certificate_pem = test_pair().certificate_pem,
                                     .http3_key_pem = test_pair().key_pem},
                                    config_with(1, {"quicchat/1", "h3"}));
    const auto shown = [&](const std::string& alpn) {
        Host& client = world.add_client({.trust = quic::Trust::insecure()},
                                        config_with(world.hosts.size(), {alpn}));
        server.events.clear();
        client.endpoint.connect(world.now).value();
        REQUIRE(world.run_until(
            [&] { return find_event<Connected>(client) && find_event<Connected>(server); }));
        const Connected& at_client = *find_event<Connected>(client);
        const Connected& at_server = *find_event<Connected>(server);
        CHECK(at_client.certificate_hash == at_server.certificate_hash);
        CHECK(client.endpoint.channel_binding(at_client.connection).value() ==
              server.endpoint.channel_binding(at_server.connection).value());
        return at_client.certificate_hash;
    };
    CHECK(shown("quicchat/1") == hash_of(rsa));
    CHECK(shown("h3") == hash_of(test_pair()));

    SECTION("which is replaced for itself") {
        CHECK_FALSE(server.endpoint.set_http3_certificate(other.certificate_pem, other.key_pem));
        CHECK(shown("h3") == hash_of(other));
        CHECK(shown("quicchat/1") == hash_of(rsa));
        CHECK_FALSE(server.endpoint.set_certificate(test_pair().certificate_pem,
                                                    test_pair().key_pem));
        CHECK(shown("h3") == hash_of(other));
        CHECK(shown("quicchat/1") == hash_of(test_pair()));
    }
    SECTION("until it is taken away") {
        CHECK_FALSE(server.endpoint.set_http3_certificate("", ""));
        CHECK(shown("h3") == hash_of(rsa));
    }
    SECTION("and stays what it was if the next one is of no use") {
        CHECK(server.endpoint.set_http3_certificate(rsa.certificate_pem, other.key_pem) ==
              quic::CertificateError::mismatch);
        CHECK(server.endpoint.set_http3_certificate(rsa.certificate_pem, "") ==
              quic::CertificateError::not_a_key);
        CHECK(shown("h3") == hash_of(test_pair()));
    }
}

TEST_CASE("a certificate of no use for HTTP/3 is refused at once", "[quic][http3]") {
    const auto made = quic::Endpoint::server({.certificate_pem = test_pair().certificate_pem,
                                              .key_pem = test_pair().key_pem,
                                              .http3_certificate_pem = "nothing",
                                              .http3_key_pem = test_pair().key_pem},
                                             config_with(1, {"h3"}));
    REQUIRE_FALSE(made);
    CHECK(made.error() == quic::CertificateError::not_a_certificate);
}

TEST_CASE("browsers let pages pin short-lived certificates of P-256", "[quic][http3]") {
    const auto can_be_pinned = [](std::string_view pem) {
        return quic::certificate_facts(quic::certificates_from_pem(pem).at(0))->can_be_pinned();
    };
    const auto made = [](int days) {
        return quic::make_self_signed({"localhost"}, days, wall_now()).value().certificate_pem;
    };
    CHECK(can_be_pinned(made(13)));
    CHECK_FALSE(can_be_pinned(made(14)));  // and the hour before
    const auto facts = [](const char* name) {
        return *quic::certificate_facts(
            quic::certificates_from_pem(certificate_pair(name).certificate_pem).at(0));
    };
    CHECK(facts("leaf").is_p256);
    for (const char* name : {"rsa_2048", "p384_cn_only", "ed25519"}) {
        INFO(name);
        CHECK_FALSE(facts(name).is_p256);
    }
}

TEST_CASE("streams of one direction", "[quic][http3]") {
    Pair pair{"h3"};
    const StreamId stream = pair.client->endpoint.open_uni_stream(pair.id).value();

    SECTION("carry bytes, and their credit comes back") {
        const std::string text(50'000, 'x');
        REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes::copy_of(as_bytes(text)), true));
        pair.world.run_for(std::chrono::seconds{2});
        CHECK(pair.server->bytes_received == text.size());
    }
    SECTION("are replaced by others when they have ended") {
        for (int i = 0; i < 10; ++i) {
            const auto another = pair.client->endpoint.open_uni_stream(pair.id);
            REQUIRE(another);
            REQUIRE(pair.client->endpoint.write(pair.id, *another,
                                                Bytes::copy_of(as_bytes(std::string{"x"})), true));
            pair.world.run_for(std::chrono::milliseconds{200});
        }
        CHECK(pair.server->bytes_received == 10);
        // That of two directions is another credit.
        CHECK(most_streams(*pair.client, pair.id, &quic::Endpoint::open_stream) ==
              Limits{}.rooms_per_connection_max + 9);
    }
    SECTION("cannot be written to by who receives them") {
        REQUIRE(pair.client->endpoint.write(pair.id, stream,
                                            Bytes::copy_of(as_bytes(std::string{"x"})), false));
        pair.world.run_for(std::chrono::milliseconds{200});
        CHECK(pair.server->endpoint
                  .write(pair.server_id, stream, Bytes::copy_of(as_bytes(std::string{"x"})), false)
                  .error() == Errc::not_ready);
    }
}

TEST_CASE("codes of HTTP/3 are not taken for ours", "[quic][http3]") {
    SECTION("by which a peer closes the connection") {
        ngtcp2_ccerr error{};
        const auto errc = [&](std::uint64_t code, bool has_http3) {
            ngtcp2_ccerr_set_application_error(&error, code, nullptr, 0);
            return quic::reason_from_peer(error, has_http3).errc;
        };
        CHECK(errc(0x100, true) == Errc::closed);
        CHECK(errc(0x10c, true) == Errc::closed);
        CHECK(errc(0, true) == Errc::closed);  // none of HTTP/3, but what libraries send in peace
        CHECK(errc(0x101, true) == Errc::transport_failed);
        CHECK(errc(wire_code(Errc::kicked), true) == Errc::transport_failed);
        CHECK(errc(wire_code(Errc::kicked), false) == Errc::kicked);
    }
    SECTION("by which we close one") {
        CHECK(quic::http3_code(Errc::closed) == 0x100);
        CHECK(quic::http3_code(Errc::server_shutdown) == 0x100);
        CHECK(quic::http3_code(Errc::unexpected_frame) == 0x101);
        CHECK(quic::http3_code(Errc::internal_error) == 0x102);
    }
    SECTION("on the wire") {
        Pair web{"h3"};
        CHECK(web.reason_after_close(*web.server, web.server_id, Errc::kicked, *web.client) ==
              Errc::closed);
        Pair native{"quicchat/1"};
        CHECK(native.reason_after_close(*native.server, native.server_id, Errc::kicked,
                                        *native.client) == Errc::kicked);
    }
}
