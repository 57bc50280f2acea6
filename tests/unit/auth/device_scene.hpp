#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/device_login.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "reference_crypto.hpp"

// A server with devices and the logins at it, for the tests of tokens and hooks.

namespace quicchat::test {

/// Counts what costs time.
struct CountedCrypto {
    static Digest sha256(BytesView data) { return ++hashes, ReferenceCrypto::sha256(data); }
    static Digest hmac_sha256(BytesView key, BytesView data) {
        return ++hashes, ReferenceCrypto::hmac_sha256(key, data);
    }
    static Digest pbkdf2_hmac_sha256(BytesView password, BytesView salt, std::uint32_t iterations) {
        return ReferenceCrypto::pbkdf2_hmac_sha256(password, salt, iterations);
    }
    static inline int hashes = 0;
};

using TestLogin = DeviceLogin<CountedCrypto>;
using PasswordLogin = ScramLogin<CountedCrypto>;

inline Buffer login_entropy(unsigned number = 1) {
    return Buffer(login_entropy_bytes, static_cast<std::byte>(number));
}

inline DeviceId device_id(unsigned number) {
    DeviceId id;
    id.bytes.fill(static_cast<std::byte>(number));
    return id;
}

inline Verifier test_verifier(std::string_view password, unsigned salt_number = 1) {
    ScramSalt salt{};
    salt.fill(static_cast<std::byte>(salt_number));
    return make_verifier<ReferenceCrypto>(password, salt, 4096).value();
}

inline PasswordLogin password_login(std::string_view user, std::string_view password) {
    ScramLoginOptions options;
    options.iterations = {4096, 600'000};
    return PasswordLogin::create(user, password, options).value();
}

/// What one login came to.
struct LoginOutcome {
    bool accepted = false;  ///< By the server.
    bool verified = false;  ///< By the client.
    std::string user;
    std::optional<LoginRefused> refused;
    std::optional<DeviceToken>
        token;          ///< Issued, and given to the client unless it was to be lost.
    std::string steps;  ///< c(hallenge) a(ccepted) r(efused) p(ending) t(oken)
    int server_hashes = 0;
};

/// A server, and the connections to it: each has a binding of its own.
class LoginScene {
    /// Does something and counts what the server hashes in it.
    template <class Action>
    static auto counted(LoginOutcome& outcome, Action action) {
        const int before = CountedCrypto::hashes;
        auto step = action();
        outcome.server_hashes += CountedCrypto::hashes - before;
        return step;
    }

public:
    explicit LoginScene(std::shared_ptr<AccountHook> hook = {}, std::uint64_t seed = 0)
        : hook_(std::move(hook)), seed_(seed) {
        (void)book->add("Ada", test_verifier("pencil"));
        (void)book->add("Bob", test_verifier("crayon", 2));
        restart();
    }

    /// The server begins anew with the same book.
    void restart() {
        authenticator.emplace(book, as_bytes("a secret of enough bytes"), Entropy::seeded(++seed_),
                              hook_);
    }

    /// A connection of its own, the same at both ends.
    void connect() {
        ChannelBinding binding{};
        binding.fill(static_cast<std::byte>(++connections_ % 255 + 1));
        at_client = at_server = binding;
        exchange = authenticator->begin(login_entropy(2));
    }

    LoginStep begin(const LoginStart& start) {
        return exchange->start(
            {start.mechanism, start.data, at_server, server_sees, "[::1]:4433", now});
    }

    /// A whole login, up to the token or until something waits.
    LoginOutcome log_in(TestLogin& client) {
        connect();
        return log_in_here(client);
    }

    LoginOutcome log_in_here(TestLogin& client) {
        LoginOutcome outcome;
        const Result<LoginStart> start = client.start(at_client, client_says, login_entropy());
        if (!start) return outcome;
        apply(client, outcome, counted(outcome, [&] { return begin(*start); }));
        poll(client, outcome);
        return outcome;
    }

    /// Takes what the server was waiting for.
    void poll(TestLogin& client, LoginOutcome& outcome) {
        while (exchange->waits()) {
            std::optional<LoginStep> step = counted(outcome, [&] { return exchange->poll(now); });
            if (!step) return;
            apply(client, outcome, std::move(step));
        }
    }

    std::optional<Device> device(std::string_view user = "ada") const {
        return book->find_device(user, server_sees).value();
    }

    void pass(Duration duration) {
        now.steady += duration;
        now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(duration);
    }

    std::shared_ptr<MemoryAccounts> book = std::make_shared<MemoryAccounts>();
    std::optional<DeviceAuthenticator<CountedCrypto>> authenticator;
    std::unique_ptr<LoginExchange> exchange;
    Now now{TimePoint{std::chrono::hours{1}}, WallTime{std::chrono::hours{500'000}}};
    ChannelBinding at_client{};
    ChannelBinding at_server{};
    DeviceId client_says = device_id(1);
    DeviceId server_sees = device_id(1);
    bool lose_tokens = false;  ///< On their way to the client.

private:
    /// Takes the steps of the server until it has nothing more to say.
    void apply(TestLogin& client, LoginOutcome& outcome, std::optional<LoginStep> step) {
        while (step) step = apply_one(client, outcome, *std::exchange(step, std::nullopt));
    }

    std::optional<LoginStep> apply_one(TestLogin& client, LoginOutcome& outcome, LoginStep step) {
        if (auto* asked = std::get_if<LoginChallenge>(&step)) {
            outcome.steps += 'c';
            const Result<std::optional<Buffer>> answer = client.respond(asked->data);
            if (answer) return counted(outcome, [&] { return exchange->respond(**answer); });
        } else if (auto* accepted = std::get_if<LoginAccepted>(&step)) {
            outcome.steps += 'a';
            outcome.accepted = true;
            outcome.user = accepted->user;
            outcome.verified = client.finish(accepted->data).has_value();
        } else if (auto* refused = std::get_if<LoginRefused>(&step)) {
            outcome.steps += 'r';
            outcome.refused = *refused;
        } else if (auto* issued = std::get_if<TokenIssued>(&step)) {
            outcome.steps += 't';
            outcome.token = DeviceToken{issued->generation, Secret{issued->key}};
            if (!lose_tokens) client.keep(*outcome.token);
        } else {
            outcome.steps += 'p';
        }
        return std::nullopt;
    }

    std::shared_ptr<AccountHook> hook_;
    std::uint64_t seed_;
    unsigned connections_ = 0;
};

/// Ada with her password, and with a token if she has one.
inline TestLogin ada(std::optional<DeviceToken> token = {}) {
    return TestLogin::create("ada", password_login("ada", "pencil"), std::move(token)).value();
}

/// Somebody with nothing but a token.
inline TestLogin holder(std::string_view user, const DeviceToken& token) {
    return TestLogin::create(user, std::nullopt, token).value();
}

/// Ada's device after a login by password and one by the token that it gave: the current token is 1
/// and the next 2, which the client has.
inline TestLogin settled(LoginScene& scene) {
    TestLogin client = ada();
    REQUIRE(scene.log_in(client).steps == "cat");
    REQUIRE(scene.log_in(client).steps == "at");
    return client;
}

/// Nothing about any device of Ada is different after this.
template <class Action>
void changes_nothing(LoginScene& scene, Action action) {
    const auto before = scene.book->devices("ada");
    const SaveTicket saved = scene.book->saved();
    action();
    CHECK(scene.book->devices("ada") == before);
    CHECK(scene.book->saved() == saved);
}

inline bool refused_with(const LoginOutcome& outcome, Errc errc) {
    return !outcome.accepted && outcome.refused && outcome.refused->errc == errc;
}

}  // namespace quicchat::test
