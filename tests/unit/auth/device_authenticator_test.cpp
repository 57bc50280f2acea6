#include "quicchat/auth/device_authenticator.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "device_scene.hpp"

using namespace quicchat;
using namespace quicchat::test;

using Scene = LoginScene;
TEST_CASE("a device that logs in by password", "[auth]") {
    Scene scene;
    TestLogin client = ada();

    SECTION("gets a token, and logs in by it in one flight") {
        const LoginOutcome first = scene.log_in(client);
        CHECK(first.steps == "cat");
        CHECK(first.verified);
        CHECK(first.user == "Ada");
        REQUIRE(first.token);
        CHECK(first.token->generation == 1);
        CHECK(client.start(scene.at_client, device_id(1), login_entropy()).value().one_flight);

        const LoginOutcome second = scene.log_in(client);
        CHECK(second.steps == "at");
        CHECK(second.verified);
        CHECK(second.user == "Ada");
        CHECK(second.token.value().generation == 2);
        CHECK(scene.exchange->claimed_user() == "ada");
    }
    SECTION("leaves the server with keys, not with the token") {
        const DeviceToken token = scene.log_in(client).token.value();
        CHECK(scene.device()->next == derive_token_keys<ReferenceCrypto>(token));
    }
    SECTION("gets no token if it does not say which device it is") {
        scene.client_says = scene.server_sees = {};
        CHECK(scene.log_in(client).steps == "ca");
        CHECK_FALSE(scene.exchange->waits());
        CHECK(scene.book->devices("ada").empty());
    }
    SECTION("gets none with a wrong password") {
        TestLogin guess = TestLogin::create("ada", password_login("ada", "guess")).value();
        CHECK(scene.log_in(guess).steps == "cr");
        CHECK(scene.book->devices("ada").empty());
    }
    SECTION("ends all tokens that it had, and their numbers go on") {
        const DeviceToken current = scene.log_in(client).token.value();
        const DeviceToken next = scene.log_in(client).token.value();
        TestLogin anew = ada();
        CHECK(scene.log_in(anew).token.value().generation == 3);
        TestLogin again = ada();
        CHECK(scene.log_in(again).token.value().generation == 4);
        for (const DeviceToken& old : {current, next, *anew.token()}) {
            TestLogin thief = holder("ada", old);
            CHECK(refused_with(scene.log_in(thief), Errc::token_refused));
        }
        CHECK(scene.log_in(again).steps == "at");
    }
    SECTION("gets other bytes than other devices and other logins") {
        const Secret first = scene.log_in(client).token.value().key;
        TestLogin again = ada();
        const Secret second = scene.log_in(again).token.value().key;
        CHECK_FALSE(equal_in_constant_time(first.view(), second.view()));
        CHECK(first.view().size() == 32);
    }
}

TEST_CASE("a device's tokens rotate", "[auth]") {
    Scene scene;
    TestLogin client = settled(scene);

    SECTION("through many logins and restarts of the server") {
        for (std::uint64_t generation = 3; generation < 20; ++generation) {
            if (generation % 3 == 0) scene.restart();
            const LoginOutcome outcome = scene.log_in(client);
            REQUIRE(outcome.verified);
            REQUIRE(outcome.token.value().generation == generation);
            REQUIRE(scene.device()->current.generation == generation - 1);
            REQUIRE(scene.device()->previous->generation == generation - 2);
        }
    }
    SECTION("and a lost answer locks nobody out") {
        scene.lose_tokens = true;
        for (std::uint64_t generation = 3; generation < 6; ++generation) {
            // The device shows its token 2 again: it never heard of 3 and 4.
            const LoginOutcome outcome = scene.log_in(client);
            REQUIRE(outcome.verified);
            REQUIRE(outcome.token.value().generation == generation);
            REQUIRE(scene.device()->current.generation == 2);
        }
        scene.lose_tokens = false;
        CHECK(scene.log_in(client).verified);
        CHECK(scene.log_in(client).verified);
        CHECK(scene.device()->current.generation == 6);
    }
    SECTION("and one that was replaced without being used never comes back") {
        scene.lose_tokens = true;
        const DeviceToken unused = scene.log_in(client).token.value();
        scene.log_in(client);
        TestLogin late = holder("ada", unused);
        changes_nothing(scene,
                        [&] { CHECK(refused_with(scene.log_in(late), Errc::token_refused)); });
    }
    SECTION("and one that is shown after its successor removes the device") {
        const DeviceToken copied = *client.token();
        REQUIRE(scene.log_in(client).verified);  // uses 2, gets 3
        REQUIRE(scene.log_in(client).verified);  // uses 3: now 2 is replaced
        TestLogin thief = holder("ada", copied);
        scene.restart();
        const LoginOutcome caught = scene.log_in(thief);
        CHECK(refused_with(caught, Errc::token_refused));
        CHECK(caught.refused->device_removed);
        CHECK_FALSE(scene.device());
        // The owner has to give the password, and then goes on as before.
        CHECK(refused_with(scene.log_in(client), Errc::token_refused));
        CHECK(client.recover(Errc::token_refused));
        CHECK(scene.log_in(client).steps == "cat");
        CHECK(scene.log_in(client).steps == "at");
        CHECK_FALSE(thief.recover(Errc::token_refused));
    }
    SECTION("and a thief who comes first is locked out by the owner's password") {
        TestLogin thief = holder("ada", *client.token());
        REQUIRE(scene.log_in(thief).verified);
        REQUIRE(scene.log_in(thief).verified);
        const LoginOutcome owner = scene.log_in(client);
        CHECK(owner.refused.value().device_removed);
        CHECK(client.recover(owner.refused->errc));
        CHECK(scene.log_in(client).verified);
        CHECK(refused_with(scene.log_in(thief), Errc::token_refused));
    }
}

TEST_CASE("a token that is not safe at the server yet", "[auth]") {
    Scene scene;

    SECTION("is not handed out before it is, whatever the time") {
        TestLogin client = ada();
        scene.book->hold_saves();
        LoginOutcome outcome = scene.log_in(client);
        CHECK(outcome.steps == "ca");
        CHECK(outcome.verified);
        CHECK(scene.exchange->waits());
        CHECK(scene.exchange->deadline().value() > scene.now.steady);
        scene.pass(std::chrono::hours{1});
        scene.poll(client, outcome);
        CHECK(outcome.steps == "ca");
        scene.book->release_saves();
        scene.poll(client, outcome);
        CHECK(outcome.steps == "cat");
        CHECK_FALSE(scene.exchange->waits());
        CHECK_FALSE(scene.exchange->deadline());
        CHECK(scene.log_in(client).steps == "at");
    }
    SECTION("is to be asked for at once") {
        TestLogin client = ada();
        scene.connect();
        const auto start = client.start(scene.at_client, device_id(1), login_entropy()).value();
        const Buffer challenge = std::get<LoginChallenge>(scene.begin(start)).data;
        CHECK_FALSE(scene.exchange->waits());
        CHECK_FALSE(scene.exchange->deadline());
        scene.exchange->respond(client.respond(challenge).value().value());
        CHECK(scene.exchange->waits());
        CHECK(scene.exchange->deadline().value() <= scene.now.steady);
    }
    SECTION("does not count after a crash: what the device has is good") {
        TestLogin client = settled(scene);
        scene.book->hold_saves();
        CHECK(scene.log_in(client).steps == "a");
        CHECK(scene.device()->current.generation == 2);
        scene.book->lose_saves();
        scene.restart();
        CHECK(scene.device()->current.generation == 1);
        CHECK(scene.log_in(client).steps == "at");
        CHECK(scene.device()->current.generation == 2);
        CHECK(scene.log_in(client).steps == "at");
    }
    SECTION("does not count after a crash at the first login either") {
        TestLogin client = ada();
        scene.book->hold_saves();
        CHECK(scene.log_in(client).steps == "ca");
        scene.book->lose_saves();
        scene.restart();
        CHECK_FALSE(client.token());
        CHECK(scene.log_in(client).steps == "cat");
    }
    SECTION("is good after a crash if it was saved, though it was not handed out") {
        TestLogin client = settled(scene);
        scene.lose_tokens = true;
        const DeviceToken before = *client.token();
        REQUIRE(scene.log_in(client).token);
        scene.restart();
        scene.lose_tokens = false;
        TestLogin restarted = ada(before);
        CHECK(scene.log_in(restarted).steps == "at");
        CHECK(scene.log_in(restarted).steps == "at");
    }
    SECTION("is not handed out any more if the device was revoked meanwhile") {
        TestLogin client = ada();
        scene.book->hold_saves();
        LoginOutcome outcome = scene.log_in(client);
        scene.book->remove_device("Ada", device_id(1));
        scene.book->release_saves();
        scene.poll(client, outcome);
        CHECK(outcome.steps == "ca");
        CHECK_FALSE(scene.exchange->waits());
    }
    SECTION("is not handed out if another login of the device was faster") {
        TestLogin client = settled(scene);
        scene.book->hold_saves();
        LoginOutcome slow = scene.log_in(client);
        const auto forgotten = std::move(scene.exchange);
        LoginOutcome outcome = scene.log_in(client);
        scene.book->release_saves();
        CHECK_FALSE(forgotten->poll(scene.now));
        CHECK_FALSE(forgotten->waits());
        scene.poll(client, outcome);
        CHECK(outcome.steps == "at");
        CHECK(scene.log_in(client).steps == "at");
    }
    SECTION("is forgotten with the exchange") {
        TestLogin client = settled(scene);
        scene.book->hold_saves();
        REQUIRE(scene.log_in(client).steps == "a");
        CHECK(std::holds_alternative<LoginRefused>(scene.exchange->respond({})));
        CHECK_FALSE(scene.exchange->waits());
        scene.book->release_saves();
        CHECK_FALSE(scene.exchange->poll(scene.now));
    }
}

TEST_CASE("a login by password that was begun before the account was changed", "[auth]") {
    Scene scene;
    TestLogin client = ada();
    scene.connect();
    const auto start = client.start(scene.at_client, device_id(1), login_entropy()).value();
    const Buffer challenge = std::get<LoginChallenge>(scene.begin(start)).data;
    const Buffer proof = client.respond(challenge).value().value();
    bool refused = true;

    SECTION("is refused with the old password") {
        scene.book->replace_verifier("ada", test_verifier("other"));
    }
    SECTION("is refused if the account is disabled") { scene.book->disable("ada"); }
    SECTION("is refused if the account is gone") { scene.book->remove("ada"); }
    SECTION("goes on if it was another account") {
        scene.book->replace_verifier("bob", test_verifier("other"));
        refused = false;
    }
    CHECK(std::holds_alternative<LoginRefused>(scene.exchange->respond(proof)) == refused);
    CHECK(scene.book->devices("ada").empty() == refused);
}

TEST_CASE("an exchange with tokens", "[auth]") {
    Scene scene;
    TestLogin client = settled(scene);
    const auto refuses = [](const LoginStep& step) {
        return std::holds_alternative<LoginRefused>(step);
    };
    scene.connect();
    const LoginStart start = client.start(scene.at_client, device_id(1), login_entropy()).value();

    SECTION("is good for one login") {
        REQUIRE_FALSE(refuses(scene.begin(start)));
        CHECK(refuses(scene.begin(start)));
        CHECK(refuses(scene.exchange->respond(start.data)));
        CHECK_FALSE(scene.exchange->waits());
    }
    SECTION("knows no other mechanism") {
        for (const std::string_view name : {"NAME-ONLY", "PLAIN", "", "quicchat-token"}) {
            scene.connect();
            CHECK(refuses(scene.begin({std::string{name}, start.data, true})));
            CHECK(refuses(scene.begin(start)));
        }
    }
    SECTION("refuses an answer before the start, and polls nothing") {
        CHECK_FALSE(scene.exchange->poll(scene.now));
        CHECK_FALSE(scene.exchange->waits());
        CHECK(refuses(scene.exchange->respond(start.data)));
        CHECK(refuses(scene.begin(start)));
    }
    SECTION("outlives its authenticator") {
        scene.authenticator.reset();
        CHECK_FALSE(refuses(scene.begin(start)));
        CHECK(scene.exchange->poll(scene.now));
    }
}
