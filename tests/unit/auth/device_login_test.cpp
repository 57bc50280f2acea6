#include "quicchat/auth/device_login.hpp"

#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "device_scene.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

DeviceToken token_of(std::uint64_t generation) {
    return {generation, Secret{Buffer(32, static_cast<std::byte>(generation))}};
}

ChannelBinding bound() {
    ChannelBinding binding{};
    binding.fill(std::byte{1});
    return binding;
}

}  // namespace

TEST_CASE("a device's login", "[auth]") {
    const ChannelBinding binding = bound();
    const DeviceId device = device_id(1);
    TestLogin both = ada(token_of(4));

    SECTION("is made of a password, a token, or both") {
        CHECK(TestLogin::create("ada", password_login("ada", "x")));
        CHECK(TestLogin::create("ada", std::nullopt, token_of(1)));
        CHECK(TestLogin::create("ada", std::nullopt).error() == Errc::invalid_request);
        CHECK(TestLogin::create("a b", std::nullopt, token_of(1)).error() == Errc::invalid_name);
        CHECK(TestLogin::create("ada", password_login("bob", "x")).error() == Errc::invalid_name);
        CHECK(TestLogin::create("ada", password_login("ada", "x"), token_of(0)).error() ==
              Errc::invalid_request);
        CHECK(TestLogin::create("ada", std::nullopt, DeviceToken{1, Secret{Buffer(31)}}).error() ==
              Errc::invalid_request);
        CHECK(both.user() == "ada");
        CHECK(both.token()->generation == 4);
    }
    SECTION("begins with the token, in one flight") {
        const LoginStart start = both.start(binding, device, login_entropy()).value();
        CHECK(start.mechanism == "QUICCHAT-TOKEN");
        CHECK(start.one_flight);
        CHECK(parse_token_claim(start.data).value().generation == 4);
    }
    SECTION("begins with the password where there is no token") {
        const auto by_password = [&](TestLogin& login, DeviceId id) {
            const LoginStart start = login.start(binding, id, login_entropy()).value();
            CHECK_FALSE(start.one_flight);
            return start.mechanism == "SCRAM-SHA-256-PLUS";
        };
        TestLogin fresh = ada();
        CHECK(by_password(fresh, device));
        CHECK(by_password(both, DeviceId{}));
        TestLogin only_token = holder("ada", token_of(4));
        CHECK(only_token.start(binding, {}, login_entropy()).error() == Errc::token_refused);
    }
    SECTION("drops a token that is refused, and only then") {
        for (const Errc why : {Errc::login_failed, Errc::closed, Errc::server_full}) {
            CHECK_FALSE(both.recover(why));
            CHECK(both.token());
        }
        CHECK(both.recover(Errc::token_refused));
        CHECK_FALSE(both.token());
        // Not again, or a hostile server would make it try for ever.
        CHECK_FALSE(both.recover(Errc::token_refused));
        CHECK(both.start(binding, device, login_entropy())->mechanism == scram_mechanism);

        TestLogin only_token = holder("ada", token_of(4));
        CHECK_FALSE(only_token.recover(Errc::token_refused));
        CHECK(only_token.start(binding, device, login_entropy()).error() == Errc::token_refused);
    }
    SECTION("keeps a new token, and nothing that is none") {
        both.keep(token_of(5));
        CHECK(both.token()->generation == 5);
        both.keep(token_of(0));
        both.keep({6, Secret{Buffer(33)}});
        CHECK(both.token()->generation == 5);
        CHECK(parse_token_claim(both.start(binding, device, login_entropy())->data)->generation ==
              5);
    }
    SECTION("is finished by the server's signature and nothing else") {
        const TokenLogin login =
            make_token_login<ReferenceCrypto>("ada", device, token_of(4), binding);
        const auto finish = [&](BytesView data) {
            REQUIRE(both.start(binding, device, login_entropy()));
            return both.finish(data);
        };
        CHECK(finish(login.server_signature));
        CHECK_FALSE(both.finish(login.server_signature));
        CHECK(finish({}).error() == Errc::server_not_verified);
        CHECK_FALSE(both.finish(login.server_signature));
        CHECK_FALSE(finish(login.claim.proof));
        CHECK_FALSE(finish(Digest{}));
        CHECK_FALSE(finish(BytesView{login.server_signature}.first(31)));
        for (std::size_t bit = 0; bit < 256; ++bit) {
            Digest damaged = login.server_signature;
            damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
            REQUIRE(finish(damaged).error() == Errc::server_not_verified);
        }
    }
    SECTION("is not finished before it began, or after a challenge") {
        CHECK_FALSE(both.finish(Digest{}));
        CHECK_FALSE(both.respond({}));
        const TokenLogin login =
            make_token_login<ReferenceCrypto>("ada", device, token_of(4), binding);
        REQUIRE(both.start(binding, device, login_entropy()));
        CHECK(both.respond(as_bytes("r=x")).error() == Errc::server_not_verified);
        CHECK_FALSE(both.finish(login.server_signature));
    }
    SECTION("is not finished by another server, which has the name and not the keys") {
        LoginScene scene;
        TestLogin client = settled(scene);
        LoginScene impostor{{}, 100};
        TestLogin other = settled(impostor);
        CHECK(refused_with(impostor.log_in(client), Errc::token_refused));
        CHECK(scene.log_in(client).verified);
        CHECK(impostor.log_in(other).verified);
    }
}
