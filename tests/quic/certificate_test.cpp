#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>
#include <fstream>

#include "quic/certificate_files.hpp"
#include "quicchat/quic/certificate_facts.hpp"
#include "quicchat/quic/tls.hpp"
#include "quicchat/transport/fingerprint.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using quic::CertificateError;

namespace {

std::error_code check(const std::string& certificate, const std::string& key) {
    return quic::check_pair(certificate_file(certificate), certificate_file(key), wall_now());
}

}  // namespace

TEST_CASE("a pair that belongs together is accepted", "[quic][certificate]") {
    const std::string name =
        GENERATE("rsa_cn_only", "rsa_2048", "ed25519", "p384_cn_only", "leaf", "p256_parameters");
    CAPTURE(name);
    CHECK(check(name + ".crt", name + ".key") == std::error_code{});
    const auto pair = certificate_pair(name);
    CHECK(quic::TlsContext::server(pair.certificate_pem, pair.key_pem, {"quicchat/1"}));
}

TEST_CASE("a pair of no use is refused with the reason", "[quic][certificate]") {
    CHECK(check("README.md", "leaf.key") == CertificateError::not_a_certificate);
    CHECK(check("leaf.key", "leaf.key") == CertificateError::certificate_is_key);
    CHECK(check("leaf.key", "leaf.crt") == CertificateError::certificate_is_key);
    CHECK(check("leaf.crt", "README.md") == CertificateError::not_a_key);
    CHECK(check("leaf.crt", "leaf.crt") == CertificateError::key_is_certificate);
    CHECK(check("leaf.crt", "encrypted.key") == CertificateError::key_encrypted);
    CHECK(check("leaf.crt", "rsa_2048.key") == CertificateError::mismatch);
    CHECK(check("leaf.crt", "leaf_cn_only.key") == CertificateError::mismatch);
    CHECK(check("rsa_2048.crt", "rsa_cn_only.key") == CertificateError::mismatch);
    CHECK(check("ed25519.crt", "leaf.key") == CertificateError::mismatch);
    CHECK(check("expired.crt", "expired.key") == CertificateError::expired);
    CHECK(check("rsa_1024.crt", "rsa_1024.key") == CertificateError::key_unusable);
    CHECK(quic::check_pair("", "", wall_now()) == CertificateError::not_a_certificate);
    const auto pair = certificate_pair("leaf");
    CHECK(quic::check_pair(pair.certificate_pem, pair.key_pem, WallTime{}) ==
          CertificateError::not_yet_valid);
    CHECK(quic::check_pair("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                           pair.key_pem, wall_now()) == CertificateError::not_a_certificate);
    CHECK(quic::check_pair(pair.certificate_pem,
                           "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                           wall_now()) == CertificateError::not_a_key);
}

TEST_CASE("every certificate error has words for people", "[quic][certificate]") {
    for (const quic::CertificateProblem& problem : quic::certificate_problems) {
        CHECK(&quic::explain(problem.error) == &problem);
        CHECK(make_error_code(problem.error).message() == problem.what);
        CHECK_FALSE(problem.code.empty());
        CHECK_FALSE(problem.fix.empty());
    }
}

TEST_CASE("a self-made certificate", "[quic][certificate]") {
    const auto pair =
        quic::make_self_signed({"chat.example", "127.0.0.1", "::1", "10.0.0.1"}, 365, wall_now());
    REQUIRE(pair);

    SECTION("is a valid pair for as long as it was asked to be") {
        const auto at = [&](Duration later) {
            return quic::check_pair(
                pair->certificate_pem, pair->key_pem,
                wall_now() + std::chrono::duration_cast<std::chrono::milliseconds>(later));
        };
        CHECK(at(0s) == std::error_code{});
        CHECK(at(24h * 364) == std::error_code{});
        CHECK(at(24h * 366) == CertificateError::expired);
        CHECK(at(-2h) == CertificateError::not_yet_valid);
    }
    SECTION("serves under each of its names") {
        const std::string name = GENERATE("chat.example", "10.0.0.1", "::1");
        World world;
        world.add_server({.certificate_pem = pair->certificate_pem, .key_pem = pair->key_pem},
                         World::config(1));
        Host& client = world.add_client(
            {.server_name = name, .trust = quic::Trust::authorities(pair->certificate_pem)},
            World::config(2));
        client.endpoint.connect(world.now).value();
        CHECK(world.run_until([&] { return find_event<Connected>(client) != nullptr; }));
        CHECK(find_event<Connected>(client)->peer_key ==
              *quic::key_fingerprint(pair->certificate_pem));
    }
    SECTION("is new every time") {
        const auto other = quic::make_self_signed({"chat.example"}, 1, wall_now());
        CHECK(*quic::key_fingerprint(other->certificate_pem) !=
              *quic::key_fingerprint(pair->certificate_pem));
    }
    SECTION("can live beyond 2049, when dates get longer") {
        const auto old = quic::make_self_signed({"x"}, 365 * 60, wall_now());
        REQUIRE(old);
        CHECK(quic::check_pair(old->certificate_pem, old->key_pem, wall_now()) ==
              std::error_code{});
    }
    SECTION("needs at least one name, and none that is too long") {
        CHECK_FALSE(quic::make_self_signed({}, 1, wall_now()));
        CHECK_FALSE(quic::make_self_signed({""}, 1, wall_now()));
        CHECK_FALSE(quic::make_self_signed({std::string(64, 'a')}, 1, wall_now()));
    }
}

TEST_CASE("a self-made certificate is renewed with its key and its names", "[quic][certificate]") {
    const std::vector<std::string> names{"chat.example", "localhost", "127.0.0.1", "::1"};
    const auto old = quic::make_self_signed(names, 0, wall_now());
    REQUIRE(old);
    REQUIRE(quic::check_pair(old->certificate_pem, old->key_pem, wall_now() + 1s) ==
            CertificateError::expired);
    const auto renewed =
        quic::renew_self_signed(old->certificate_pem, old->key_pem, {}, 30, wall_now() + 1s);
    REQUIRE(renewed);
    CHECK(quic::check_pair(*renewed, old->key_pem, wall_now() + 24h * 29) == std::error_code{});
    CHECK(*quic::key_fingerprint(*renewed) == *quic::key_fingerprint(old->certificate_pem));
    const auto facts = [](const std::string& pem) {
        return *quic::certificate_facts(quic::certificates_from_pem(pem).front());
    };
    CHECK(facts(*renewed).subject == "/CN=chat.example");
    CHECK(facts(*renewed).names == facts(old->certificate_pem).names);
    CHECK(facts(*renewed).is_self_signed);

    SECTION("and again") {
        CHECK(quic::is_self_made(*renewed, old->key_pem));
        const auto again = quic::renew_self_signed(*renewed, old->key_pem, {}, 1, wall_now());
        REQUIRE(again);
        CHECK(facts(*again).subject == "/CN=chat.example");
    }
    SECTION("what others have made is not taken for our own") {
        CHECK(quic::is_self_made(old->certificate_pem, old->key_pem));
        const std::string name = GENERATE("leaf", "rsa_2048", "p256_parameters");
        CHECK_FALSE(
            quic::is_self_made(certificate_file(name + ".crt"), certificate_file(name + ".key")));
        CHECK_FALSE(quic::is_self_made("", ""));
    }
    SECTION("and nothing else is") {
        const auto renew = [](const std::string& certificate, const std::string& key) {
            const auto result =
                quic::renew_self_signed(certificate_file(certificate), certificate_file(key),
                                        {"chat.example"}, 30, wall_now());
            return result ? std::error_code{} : result.error();
        };
        CHECK(renew("leaf.crt", "leaf.key") == CertificateError::not_self_signed);
        CHECK(renew("rsa_2048.crt", "rsa_2048.key") == CertificateError::key_unusable);
        CHECK(renew("leaf.crt", "rsa_2048.key") == CertificateError::mismatch);
        CHECK(renew("README.md", "leaf.key") == CertificateError::not_a_certificate);
    }
}

TEST_CASE("a key fingerprint is what openssl computes", "[quic][certificate]") {
    // openssl x509 -in leaf.crt -pubkey -noout | openssl pkey -pubin -outform der | sha256sum
    CHECK(format_fingerprint(*quic::key_fingerprint(certificate_file("leaf.crt"))) ==
          "sha256:90f46d7b84c8fe9d295bd121437d841b675a8ba6b25d9f57ebb290e4035f717f");
    CHECK(format_fingerprint(*quic::key_fingerprint(certificate_file("ed25519.crt"))) ==
          "sha256:3592557349acc6734d7e10279e06b5f86da19a78658a948b5f29cf6a6f7bb93f");
    CHECK(quic::key_fingerprint("").error() == CertificateError::not_a_certificate);
}

TEST_CASE("what a certificate says of itself", "[quic][certificate]") {
    const auto facts = [](const std::string& name) {
        return quic::certificate_facts(
                   quic::certificates_from_pem(certificate_file(name + ".crt")).front())
            .value();
    };
    using Names = std::vector<std::string>;
    CHECK(facts("leaf").names == Names{"localhost", "*.chat.example", "10.0.0.1"});
    CHECK_FALSE(facts("leaf").is_self_signed);
    CHECK(facts("leaf").issuer == facts("authority").subject);
    CHECK(facts("authority").is_self_signed);
    CHECK(facts("rsa_cn_only").subject == "/C=XX/O=Seed/CN=localhost");
    CHECK(facts("rsa_cn_only").names.empty());
    CHECK(facts("no_subject").subject.empty());
    CHECK(facts("expired").validity.end < wall_now());
    const auto own = quic::certificates_from_pem(test_pair().certificate_pem).front();
    CHECK(quic::certificate_facts(own)->names == Names{"localhost", "127.0.0.1", "::1"});
    CHECK_FALSE(quic::certificate_facts({}));
    CHECK_FALSE(quic::certificate_facts(std::span{own}.first(own.size() / 2)));
}

TEST_CASE("a client's endpoint keeps what the server showed", "[quic][certificate]") {
    World world;
    Host& server = world.add_server();
    Host& client = world.add_client();
    const ConnectionId id = client.endpoint.connect(world.now).value();
    REQUIRE(world.run_until([&] { return find_event<Connected>(client) != nullptr; }));
    CHECK(client.endpoint.peer_certificate(id) ==
          quic::certificates_from_pem(test_pair().certificate_pem).front());
    world.run_for(1s);
    CHECK(server.endpoint.peer_certificate(find_event<Connected>(server)->connection).empty());
    CHECK(client.endpoint.peer_certificate(ConnectionId{77}).empty());
}

TEST_CASE("a private file", "[quic][certificate]") {
    char folder[] = "/tmp/quicchat-test-XXXXXX";
    REQUIRE(mkdtemp(folder) != nullptr);
    const std::string path = std::string{folder} + "/server.key";
    CHECK_FALSE(quic::write_private_file(path, "secret\n"));
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(quic::write_private_file(path, "other\n") == std::errc::file_exists);
    std::string text;
    std::getline(std::ifstream{path}, text);
    CHECK(text == "secret");
    CHECK(quic::write_private_file(std::string{folder} + "/no/such/folder", "") ==
          std::errc::no_such_file_or_directory);
    unlink(path.c_str());
    rmdir(folder);
}
