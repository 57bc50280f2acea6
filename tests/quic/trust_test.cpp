#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quic/certificate_files.hpp"
#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using quic::Trust;

namespace {

quic::ServerConfig server_with(const std::string& name) {
    const quic::CertificatePair pair = certificate_pair(name);
    return {.certificate_pem = pair.certificate_pem, .key_pem = pair.key_pem};
}

/// What a client makes of a server.
struct Visit {
    bool connected = false;
    bool server_saw_it = false;  ///< The server took the connection for established.
    std::optional<Fingerprint> key{};
    CloseReason reason{};
};

Visit visit(const std::string& certificate, Trust trust, std::string name = "localhost") {
    World world;
    Host& server = world.add_server(server_with(certificate), World::config(1));
    Host& client = world.add_client({.server_name = std::move(name), .trust = std::move(trust)},
                                    World::config(2));
    client.endpoint.connect(world.now).value();
    world.run_until([&] { return !client.events.empty(); });
    world.run_for(1s);
    Visit result;
    result.server_saw_it = find_event<Connected>(server) != nullptr;
    if (const auto* connected = find_event<Connected>(client)) {
        result.connected = true;
        result.key = connected->peer_key;
    } else {
        result.reason = find_event<Disconnected>(client)->reason;
    }
    return result;
}

Fingerprint key_of(const std::string& certificate) {
    return quic::key_fingerprint(certificate_file(certificate + ".crt")).value();
}

Trust authority() { return Trust::authorities(certificate_file("authority.crt")); }

}  // namespace

TEST_CASE("a client that trusts an authority", "[quic][trust]") {
    SECTION("accepts what it signed, by name and by address") {
        CHECK(visit("leaf", authority()).connected);
        CHECK(visit("leaf", authority(), "10.0.0.1").connected);
        CHECK(visit("leaf", authority(), "eu.chat.example").connected);
        CHECK(visit("leaf_cn_only", authority()).connected);
        CHECK(visit("leaf", authority()).key == key_of("leaf"));
    }
    SECTION("refuses another name") {
        const std::string name = GENERATE("example.org", "10.0.0.2", "a.b.chat.example",
                                          "chat.example", "localhos", "localhost.example", "::1");
        CAPTURE(name);
        const Visit other = visit("leaf", authority(), name);
        CHECK(other.reason.errc == Errc::certificate_name);
        CHECK(other.reason.peer_key == key_of("leaf"));
        CHECK_FALSE(other.connected);
        CHECK(visit("leaf_cn_only", authority(), name).reason.errc == Errc::certificate_name);
    }
    SECTION("refuses what it did not sign, and never becomes the server's client") {
        const std::string name = GENERATE("rsa_cn_only", "rsa_2048", "ed25519", "p384_cn_only");
        CAPTURE(name);
        const Visit stranger = visit(name, authority());
        CHECK(stranger.reason.errc == Errc::certificate_untrusted);
        CHECK(stranger.reason.transport_code == 0x100 + 48);  // unknown_ca
        CHECK_FALSE(stranger.connected);
        CHECK_FALSE(stranger.server_saw_it);
    }
    SECTION("refuses an expired certificate") {
        CHECK(visit("leaf_expired", authority()).reason.errc == Errc::certificate_expired);
    }
}

TEST_CASE("a client that is given the server's own certificate", "[quic][trust]") {
    const std::string name =
        GENERATE("rsa_cn_only", "rsa_2048", "ed25519", "p384_cn_only", "p256_parameters");
    CAPTURE(name);
    const Trust trust = Trust::authorities(certificate_file(name + ".crt"));
    SECTION("accepts it under every name: it is the one that was meant") {
        CHECK(visit(name, trust).connected);
        CHECK(visit(name, trust, "192.0.2.1").connected);
        CHECK(visit(name, trust).key == key_of(name));
    }
    SECTION("refuses every other") {
        CHECK(visit("leaf", trust).reason.errc == Errc::certificate_untrusted);
        CHECK_FALSE(visit("leaf", trust).server_saw_it);
    }
}

TEST_CASE("an expired certificate is refused even if it is the one that was given",
          "[quic][trust]") {
    const Trust trust = Trust::authorities(certificate_file("expired.crt"));
    CHECK(visit("expired", trust).reason.errc == Errc::certificate_expired);
}

TEST_CASE("a server with a name in another alphabet", "[quic][trust]") {
    const Trust root = Trust::authorities(certificate_file("cross_root.crt"));
    for (const char* name : {"xn--mnchen-3ya.test", "m\u00fcnchen.test", "M\u00dcNCHEN.test"}) {
        CAPTURE(name);
        CHECK(visit("other_alphabet", root, name).connected);
    }
    CHECK(visit("other_alphabet", root, "munchen.test").reason.errc == Errc::certificate_name);
    CHECK(quic::Endpoint::client({.server_name = "\xff.test"}).error() == Errc::invalid_name);
}

#ifdef WOLFSSL_ALT_CERT_CHAINS  // as in the libraries that we build
TEST_CASE("a root that an older one has signed, too, is trusted by either", "[quic][trust]") {
    const std::string chain = GENERATE("cross_signed", "cross_expired");
    CAPTURE(chain);
    SECTION("by the root itself, whoever else signed it and whatever became of that") {
        CHECK(visit(chain, Trust::authorities(certificate_file("cross_root.crt"))).connected);
    }
    SECTION("by neither of them not at all") {
        const Visit stranger = visit(chain, authority());
        CHECK(stranger.reason.errc == Errc::certificate_untrusted);
        CHECK_FALSE(stranger.server_saw_it);
    }
    SECTION("by the server's own certificate, though the chain is sent") {
        const Trust own = Trust::authorities(certificate_file("cross_leaf.crt"));
        CHECK(visit(chain, own).connected);
        CHECK(visit("leaf", own).reason.errc == Errc::certificate_untrusted);
        CHECK(visit("rsa_2048", own).reason.errc == Errc::certificate_untrusted);
    }
    SECTION("and the name still counts") {
        const Trust root = Trust::authorities(certificate_file("cross_root.crt"));
        CHECK(visit(chain, root, "example.org").reason.errc == Errc::certificate_name);
    }
}

TEST_CASE("the old root of a cross-signed one is enough while its signature lasts",
          "[quic][trust]") {
    const Trust old = Trust::authorities(certificate_file("cross_old_root.crt"));
    CHECK(visit("cross_signed", old).connected);
    CHECK(visit("cross_expired", old).reason.errc == Errc::certificate_expired);
}
#endif

TEST_CASE("a certificate without a subject is known by its key", "[quic][trust]") {
    const Fingerprint key = key_of("no_subject");
    CHECK(visit("no_subject", Trust::pinned({key})).connected);
    CHECK(visit("no_subject", Trust::first_use({})).key == key);
    CHECK(visit("no_subject", Trust::insecure()).connected);
    CHECK(visit("no_subject", Trust::authorities(certificate_file("no_subject.crt"))).connected);
    CHECK(visit("no_subject", Trust::pinned({Fingerprint{}})).reason.errc ==
          Errc::server_key_changed);
    CHECK(visit("no_subject", authority()).reason.errc == Errc::certificate_untrusted);
}

TEST_CASE("SSL_CERT_FILE and SSL_CERT_DIR stand for the system's authorities", "[quic][trust]") {
    const std::string folder = std::string{QUICCHAT_TESTS_DIR} + "/quic/certificates";
    const auto set = [](const char* name, const std::string& value) {
        REQUIRE(setenv(name, value.c_str(), 1) == 0);
    };
    SECTION("by a file") {
        set("SSL_CERT_FILE", folder + "/authority.crt");
        CHECK(visit("leaf", Trust::system()).connected);
        CHECK(visit("rsa_2048", Trust::system()).reason.errc == Errc::certificate_untrusted);
        CHECK(visit("leaf", Trust::system(), "example.org").reason.errc == Errc::certificate_name);
    }
    SECTION("by a folder") {
        set("SSL_CERT_DIR", folder);
        CHECK(visit("leaf", Trust::system()).connected);
    }
    SECTION("and must be there") {
        set("SSL_CERT_FILE", folder + "/no-such-file.crt");
        const auto client = quic::Endpoint::client({.server_name = "localhost"});
        REQUIRE_FALSE(client);
        CHECK(client.error() == quic::CertificateError::not_authorities);
    }
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}

TEST_CASE("a client that trusts the system's authorities refuses a stranger", "[quic][trust]") {
    const auto client = quic::Endpoint::client(
        {.remote = *quic::SocketAddress::parse("10.0.0.1:4433"), .server_name = "localhost"});
    if (!client) SKIP("this system has no certificate authorities");
    const Visit stranger = visit("rsa_2048", Trust::system());
    CHECK(stranger.reason.errc == Errc::certificate_untrusted);
    CHECK_FALSE(stranger.server_saw_it);
}

TEST_CASE("a client with pinned keys", "[quic][trust]") {
    const std::string name =
        GENERATE("rsa_cn_only", "rsa_2048", "ed25519", "p384_cn_only", "leaf", "expired");
    CAPTURE(name);
    SECTION("accepts one of them, whoever signed it and whatever it is called") {
        const Trust trust = Trust::pinned({Fingerprint{}, key_of(name)});
        CHECK(visit(name, trust, "elsewhere.example").connected);
        CHECK(visit(name, trust).key == key_of(name));
    }
    SECTION("refuses every other key before the server hears of it") {
        const Visit changed = visit(name, Trust::pinned({Fingerprint{}}));
        CHECK(changed.reason.errc == Errc::server_key_changed);
        CHECK(changed.reason.peer_key == key_of(name));
        CHECK_FALSE(changed.server_saw_it);
    }
    SECTION("refuses all if there are none") {
        CHECK(visit(name, Trust::pinned({})).reason.errc == Errc::server_key_changed);
    }
}

TEST_CASE("a client that trusts on first use", "[quic][trust]") {
    SECTION("accepts any key the first time and reports it") {
        const Visit first = visit("rsa_cn_only", Trust::first_use({}));
        CHECK(first.connected);
        CHECK(first.key == key_of("rsa_cn_only"));
    }
    SECTION("accepts the same key again") {
        CHECK(visit("ed25519", Trust::first_use({key_of("ed25519")})).connected);
    }
    SECTION("stops hard when the key is another") {
        const Visit changed = visit("rsa_2048", Trust::first_use({key_of("ed25519")}));
        CHECK(changed.reason.errc == Errc::server_key_changed);
        CHECK(changed.reason.peer_key == key_of("rsa_2048"));
        CHECK_FALSE(changed.server_saw_it);
    }
}

TEST_CASE("an insecure client accepts everybody", "[quic][trust]") {
    const std::string name = GENERATE("rsa_cn_only", "ed25519", "expired");
    CHECK(visit(name, Trust::insecure(), "elsewhere.example").connected);
}

TEST_CASE("a client cannot be made without an authority to trust", "[quic][trust]") {
    const auto client = quic::Endpoint::client(
        {.server_name = "localhost", .trust = Trust::authorities("not a certificate")});
    REQUIRE_FALSE(client);
    CHECK(client.error() == quic::CertificateError::not_authorities);
}
