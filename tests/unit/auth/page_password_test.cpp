#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "device_scene.hpp"
#include "quicchat/auth/scram_client.hpp"
#include "quicchat/base/hex.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

CertificateHash certificate(unsigned number) {
    CertificateHash hash{};
    hash.fill(static_cast<std::byte>(number));
    return hash;
}

/// A server with Ada, which may take passwords in pages.
struct PageScene {
    explicit PageScene(bool page_passwords)
        : authenticator(book, as_bytes("a secret of enough bytes"), Entropy::seeded(1), {},
                        {.page_passwords = page_passwords}) {
        REQUIRE(book->add("Ada", test_verifier("pencil")));
    }

    LoginStep start(std::string_view mechanism, const Buffer& data, const ChannelBinding& binding,
                    const PageSession* of) {
        exchange = authenticator.begin(login_entropy(2));
        return exchange->start(
            {std::string{mechanism}, data, binding, device_id(1), "[::1]:1", now, of});
    }

    /// A whole login by password, with that header and binding at the client.
    std::string log_in(std::string_view header, const ChannelBinding& at_client,
                       const ChannelBinding& at_server, const PageSession* of) {
        ScramCredentials who{.user = "ada", .password = Secret{as_bytes("pencil")}};
        who.iterations.min = 4096;
        ScramClient<CountedCrypto> client{std::move(who), at_client, "a-nonce-of-the-client-1",
                                          header};
        LoginStep step = start(scram_mechanism, client.initial().value(), at_server, of);
        if (std::holds_alternative<LoginRefused>(step)) return "refused at once";
        step =
            exchange->respond(client.handle_challenge(std::get<LoginChallenge>(step).data).value());
        if (std::holds_alternative<LoginRefused>(step)) return "refused";
        return client.handle_success(std::get<LoginAccepted>(step).data) ? "in" : "not verified";
    }

    Now now{TimePoint{std::chrono::hours{1}}, WallTime{std::chrono::hours{500'000}}};
    std::shared_ptr<MemoryAccounts> book = std::make_shared<MemoryAccounts>();
    DeviceAuthenticator<CountedCrypto> authenticator;
    std::unique_ptr<LoginExchange> exchange;
    PageSession page{certificate(7), "https://www.example.org"};
};

}  // namespace

TEST_CASE("a password in a page", "[auth]") {
    PageScene scene{true};
    const ChannelBinding exporter = certificate(1);

    SECTION("is bound to the certificate that the connection was shown") {
        CHECK(scene.log_in(scram_page_gs2_header, certificate(7), {}, &scene.page) == "in");
        CHECK(scene.log_in(scram_page_gs2_header, certificate(8), {}, &scene.page) == "refused");
        scene.page.certificate = certificate(8);
        CHECK(scene.log_in(scram_page_gs2_header, certificate(7), {}, &scene.page) == "refused");
    }
    SECTION("is refused where the server knows no certificate") {
        scene.page.certificate = {};
        CHECK(scene.log_in(scram_page_gs2_header, certificate(7), {}, &scene.page) ==
              "refused at once");
    }
    SECTION("cannot be bound to less than the connection on a native one, nor to more in a page") {
        CHECK(scene.log_in(scram_gs2_header, exporter, exporter, nullptr) == "in");
        CHECK(scene.log_in(scram_page_gs2_header, exporter, exporter, nullptr) ==
              "refused at once");
        CHECK(scene.log_in(scram_page_gs2_header, certificate(7), exporter, nullptr) ==
              "refused at once");
        CHECK(scene.log_in(scram_gs2_header, exporter, exporter, &scene.page) == "refused at once");
        CHECK(scene.log_in(scram_gs2_header, certificate(7), {}, &scene.page) == "refused at once");
    }
    SECTION("is not taken for the other kind if somebody changes the header on the way") {
        ScramCredentials who{.user = "ada", .password = Secret{as_bytes("pencil")}};
        who.iterations.min = 4096;
        ScramClient<CountedCrypto> client{std::move(who), certificate(7),
                                          "a-nonce-of-the-client-1"};
        std::string first = to_string(client.initial().value());
        first.replace(0, scram_gs2_header.size(), scram_page_gs2_header);
        const BytesView bytes = as_bytes(first);
        LoginStep step =
            scene.start(scram_mechanism, Buffer(bytes.begin(), bytes.end()), {}, &scene.page);
        step = scene.exchange->respond(
            client.handle_challenge(std::get<LoginChallenge>(step).data).value());
        CHECK(std::holds_alternative<LoginRefused>(step));
    }
    SECTION("gives the device no token") {
        REQUIRE(scene.log_in(scram_page_gs2_header, certificate(7), {}, &scene.page) == "in");
        CHECK_FALSE(scene.exchange->waits());
        CHECK(scene.book->devices("ada").empty());
        REQUIRE(scene.log_in(scram_gs2_header, exporter, exporter, nullptr) == "in");
        CHECK(scene.exchange->waits());
        CHECK(scene.book->devices("ada").size() == 1);
    }
    SECTION("is the only way to log in: no token is good there") {
        REQUIRE(scene.log_in(scram_gs2_header, exporter, exporter, nullptr) == "in");
        const auto issued = std::get<TokenIssued>(scene.exchange->poll(scene.now).value());
        const DeviceToken token{issued.generation, Secret{issued.key}};
        const auto devices = scene.book->devices("ada");
        for (const ChannelBinding& bound : {exporter, certificate(7), ChannelBinding{}}) {
            const Buffer claim = encode_token_claim(
                make_token_login<CountedCrypto>("ada", device_id(1), token, bound).claim);
            const LoginStep step = scene.start(token_mechanism, claim, bound, &scene.page);
            CHECK(std::get<LoginRefused>(step).errc == Errc::token_refused);
            CHECK(scene.book->devices("ada") == devices);
        }
        const Buffer claim = encode_token_claim(
            make_token_login<CountedCrypto>("ada", device_id(1), token, exporter).claim);
        CHECK(std::holds_alternative<LoginAccepted>(
            scene.start(token_mechanism, claim, exporter, nullptr)));
    }
    SECTION("is asked for only where the server says so") {
        PageScene silent{false};
        CHECK(silent.log_in(scram_page_gs2_header, certificate(7), {}, &silent.page) ==
              "refused at once");
        CHECK(silent.log_in(scram_gs2_header, exporter, exporter, nullptr) == "in");
    }
    SECTION("may be allowed and forbidden while the server runs, for logins that begin") {
        PageScene silent{false};
        DeviceAuthenticator<CountedCrypto> held = silent.authenticator;
        const auto enters = [&] {
            return silent.log_in(scram_page_gs2_header, certificate(7), {}, &silent.page);
        };
        CHECK(enters() == "refused at once");
        held.allow_page_passwords(true);
        CHECK(enters() == "in");
        held.allow_page_passwords(false);
        CHECK(enters() == "refused at once");
    }
    SECTION("is bound so by the client's login as well") {
        ScramLoginOptions options;
        options.iterations = {4096, 600'000};
        CHECK(PasswordLogin::create("ada", "pencil", options)->wants_channel_binding());
        options.certificate = certificate(7);
        PasswordLogin login = PasswordLogin::create("ada", "pencil", options).value();
        CHECK_FALSE(login.wants_channel_binding());
        const LoginStart start = login.start({}, device_id(1), login_entropy()).value();
        CHECK(as_text(start.data).starts_with("p=tls-server-end-point,,n=ada,r="));
        LoginStep step = scene.start(start.mechanism, start.data, {}, &scene.page);
        step = scene.exchange->respond(
            login.respond(std::get<LoginChallenge>(step).data).value().value());
        CHECK(login.finish(std::get<LoginAccepted>(step).data));
        options.certificate = CertificateHash{};
        PasswordLogin unbound = PasswordLogin::create("ada", "pencil", options).value();
        CHECK_FALSE(unbound.start({}, device_id(1), login_entropy()));
    }
}
