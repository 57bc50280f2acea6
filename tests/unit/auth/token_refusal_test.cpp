#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "device_scene.hpp"

using namespace quicchat;
using namespace quicchat::test;

using Scene = LoginScene;

TEST_CASE("a token is refused, and nothing changes,", "[auth]") {
    Scene scene;
    TestLogin client = settled(scene);
    const DeviceToken good = *client.token();
    const auto is_refused = [&](TestLogin login) {
        changes_nothing(scene, [&] {
            const LoginOutcome outcome = scene.log_in(login);
            CHECK(refused_with(outcome, Errc::token_refused));
            CHECK(outcome.steps == "r");
            CHECK_FALSE(outcome.refused->device_removed);
        });
    };

    SECTION("for another device") {
        scene.client_says = scene.server_sees = device_id(2);
        is_refused(holder("ada", good));
        TestLogin second = ada();
        REQUIRE(scene.log_in(second).token);
        is_refused(holder("ada", good));
    }
    SECTION("for a device other than it was made for") {
        // Both devices of Ada have a token 2; nothing but the proof tells them apart.
        scene.client_says = scene.server_sees = device_id(2);
        TestLogin second = settled(scene);
        scene.server_sees = device_id(1);
        is_refused(holder("ada", *second.token()));
        scene.server_sees = device_id(2);
        scene.client_says = device_id(1);
        is_refused(holder("ada", *second.token()));
    }
    SECTION("for another user") {
        is_refused(holder("bob", good));
        TestLogin bob = TestLogin::create("bob", password_login("bob", "crayon")).value();
        REQUIRE(scene.log_in(bob).token);
        REQUIRE(scene.log_in(bob).token);
        is_refused(holder("bob", good));
        is_refused(holder("ada", *bob.token()));
    }
    SECTION("for a user who does not exist") { is_refused(holder("eve", good)); }
    SECTION("with another generation, also that of a replaced token") {
        for (std::uint64_t generation = 1; generation < 5; ++generation) {
            if (generation == good.generation) continue;
            is_refused(holder("ada", {generation, good.key}));
        }
        REQUIRE(scene.log_in(client).verified);
        REQUIRE(scene.device()->previous.value().generation == 1);
        is_refused(holder("ada", {1, good.key}));
    }
    SECTION("if somebody sits between, with two connections") {
        scene.connect();
        scene.at_server.fill(std::byte{77});
        changes_nothing(
            scene, [&] { CHECK(refused_with(scene.log_in_here(client), Errc::token_refused)); });
    }
    SECTION("after it was not used for ninety days") {
        scene.pass(token_lifetime);
        SECTION("") {
            scene.pass(std::chrono::milliseconds{1});
            is_refused(holder("ada", good));
        }
        SECTION("but not before, and each login begins them anew") {
            REQUIRE(scene.log_in(client).verified);
            scene.pass(token_lifetime);
            CHECK(scene.log_in(client).verified);
        }
    }
    SECTION("for a disabled account, until it is enabled") {
        scene.book->disable("ada");
        is_refused(holder("ada", good));
        scene.book->enable("ada");
        CHECK(scene.log_in(client).verified);
    }
    SECTION("after the device was revoked, the account removed, or the password changed") {
        SECTION("device") { scene.book->remove_device("ADA", device_id(1)); }
        SECTION("account") {
            scene.book->remove("ada");
            (void)scene.book->add("ada", test_verifier("other"));
        }
        SECTION("password") { scene.book->replace_verifier("ada", test_verifier("other")); }
        is_refused(holder("ada", good));
    }
    SECTION("without a device id") {
        scene.server_sees = {};
        is_refused(holder("ada", good));
    }
    SECTION("if its message is cut, longer, or damaged in any bit") {
        scene.connect();
        const LoginStart start =
            client.start(scene.at_client, device_id(1), login_entropy()).value();
        std::vector<Buffer> wrong;
        for (std::size_t size = 0; size < start.data.size(); ++size) {
            wrong.emplace_back(start.data.begin(),
                               start.data.begin() + static_cast<std::ptrdiff_t>(size));
        }
        for (std::size_t bit = 0; bit < 8 * start.data.size(); ++bit) {
            wrong.push_back(start.data);
            wrong.back()[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
        }
        wrong.push_back(start.data);
        wrong.back().push_back(std::byte{0});
        changes_nothing(scene, [&] {
            for (const Buffer& data : wrong) {
                auto exchange = scene.authenticator->begin(login_entropy());
                const LoginStep step = exchange->start({std::string{token_mechanism},
                                                        data,
                                                        scene.at_server,
                                                        device_id(1),
                                                        {},
                                                        scene.now});
                const auto* refused = std::get_if<LoginRefused>(&step);
                REQUIRE(refused != nullptr);
                REQUIRE(refused->errc == Errc::token_refused);
            }
        });
        CHECK(std::holds_alternative<LoginAccepted>(scene.begin(start)));
    }
}

TEST_CASE("without a channel binding no token is asked for or believed", "[auth]") {
    Scene scene;
    TestLogin client = settled(scene);
    scene.connect();
    SECTION("at the client") {
        CHECK(client.start({}, device_id(1), login_entropy()).error() == Errc::internal_error);
        CHECK_FALSE(client.finish({}));
    }
    SECTION("at both ends, which are wrong in the same way") {
        const TokenLogin login =
            make_token_login<ReferenceCrypto>("ada", device_id(1), *client.token(), {});
        scene.at_server = {};
        changes_nothing(scene, [&] {
            const LoginStep step =
                scene.begin({std::string{token_mechanism}, encode_token_claim(login.claim), true});
            REQUIRE(std::holds_alternative<LoginRefused>(step));
            // The token may be good, so the client is not told to forget it.
            CHECK(std::get<LoginRefused>(step).errc == Errc::login_failed);
        });
    }
}

TEST_CASE("a stranger with a token learns nothing about who and what exists", "[auth]") {
    Scene scene;
    TestLogin client = settled(scene);
    REQUIRE(scene.log_in(client).verified);
    scene.book->disable("bob");
    std::vector<LoginOutcome> outcomes;
    for (const std::string_view user : {"ada", "bob", "eve"}) {
        for (const unsigned device : {1u, 9u}) {
            for (const std::uint64_t generation : {1u, 2u, 3u, 9u}) {
                scene.client_says = scene.server_sees = device_id(device);
                TestLogin guess = holder(user, {generation, Secret{Buffer(32)}});
                outcomes.push_back(scene.log_in(guess));
            }
        }
    }
    for (const LoginOutcome& outcome : outcomes) {
        CHECK(refused_with(outcome, Errc::token_refused));
        CHECK(outcome.server_hashes == outcomes[0].server_hashes);
    }
    CHECK(outcomes[0].server_hashes == 3);
}
