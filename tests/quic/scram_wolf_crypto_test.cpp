#include "quicchat/quic/wolf_crypto.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "../unit/auth/reference_crypto.hpp"
#include "../unit/auth/scram_vectors.hpp"
#include "quicchat/auth/scram_login.hpp"

using namespace quicchat;
using quic::WolfCrypto;
using test::ReferenceCrypto;

TEST_CASE("wolfCrypt gives the vectors of SCRAM-SHA-256-PLUS", "[quic][auth][vectors]") {
    for (const test::ScramVector& vector : test::scram_vectors()) {
        CAPTURE(vector.name);
        test::check_scram_keys<WolfCrypto>(vector);
        test::check_scram_messages<WolfCrypto>(vector);
    }
    for (const test::ScramVector& vector : test::scram_page_vectors()) {
        CAPTURE(vector.name);
        test::check_scram_certificate<WolfCrypto>(vector);
        test::check_scram_messages<WolfCrypto>(vector);
    }
}

TEST_CASE("wolfCrypt agrees with the reference", "[quic][auth]") {
    Entropy entropy = Entropy::seeded(1);
    for (const std::size_t size :
         {0u, 1u, 20u, 31u, 32u, 55u, 56u, 63u, 64u, 65u, 127u, 128u, 1024u}) {
        CAPTURE(size);
        Buffer key(size);
        Buffer data(1024 - size + 3);
        entropy.fill(key);
        entropy.fill(data);
        CHECK(WolfCrypto::sha256(key) == ReferenceCrypto::sha256(key));
        CHECK(WolfCrypto::hmac_sha256(key, data) == ReferenceCrypto::hmac_sha256(key, data));
        CHECK(WolfCrypto::hmac_sha256(data, key) == ReferenceCrypto::hmac_sha256(data, key));
        if (size == 0) continue;
        for (const std::uint32_t iterations : {1u, 2u, 17u}) {
            CHECK(WolfCrypto::pbkdf2_hmac_sha256(key, data, iterations) ==
                  ReferenceCrypto::pbkdf2_hmac_sha256(key, data, iterations));
        }
    }
}

TEST_CASE("random bytes of the kernel fill all they are asked for", "[quic][auth]") {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        std::array<std::byte, 24> bytes{};
        quic::fill_random(bytes);
        seen.insert(encode_base64(bytes));
    }
    CHECK(seen.size() == 1000);

    Buffer large(100'000);
    quic::fill_random(large);
    std::size_t zeros = 0;
    for (const std::byte octet : large) zeros += octet == std::byte{0};
    CHECK(zeros > 200);
    CHECK(zeros < 600);
    quic::fill_random({});
    CHECK(quic::system_entropy().draw<16>() != quic::system_entropy().draw<16>());
}

TEST_CASE("a login with wolfCrypt and real iterations", "[quic][auth]") {
    Entropy entropy = quic::system_entropy();
    const auto accounts = std::make_shared<AccountStore>();
    REQUIRE(accounts->add("Ada", make_verifier<WolfCrypto>("correct horse", entropy.draw<16>(),
                                                           scram_iterations_default)
                                     .value()));
    const auto secret = entropy.draw<32>();
    ScramAuthenticator<WolfCrypto> authenticator{accounts, secret};
    const ChannelBinding binding = entropy.draw<32>();
    auto client = ScramLogin<WolfCrypto>::create("ada", "correct horse").value();

    for (int connection = 0; connection < 100; ++connection) {  // all but the first are quick
        auto exchange = authenticator.begin(entropy.draw<login_entropy_bytes>());
        const LoginStart start =
            client.start(binding, DeviceId{}, entropy.draw<login_entropy_bytes>()).value();
        const LoginStep asked = exchange->start({start.mechanism, start.data, binding});
        REQUIRE(std::holds_alternative<LoginChallenge>(asked));
        const Buffer proof = client.respond(std::get<LoginChallenge>(asked).data).value().value();
        const LoginStep done = exchange->respond(proof);
        REQUIRE(std::holds_alternative<LoginAccepted>(done));
        CHECK(std::get<LoginAccepted>(done).user == "Ada");
        CHECK(client.finish(std::get<LoginAccepted>(done).data));
    }
}
