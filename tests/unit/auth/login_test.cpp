#include "quicchat/auth/login.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/name_login.hpp"
#include "quicchat/auth/scram_login.hpp"
#include "reference_crypto.hpp"

using namespace quicchat;
using test::ReferenceCrypto;

namespace {

/// Counts what costs time.
struct CountingCrypto {
    static Digest sha256(BytesView data) { return ++hashes, ReferenceCrypto::sha256(data); }
    static Digest hmac_sha256(BytesView key, BytesView data) {
        return ++hashes, ReferenceCrypto::hmac_sha256(key, data);
    }
    static Digest pbkdf2_hmac_sha256(BytesView password, BytesView salt, std::uint32_t iterations) {
        return ++slow_hashes, ReferenceCrypto::pbkdf2_hmac_sha256(password, salt, iterations);
    }
    static inline int hashes = 0;
    static inline int slow_hashes = 0;
};

using Login = ScramLogin<CountingCrypto>;
using ServerSide = ScramAuthenticator<CountingCrypto>;
const ScramIterationRange low_iterations{4096, 600'000};

Login login(std::string_view user, std::string_view password,
            std::shared_ptr<ClientKeyCache> cache = nullptr) {
    return Login::create(user, password, {std::move(cache), low_iterations}).value();
}

struct TestServer {
    TestServer() {
        const auto add = [&](std::string_view name, std::string_view password) {
            ScramSalt salt{};
            salt[0] = static_cast<std::byte>(name[0]);
            const auto verifier = make_verifier<ReferenceCrypto>(password, salt, 4096);
            REQUIRE(accounts->add(name, verifier.value()));
        };
        add("Ada", "pencil");
        add("Bob", "pencil");
    }
    std::shared_ptr<AccountStore> accounts = std::make_shared<AccountStore>();
    ServerSide authenticator{accounts, as_bytes("a secret of enough bytes")};
};

Buffer entropy(unsigned number) {
    return Buffer(login_entropy_bytes, static_cast<std::byte>(number));
}

ChannelBinding binding(unsigned number = 1) {
    ChannelBinding result{};
    result.fill(static_cast<std::byte>(number));
    return result;
}

/// What one connection came to.
struct Outcome {
    bool accepted = false;           ///< by the server
    bool verified = false;           ///< by the client
    std::string user;                ///< at the server
    std::vector<std::size_t> sizes;  ///< of the server's messages
    int server_hashes = 0;
};

/// One connection, whose ends see these bindings.
Outcome connect(Login& client, ServerSide& server, const ChannelBinding& at_client,
                const ChannelBinding& at_server) {
    Outcome outcome;
    auto exchange = server.begin(entropy(2));
    const Result<LoginStart> start = client.start(at_client, {}, entropy(1));
    if (!start) return outcome;
    CHECK(start->mechanism == "SCRAM-SHA-256-PLUS");
    int before = CountingCrypto::hashes;
    LoginStep step = exchange->start({start->mechanism, start->data, at_server});
    outcome.server_hashes += CountingCrypto::hashes - before;
    REQUIRE(std::holds_alternative<LoginChallenge>(step));
    outcome.sizes.push_back(std::get<LoginChallenge>(step).data.size());
    const auto proof = client.respond(std::get<LoginChallenge>(step).data);
    if (!proof) return outcome;
    before = CountingCrypto::hashes;
    step = exchange->respond(**proof);
    outcome.server_hashes += CountingCrypto::hashes - before;
    if (const auto* accepted = std::get_if<LoginAccepted>(&step)) {
        outcome.accepted = true;
        outcome.user = accepted->user;
        outcome.verified = client.finish(accepted->data).has_value();
    } else {
        CHECK(std::holds_alternative<LoginRefused>(step));
    }
    return outcome;
}

}  // namespace

TEST_CASE("a login by password", "[auth]") {
    TestServer server;

    SECTION("is accepted, under the name as it was registered") {
        Login client = login("ADA", "pencil");
        const Outcome outcome = connect(client, server.authenticator, binding(), binding());
        CHECK(outcome.accepted);
        CHECK(outcome.verified);
        CHECK(outcome.user == "Ada");
    }
    SECTION("is refused with another password") {
        Login client = login("Ada", "Pencil");
        CHECK_FALSE(connect(client, server.authenticator, binding(), binding()).accepted);
    }
    SECTION("is refused if somebody sits between, with two connections") {
        Login client = login("Ada", "pencil");
        CHECK_FALSE(connect(client, server.authenticator, binding(1), binding(2)).accepted);
    }
    SECTION("does not begin on a connection whose exporter failed") {
        Login client = login("Ada", "pencil");
        CHECK_FALSE(client.start(ChannelBinding{}, {}, entropy(1)));
        CHECK_FALSE(client.respond(as_bytes("r=x")));
        CHECK_FALSE(client.finish(as_bytes("v=x")));
    }
    SECTION("cannot be made of what is no name or password") {
        CHECK(Login::create("a b", "x").error() == Errc::invalid_name);
        CHECK(Login::create("", "x").error() == Errc::invalid_name);
        CHECK(Login::create("ada", "").error() == Errc::invalid_text);
        CHECK(Login::create("ada", "a\nb").error() == Errc::invalid_text);
    }
    SECTION("hashes slowly once, and not again on a reconnect") {
        Login client = login("Ada", "pencil");
        CountingCrypto::slow_hashes = 0;
        CHECK(connect(client, server.authenticator, binding(1), binding(1)).verified);
        CHECK(CountingCrypto::slow_hashes == 1);
        CHECK(connect(client, server.authenticator, binding(2), binding(2)).verified);
        CHECK(CountingCrypto::slow_hashes == 1);
    }
    SECTION("follows a new salt on a reconnect") {
        Login client = login("Ada", "pencil");
        REQUIRE(connect(client, server.authenticator, binding(), binding()).verified);
        ScramSalt salt{};
        salt.fill(std::byte{99});
        server.accounts->replace_verifier(
            "ada", make_verifier<ReferenceCrypto>("pencil", salt, 5000).value());
        CHECK(connect(client, server.authenticator, binding(), binding()).verified);
    }
    SECTION("shares a cache without sharing the password") {
        const auto cache = std::make_shared<ClientKeyCache>();
        Login first = login("Ada", "pencil", cache);
        Login second = login("Ada", "pencil", cache);
        Login wrong = login("Ada", "wrong", cache);
        REQUIRE(connect(first, server.authenticator, binding(), binding()).verified);
        CHECK(cache->size() == 1);
        CountingCrypto::slow_hashes = 0;
        CHECK(connect(second, server.authenticator, binding(), binding()).verified);
        CHECK(CountingCrypto::slow_hashes == 0);
        CHECK_FALSE(connect(wrong, server.authenticator, binding(), binding()).accepted);
    }
    SECTION("asks for the password each time, and knows no other way") {
        Login client = login("Ada", "pencil");
        CHECK_FALSE(client.start(binding(), {}, entropy(1)).value().one_flight);
        client.keep({1, Secret{entropy(1)}});
        CHECK_FALSE(client.recover(Errc::token_refused));
        CHECK(connect(client, server.authenticator, binding(), binding()).verified);
    }
    SECTION("is not finished by a server that skips the challenge or the proof of itself") {
        Login client = login("Ada", "pencil");
        REQUIRE(client.start(binding(), {}, entropy(1)));
        CHECK_FALSE(client.finish({}));
        REQUIRE(client.start(binding(), {}, entropy(1)));
        CHECK(client.finish(as_bytes("v=")).error() == Errc::server_not_verified);
    }
}

TEST_CASE("a stranger learns nothing about which users exist", "[auth]") {
    TestServer server;
    REQUIRE(server.accounts->disable("bob"));
    std::vector<Outcome> outcomes;
    for (const std::string_view user : {"Ada", "Bob", "Eve"}) {
        // Bob gives the right password of a disabled account.
        Login client = login(user, user == "Bob" ? "pencil" : "guess");
        outcomes.push_back(connect(client, server.authenticator, binding(), binding()));
    }
    for (const Outcome& outcome : outcomes) {
        CHECK_FALSE(outcome.accepted);
        CHECK(outcome.sizes == outcomes[0].sizes);
        CHECK(outcome.server_hashes == outcomes[0].server_hashes);
    }
}

TEST_CASE("a login exchange", "[auth]") {
    TestServer server;
    Login client = login("Ada", "pencil");
    const ChannelBinding bound = binding();
    auto exchange = server.authenticator.begin(entropy(2));
    const LoginStart start = client.start(bound, {}, entropy(1)).value();
    const LoginRequest request{start.mechanism, start.data, bound};
    const auto refuses = [](const LoginStep& step) {
        return std::holds_alternative<LoginRefused>(step);
    };

    SECTION("refuses mechanisms that it does not know, and then everything") {
        for (const std::string_view mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "PLAIN",
                                                 "NAME-ONLY", "", "scram-sha-256-plus"}) {
            auto other = server.authenticator.begin(entropy(3));
            CHECK(refuses(other->start({std::string{mechanism}, start.data, bound})));
            CHECK(refuses(other->start(request)));
        }
    }
    SECTION("refuses a proof before the start, and a second start") {
        CHECK(refuses(exchange->respond(start.data)));
        CHECK(refuses(exchange->start(request)));

        auto other = server.authenticator.begin(entropy(3));
        REQUIRE_FALSE(refuses(other->start(request)));
        CHECK(refuses(other->start(request)));
        CHECK(refuses(other->respond(as_bytes("x"))));
    }
    SECTION("ends with the first proof, right or wrong") {
        LoginStep step = exchange->start(request);
        const Buffer proof = client.respond(std::get<LoginChallenge>(step).data).value().value();
        SECTION("right") { CHECK(std::holds_alternative<LoginAccepted>(exchange->respond(proof))); }
        SECTION("wrong") { CHECK(refuses(exchange->respond(as_bytes("c=biws,r=x,p=x")))); }
        CHECK(refuses(exchange->respond(proof)));
        CHECK(refuses(exchange->start(request)));
    }
    SECTION("tells a device that there are no tokens here, so that it asks for the password") {
        const LoginStep step = exchange->start({"QUICCHAT-TOKEN", start.data, bound});
        REQUIRE(refuses(step));
        CHECK(std::get<LoginRefused>(step).errc == Errc::token_refused);
        CHECK(refuses(exchange->start(request)));
    }
    SECTION("never waits") {
        CHECK_FALSE(exchange->waits());
        exchange->start(request);
        CHECK_FALSE(exchange->waits());
        CHECK_FALSE(exchange->poll({}));
        CHECK_FALSE(exchange->deadline());
    }
    SECTION("outlives its authenticator") {
        auto authenticator =
            std::make_unique<ServerSide>(server.accounts, as_bytes("0123456789abcdef"));
        auto other = authenticator->begin(entropy(3));
        authenticator.reset();
        CHECK_FALSE(refuses(other->start(request)));
    }
    SECTION("draws its nonce from the entropy") {
        auto same = server.authenticator.begin(entropy(2));
        auto other = server.authenticator.begin(entropy(3));
        const Buffer challenge = std::get<LoginChallenge>(exchange->start(request)).data;
        CHECK(std::get<LoginChallenge>(same->start(request)).data == challenge);
        CHECK(std::get<LoginChallenge>(other->start(request)).data != challenge);
    }
}

TEST_CASE("a login by name only", "[auth]") {
    const ChannelBinding bound{};
    NameAuthenticator authenticator;
    auto exchange = authenticator.begin({});
    NameLogin client = NameLogin::create("Ada").value();

    SECTION("is believed") {
        const LoginStart start = client.start(bound, {}, {}).value();
        CHECK(start.mechanism == "NAME-ONLY");
        CHECK(start.one_flight);
        const LoginStep step = exchange->start({start.mechanism, start.data, bound});
        REQUIRE(std::holds_alternative<LoginAccepted>(step));
        CHECK(std::get<LoginAccepted>(step).user == "Ada");
        CHECK(client.finish(std::get<LoginAccepted>(step).data));
        CHECK_FALSE(client.finish({}));
    }
    SECTION("can be one that makes the client wait") {
        NameLogin patient = NameLogin::create("Ada", {.one_flight = false}).value();
        CHECK_FALSE(patient.start(bound, {}, {}).value().one_flight);
    }
    SECTION("needs a name, the mechanism, and no second try") {
        CHECK(NameLogin::create("a b").error() == Errc::invalid_name);
        const auto refuses = [&](std::string_view mechanism, std::string_view name) {
            return std::holds_alternative<LoginRefused>(
                authenticator.begin({})->start({std::string{mechanism}, as_bytes(name), bound}));
        };
        CHECK_FALSE(refuses("NAME-ONLY", "ada"));
        CHECK(refuses("NAME-ONLY", "a b"));
        CHECK(refuses("NAME-ONLY", ""));
        CHECK(refuses("SCRAM-SHA-256-PLUS", "ada"));
        CHECK(std::holds_alternative<LoginRefused>(exchange->respond({})));
        CHECK(std::holds_alternative<LoginRefused>(
            exchange->start({"NAME-ONLY", as_bytes("ada"), bound})));
    }
    SECTION("knows no challenge, and is not finished before it began") {
        CHECK_FALSE(client.finish({}));
        REQUIRE(client.start(bound, {}, {}));
        CHECK_FALSE(client.respond({}));
        CHECK_FALSE(client.finish({}));
    }
}
