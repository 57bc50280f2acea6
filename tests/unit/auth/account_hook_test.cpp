#include "quicchat/auth/account_hook.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "device_scene.hpp"
#include "quicchat/auth/deferred_hook.hpp"

using namespace quicchat;
using namespace quicchat::test;

using Scene = LoginScene;
namespace {

/// Answers at once, always the same.
class PromptHook : public AccountHook {
public:
    explicit PromptHook(HookDecision decision) : decision_(std::move(decision)) {}
    HookTicket ask(const AccountQuestion&, Now) override { return HookTicket{1}; }
    std::optional<HookDecision> poll(HookTicket, Now) override { return decision_; }
    void cancel(HookTicket) override {}

private:
    HookDecision decision_;
};
AccountQuestion question_of(std::string_view user) {
    AccountQuestion question;
    question.user = user;
    return question;
}

/// A login whose questions are answered with `decision`.
LoginOutcome log_in_with(Scene& scene, DeferredHook& hook, TestLogin& client,
                         const HookDecision& decision) {
    LoginOutcome outcome = scene.log_in(client);
    while (const auto asked = hook.poll_question()) {
        CHECK(hook.answer(asked->ticket, decision));
        scene.poll(client, outcome);
    }
    return outcome;
}

}  // namespace

TEST_CASE("a server with a hook", "[auth]") {
    DeferredHook hook;
    Scene scene{std::make_shared<DeferredHook>(hook)};
    TestLogin client = ada();

    SECTION("asks who may log in, and waits for the answer") {
        LoginOutcome outcome = scene.log_in(client);
        CHECK(outcome.steps == "p");
        CHECK(scene.exchange->waits());
        CHECK(scene.exchange->deadline() == scene.now.steady + std::chrono::seconds{5});
        const DeferredQuestion asked = hook.poll_question().value();
        CHECK(asked.question.user == "ada");
        CHECK(asked.question.device == device_id(1));
        CHECK(asked.question.peer_address == "[::1]:4433");
        CHECK(asked.question.mechanism == "SCRAM-SHA-256-PLUS");
        CHECK(hook.answer(asked.ticket, UseOwnAccounts{}));
        scene.poll(client, outcome);
        CHECK(outcome.steps == "pcat");
        CHECK(outcome.user == "Ada");
    }
    SECTION("asks about a token too, once it is proven") {
        REQUIRE(log_in_with(scene, hook, client, UseOwnAccounts{}).token);
        TestLogin guess = holder("ada", {1, Secret{Buffer(32)}});
        CHECK(scene.log_in(guess).steps == "r");
        CHECK_FALSE(hook.poll_question());

        LoginOutcome outcome = scene.log_in(client);
        CHECK(outcome.steps == "p");
        CHECK(scene.device()->current.generation == 0);
        const DeferredQuestion asked = hook.poll_question().value();
        CHECK(asked.question.mechanism == "QUICCHAT-TOKEN");
        hook.answer(asked.ticket, UseOwnAccounts{});
        scene.poll(client, outcome);
        CHECK(outcome.steps == "pat");
        CHECK(outcome.verified);
        CHECK(scene.device()->current.generation == 1);
    }
    SECTION("looks again at a token when the answer comes") {
        REQUIRE(log_in_with(scene, hook, client, UseOwnAccounts{}).token);
        LoginOutcome outcome = scene.log_in(client);
        const DeferredQuestion asked = hook.poll_question().value();
        hook.answer(asked.ticket, UseOwnAccounts{});
        scene.book->remove_device("ada", device_id(1));
        scene.poll(client, outcome);
        CHECK(refused_with(outcome, Errc::token_refused));
    }
    SECTION("lets in a user of whom only the hook knows, and the user's device") {
        TestLogin zoe = TestLogin::create("zoe", password_login("zoe", "quill")).value();
        const Account account{"Zoe", test_verifier("quill", 7)};
        const LoginOutcome first = log_in_with(scene, hook, zoe, account);
        CHECK(first.steps == "pcat");
        CHECK(first.user == "Zoe");
        const LoginOutcome second = log_in_with(scene, hook, zoe, account);
        CHECK(second.steps == "pat");
        CHECK(second.user == "Zoe");
        CHECK(refused_with(log_in_with(scene, hook, zoe, UseOwnAccounts{}), Errc::token_refused));
    }
    SECTION("lets nobody in under another's name") {
        const Account bob{"Bob", test_verifier("pencil")};
        CHECK(log_in_with(scene, hook, client, bob).steps == "pcr");
        REQUIRE(log_in_with(scene, hook, client, UseOwnAccounts{}).token);
        CHECK(log_in_with(scene, hook, client, bob).steps == "pr");
    }
    SECTION("refuses if there is no answer in time, and the token stays good") {
        REQUIRE(log_in_with(scene, hook, client, UseOwnAccounts{}).token);
        for (const bool by_token : {false, true}) {
            TestLogin late = by_token ? std::move(client) : ada();
            LoginOutcome outcome = scene.log_in(late);
            const DeferredQuestion asked = hook.poll_question().value();
            scene.pass(std::chrono::milliseconds{4999});
            scene.poll(late, outcome);
            CHECK(outcome.steps == "p");
            scene.pass(std::chrono::milliseconds{1});
            scene.poll(late, outcome);
            CHECK(refused_with(outcome, Errc::login_failed));
            CHECK_FALSE(scene.exchange->waits());
            CHECK_FALSE(hook.answer(asked.ticket, UseOwnAccounts{}));
            CHECK_FALSE(scene.exchange->poll(scene.now));
            CHECK_FALSE(late.recover(outcome.refused->errc));
            if (by_token) CHECK(log_in_with(scene, hook, late, UseOwnAccounts{}).steps == "pat");
        }
    }
    SECTION("refuses what comes while it waits, and asks no more") {
        scene.log_in(client);
        CHECK(std::holds_alternative<LoginRefused>(scene.exchange->respond({})));
        CHECK(hook.open_questions() == 0);
        CHECK_FALSE(scene.exchange->waits());
    }
    SECTION("takes its question back when the client is gone") {
        scene.log_in(client);
        CHECK(hook.open_questions() == 1);
        scene.exchange.reset();
        CHECK(hook.open_questions() == 0);
        CHECK_FALSE(hook.poll_question());
    }
    SECTION("outlives its hook's last handle but one, and its authenticator") {
        LoginOutcome outcome = scene.log_in(client);
        scene.authenticator.reset();
        hook.answer(hook.poll_question()->ticket, UseOwnAccounts{});
        scene.poll(client, outcome);
        CHECK(outcome.steps == "pcat");
    }
}

TEST_CASE("a hook that answers at once makes nobody wait", "[auth]") {
    LoginScene scene{std::make_shared<PromptHook>(UseOwnAccounts{})};
    TestLogin client = ada();
    CHECK(scene.log_in(client).steps == "cat");
    CHECK(scene.log_in(client).steps == "at");
}

TEST_CASE("a user whom a hook refuses", "[auth]") {
    DeferredHook hook;
    Scene scene{std::make_shared<DeferredHook>(hook)};

    SECTION("looks like one who does not exist") {
        std::vector<LoginOutcome> outcomes;
        for (const std::string_view user : {"ada", "eve"}) {
            for (const HookDecision& decision :
                 {HookDecision{RefuseLogin{}}, HookDecision{UseOwnAccounts{}},
                  HookDecision{Account{std::string{user}, test_verifier("x"), false}}}) {
                const bool allowed = std::holds_alternative<UseOwnAccounts>(decision);
                // Ada has the right password where the hook refuses.
                TestLogin client =
                    TestLogin::create(user, password_login(user, allowed ? "guess" : "pencil"))
                        .value();
                outcomes.push_back(log_in_with(scene, hook, client, decision));
            }
        }
        for (const LoginOutcome& outcome : outcomes) {
            CHECK(outcome.steps == "pcr");
            CHECK(outcome.refused.value().errc == Errc::login_failed);
            CHECK(outcome.server_hashes == outcomes[0].server_hashes);
        }
        CHECK(scene.book->devices("ada").empty());
    }
    SECTION("gets the same challenge each time, and the own account's salt if there is one") {
        const auto challenge = [&](std::string_view user, const HookDecision& decision) {
            scene.connect();
            PasswordLogin client = password_login(user, "pencil");
            const LoginStart start = client.start(scene.at_client, {}, login_entropy()).value();
            REQUIRE(std::holds_alternative<LoginPending>(scene.begin(start)));
            hook.answer(hook.poll_question().value().ticket, decision);
            LoginStep step = scene.exchange->poll(scene.now).value();
            return std::get<LoginChallenge>(step).data;
        };
        CHECK(challenge("ada", RefuseLogin{}) == challenge("ada", UseOwnAccounts{}));
        CHECK(challenge("eve", RefuseLogin{}) == challenge("eve", UseOwnAccounts{}));
        const Account zoe{"zoe", test_verifier("quill", 7)};
        Account locked = zoe;
        locked.enabled = false;
        CHECK(challenge("zoe", zoe) == challenge("zoe", locked));
    }
    SECTION("is refused with a token as well") {
        TestLogin client = ada();
        REQUIRE(log_in_with(scene, hook, client, UseOwnAccounts{}).token);
        const Account locked{"Ada", test_verifier("pencil"), false};
        for (const HookDecision& decision : {HookDecision{RefuseLogin{}}, HookDecision{locked}}) {
            changes_nothing(scene, [&] {
                const LoginOutcome outcome = log_in_with(scene, hook, client, decision);
                CHECK(outcome.steps == "pr");
                CHECK(refused_with(outcome, Errc::token_refused));
            });
        }
    }
    SECTION("is the one of whom it says nothing: refusing is the default") {
        TestLogin client = ada();
        CHECK(log_in_with(scene, hook, client, HookDecision{}).steps == "pcr");
    }
}

TEST_CASE("a flood of logins", "[auth]") {
    DeferredHook hook{10};
    Scene scene{std::make_shared<DeferredHook>(hook)};
    TestLogin client = ada();
    REQUIRE(log_in_with(scene, hook, client, UseOwnAccounts{}).token);
    std::vector<std::unique_ptr<LoginExchange>> waiting;
    for (int i = 0; i < 10; ++i) {
        TestLogin stranger = TestLogin::create("eve", password_login("eve", "x")).value();
        REQUIRE(scene.log_in(stranger).steps == "p");
        waiting.push_back(std::move(scene.exchange));
    }

    SECTION("is refused at once, and costs nobody a token") {
        TestLogin stranger = TestLogin::create("eve", password_login("eve", "x")).value();
        CHECK(refused_with(scene.log_in(stranger), Errc::login_failed));
        const LoginOutcome outcome = scene.log_in(client);
        CHECK(outcome.steps == "r");
        CHECK(refused_with(outcome, Errc::login_failed));
        CHECK(hook.open_questions() == 10);
    }
    SECTION("is over when its connections are") {
        waiting.pop_back();
        CHECK(hook.open_questions() == 9);
        CHECK(scene.log_in(client).steps == "p");
        waiting.clear();
        CHECK(hook.poll_question()->question.user == "ada");
        CHECK_FALSE(hook.poll_question());
    }
}

TEST_CASE("questions that are left to the application", "[auth]") {
    DeferredHook hook{3};
    DeferredHook application = hook;
    const HookTicket first = hook.ask(question_of("a"), {});
    const HookTicket second = hook.ask(question_of("b"), {});

    SECTION("are taken once, the oldest first") {
        CHECK(application.poll_question()->question.user == "a");
        const HookTicket third = hook.ask(question_of("c"), {});
        CHECK(application.poll_question()->ticket == second);
        CHECK(application.poll_question()->ticket == third);
        CHECK_FALSE(application.poll_question());
    }
    SECTION("have one answer, which is given once") {
        CHECK_FALSE(hook.poll(first, {}));
        CHECK(application.answer(first, UseOwnAccounts{}));
        CHECK_FALSE(application.answer(first, RefuseLogin{}));
        CHECK(std::holds_alternative<UseOwnAccounts>(hook.poll(first, {}).value()));
        CHECK_FALSE(application.answer(first, RefuseLogin{}));
        CHECK(std::holds_alternative<HookUnavailable>(hook.poll(first, {}).value()));
        CHECK_FALSE(hook.poll(second, {}));
    }
    SECTION("are gone when they are cancelled") {
        hook.cancel(first);
        hook.cancel(first);
        CHECK_FALSE(application.answer(first, UseOwnAccounts{}));
        CHECK(application.poll_question()->ticket == second);
        CHECK(application.open_questions() == 1);
    }
    SECTION("are bounded") {
        hook.ask(question_of("c"), {});
        const HookTicket beyond = hook.ask(question_of("d"), {});
        CHECK(std::holds_alternative<HookUnavailable>(hook.poll(beyond, {}).value()));
        CHECK_FALSE(application.answer(beyond, UseOwnAccounts{}));
        hook.cancel(beyond);
        CHECK(application.open_questions() == 3);
    }
}
