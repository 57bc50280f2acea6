#include "quicchat/auth/ticket.hpp"

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/deferred_hook.hpp"
#include "support/literals.hpp"
#include "ticket_scene.hpp"
#include "vector_file.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// One vector of tests/vectors/ticket.txt.
struct TicketVector {
    std::string name;
    std::map<std::string, std::string> values;

    const std::string& operator[](const std::string& key) const { return values.at(key); }
    bool has(const std::string& key) const { return values.count(key) != 0; }
    std::int64_t time(const std::string& key) const { return std::stoll(values.at(key)); }
    TicketClaims claims() const {
        TicketClaims claims{.user = values.at("sub"),
                            .audience = values.at("aud"),
                            .id = values.at("jti"),
                            .issued = time("iat"),
                            .expiry = time("exp")};
        if (has("nbf")) claims.not_before = time("nbf");
        if (has("origin")) claims.origin = values.at("origin");
        return claims;
    }
};

constexpr std::string_view head = R"({"alg":"HS256","typ":"JWT"})";

}  // namespace

TEST_CASE("a login by ticket matches its vectors", "[auth][vectors]") {
    std::size_t checked = 0;
    for (const TicketVector& vector : read_vectors<TicketVector>("ticket.txt")) {
        INFO(vector.name);
        const std::string ticket =
            sign_ticket<ReferenceCrypto>(vector.claims(), as_bytes(vector["key"])).value();
        CHECK(ticket == vector["ticket"]);

        const Buffer sent = hex(vector["login_begin"]);
        const TicketMessage message = parse_ticket_message(sent).value();
        CHECK(Buffer(message.binding.bytes().begin(), message.binding.bytes().end()) ==
              hex(vector["binding"]));
        CHECK(Buffer(message.proof.begin(), message.proof.end()) == hex(vector["proof"]));
        CHECK(encode_ticket_message(message) == sent);
        CHECK(TicketScene::shown(ticket, message.binding) == sent);

        TicketDesk desk{WallTime{std::chrono::seconds{vector.time("iat")}}};
        TicketRules rules{.keys = {Secret{as_bytes(vector["key"])}},
                          .audience = vector["aud"],
                          .hosts = {std::string{message.binding.host()}}};
        if (rules.hosts.front().empty()) rules.hosts.clear();
        REQUIRE(ticket_rules_problem(rules) == nullptr);
        desk.set_rules(rules);
        const PageSession page{certificate_hash("current"),
                               vector.has("origin") ? vector["origin"] : ""};
        const WallTime now{std::chrono::seconds{vector.time("iat")}};
        CHECK(desk.redeem<ReferenceCrypto>(sent, page, now).value() == vector["sub"]);
        CHECK(desk.redeem<ReferenceCrypto>(sent, page, now).error() == Errc::ticket_refused);
        ++checked;
    }
    CHECK(checked == 4);
}

TEST_CASE("a server that takes tickets", "[auth]") {
    TicketScene scene;

    SECTION("lets in whom the site vouches for, once") {
        const std::string ticket = scene.ticket();
        CHECK(scene.user_of(ticket) == "carol");
        CHECK(scene.user_of(ticket) == "");
        CHECK(scene.user_of(scene.ticket()) == "carol");
    }
    SECTION("takes a ticket that a back end made by our own function") {
        Entropy entropy = Entropy::seeded(5);
        const auto make = [&](std::string_view key, std::string origin) {
            return make_ticket<ReferenceCrypto>(
                       {.user = "Carol", .audience = "chat.example", .origin = std::move(origin)},
                       as_bytes(key), scene.now.wall, entropy)
                .value();
        };
        CHECK(scene.user_of(make(site_key, "")) == "Carol");
        CHECK(scene.user_of(make(site_key, "https://www.example.org")) == "Carol");
        CHECK(scene.user_of(make(site_key, "https://www.example.net")) == "");
        CHECK(scene.user_of(make(other_key, "")) == "");
    }
    SECTION("takes what JSON leaves open, and claims of the site's own") {
        CHECK(scene.user_of(signed_ticket(head, scene.body())) == "carol");
        CHECK(scene.user_of(signed_ticket(R"({ "kid": "1", "alg": "HS256" })",
                                          scene.body(R"(, "roles": [{"a": {"b": null}}])"))) ==
              "carol");
        CHECK(scene.user_of(signed_ticket(R"({"\u0061lg":"HS\u003256"})", scene.body())) ==
              "carol");
    }
    SECTION("lets in nobody with a ticket of another algorithm") {
        for (const std::string_view other :
             {R"({"alg":"none"})", R"({"alg":"HS512"})", R"({"alg":"hs256"})", R"({"alg":""})",
              R"({"alg":["HS256"]})", R"({"alg":null})", R"({})", R"({"typ":"JWT"})",
              R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","alg":"HS256"})",
              R"({"alg":"HS256","crit":["exp"]})", R"({"alg":"HS256\u0000"})", R"(["HS256"])",
              R"("HS256")", R"()"}) {
            CAPTURE(other);
            CHECK(scene.user_of(signed_ticket(other, scene.body())) == "");
        }
        CHECK(scene.user_of(signed_ticket(head, scene.body())) == "carol");
    }
    SECTION("lets in nobody with a ticket that was made for something else") {
        struct Wrong {
            std::string_view what;
            void (*change)(TicketClaims&);
        };
        const Wrong wrong[] = {
            {"another server", [](TicketClaims& c) { c.audience = "other.example"; }},
            {"its name in capitals", [](TicketClaims& c) { c.audience = "Chat.example"; }},
            {"no server", [](TicketClaims& c) { c.audience = ""; }},
            {"nobody", [](TicketClaims& c) { c.user = ""; }},
            {"no user's name", [](TicketClaims& c) { c.user = "a b"; }},
            {"a name that is too long", [](TicketClaims& c) { c.user = std::string(33, 'a'); }},
            {"no id", [](TicketClaims& c) { c.id = ""; }},
            {"a short id", [](TicketClaims& c) { c.id = std::string(21, 'a'); }},
            {"a long id", [](TicketClaims& c) { c.id = std::string(129, 'a'); }},
            {"over now", [](TicketClaims& c) { c.expiry -= 60; }},
            {"over long ago", [](TicketClaims& c) { c.expiry = 1; }},
            {"good too long", [](TicketClaims& c) { c.expiry += 241; }},
            {"good for ever", [](TicketClaims& c) { c.expiry = std::int64_t{1} << 40; }},
            {"from before the server's start", [](TicketClaims& c) { c.issued -= 1; }},
            {"from the future", [](TicketClaims& c) { c.issued += 61; }},
            {"for later", [](TicketClaims& c) { c.not_before = c.issued + 61; }},
            {"another origin", [](TicketClaims& c) { c.origin = "https://example.net"; }},
            {"no origin", [](TicketClaims& c) { c.origin = ""; }},
            {"more of the origin", [](TicketClaims& c) { c.origin = "https://www.example.org/"; }},
        };
        for (const Wrong& one : wrong) {
            CAPTURE(one.what);
            TicketClaims claims = scene.claims();
            one.change(claims);
            CHECK(scene.user_of(TicketScene::sign(claims)) == "");
        }
        CHECK(scene.desk->remembered() == 0);
    }
    SECTION("knows the edges of what it takes") {
        struct Right {
            std::string_view what;
            void (*change)(TicketClaims&);
        };
        const Right right[] = {
            {"the last second", [](TicketClaims& c) { c.expiry -= 59; }},
            {"the longest time", [](TicketClaims& c) { c.expiry += 240; }},
            {"the shortest id", [](TicketClaims& c) { c.id = std::string(22, 'a'); }},
            {"the longest id", [](TicketClaims& c) { c.id = std::string(128, 'a'); }},
            {"a clock that is ahead", [](TicketClaims& c) { c.issued += 60; }},
            {"from now on", [](TicketClaims& c) { c.not_before = c.issued; }},
            {"the origin", [](TicketClaims& c) { c.origin = "https://www.example.org"; }},
        };
        for (const Right& one : right) {
            CAPTURE(one.what);
            TicketClaims claims = scene.claims();
            one.change(claims);
            CHECK(scene.user_of(TicketScene::sign(claims)) == "carol");
        }
    }
    SECTION("reads claims strictly") {
        for (const std::string_view more :
             {R"(,"sub":"ada")", R"(,"aud":"chat.example")", R"(,"s\u0075b":"carol")",
              R"(,"roles":{"a":1,"a":1})", R"(,"nbf":"1")", R"(,"nbf":1.5)", R"(,"nbf":-1)",
              R"(,"nbf":null)", R"(,"origin":null)", R"(,"origin":["https://www.example.org"])",
              R"(,"a":[[[[[[[[0]]]]]]]])", R"(,"a":"\ud800")", R"(,"a":01)", R"(,)", R"(}{)",
              "}\n{}", "} x"}) {
            CAPTURE(more);
            CHECK(scene.user_of(signed_ticket(head, scene.body(more))) == "");
        }
        const std::string time = std::to_string(scene.seconds() + 60);
        const std::string begin =
            R"({"sub":"carol","aud":"chat.example","jti":"a-random-id-of-22-chars",)";
        const std::string issued = R"("iat":)" + std::to_string(scene.seconds());
        for (const std::string& rest :
             {std::string{R"("exp":)"} + time, issued, issued + R"(,"exp":")" + time + '"',
              issued + R"(,"exp":)" + time + ".0", issued + R"(,"exp":-)" + time,
              issued + R"(,"exp":18446744073709551615)", issued + R"(,"exp":1e30)",
              issued + R"(,"exp":null)", issued + R"(,"exp":true)"}) {
            CAPTURE(rest);
            CHECK(scene.user_of(signed_ticket(head, begin + rest + '}')) == "");
        }
        CHECK(scene.user_of(signed_ticket(head, begin + issued + R"(,"exp":)" + time + '}')) ==
              "carol");
        CHECK(scene.user_of(signed_ticket(head, "\xef\xbb\xbf" + scene.body())) == "");
        CHECK(scene.user_of(signed_ticket(head, scene.body() + '\0')) == "");
        CHECK(scene.user_of(signed_ticket(head, scene.body(",\"a\":\"\xff\""))) == "");
    }
    SECTION("lets in nobody who has not the key of the site") {
        CHECK(scene.user_of(signed_ticket(head, scene.body(), other_key)) == "");
        CHECK(scene.user_of(signed_ticket(head, scene.body(), "")) == "");
        // Who has seen a login has no signature, and who has the ticket but not its signature
        // neither: a proof with what was sent, or without a key.
        const std::string ticket = scene.ticket();
        const std::string signed_part = ticket.substr(0, ticket.rfind('.'));
        for (const BytesView key : {BytesView{}, as_bytes(signed_part), as_bytes("carol")}) {
            const TicketMessage message{
                pinned("ours"), ticket_proof<ReferenceCrypto>(key, pinned("ours")), signed_part};
            CHECK(scene.user_of(scene.start(encode_ticket_message(message))) == "");
        }
        CHECK(scene.user_of(ticket) == "carol");
    }
    SECTION("takes no ticket that was damaged on the way, at whatever bit") {
        const Buffer good = TicketScene::shown(scene.ticket(), pinned("ours"));
        for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
            Buffer damaged = good;
            damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
            CAPTURE(bit);
            REQUIRE(scene.user_of(scene.start(damaged)) == "");
        }
        for (std::size_t length = 0; length < good.size(); ++length) {
            CAPTURE(length);
            REQUIRE(scene.user_of(scene.start(
                        Buffer(good.begin(), good.begin() + static_cast<long>(length)))) == "");
        }
        Buffer longer = good;
        longer.push_back(std::byte{'A'});
        CHECK(scene.user_of(scene.start(longer)) == "");
        CHECK(scene.user_of(scene.start(good)) == "carol");
    }
    SECTION("takes both of two keys, and then only the new one") {
        const std::string old_ticket = scene.ticket();
        const std::string older = scene.ticket();
        const std::string of_new = signed_ticket(head, scene.body(), other_key);
        scene.set_keys(other_key, site_key);
        CHECK(scene.user_of(old_ticket) == "carol");
        CHECK(scene.user_of(of_new) == "carol");
        scene.set_keys(other_key);
        CHECK(scene.user_of(older) == "");
        CHECK(scene.user_of(of_new) == "");  // it was used with the keys before
        CHECK(scene.user_of(signed_ticket(head, scene.body(), other_key)) == "carol");
    }
}

TEST_CASE("what a page is bound to", "[auth]") {
    TicketScene scene;

    SECTION("is a certificate of the server, which may be one of several that are pinned") {
        const std::array both{certificate_hash("next"), certificate_hash("ours")};
        const std::array others{certificate_hash("next"), certificate_hash("another")};
        CHECK(scene.user_of(scene.ticket(), pinned("ours")) == "carol");
        CHECK(scene.user_of(scene.ticket(), PageBinding::to_certificates(both).value()) == "carol");
        CHECK(scene.user_of(scene.ticket(), PageBinding::to_certificates(others).value()) == "");
    }
    SECTION("is of no use to a server in between, which passes on what the page said") {
        const Buffer to_another = TicketScene::shown(scene.ticket(), pinned("theirs"));
        CHECK(scene.user_of(scene.start(to_another)) == "");
        const PageBinding host = PageBinding::to_host("theirs.example.net", 443).value();
        CHECK(scene.user_of(scene.start(TicketScene::shown(scene.ticket(), host))) == "");
        // Nor if it says in the page's place what would be right: the proof is for what it was.
        TicketMessage message = parse_ticket_message(to_another).value();
        message.binding = pinned("ours");
        CHECK(scene.user_of(scene.start(encode_ticket_message(message))) == "");
    }
    SECTION("is a host that the server was told is its own, with the port") {
        const auto user = [&](std::string_view name, std::uint16_t port) {
            return scene.user_of(scene.ticket(), PageBinding::to_host(name, port).value());
        };
        CHECK(user("chat.example.org", 443) == "carol");
        CHECK(user("chat.example.org", 444) == "");
        CHECK(user("chat.example.org.", 443) == "");
        CHECK(user("xchat.example.org", 443) == "");
    }
    SECTION("is nothing where the server knows of no certificate") {
        scene.page.certificate = {};
        CHECK(scene.user_of(scene.ticket()) == "");
        CHECK_FALSE(PageBinding::to_certificates(std::vector(1, CertificateHash{})));
    }
    SECTION("has one form") {
        CHECK_FALSE(PageBinding::to_certificates({}));
        CHECK_FALSE(PageBinding::to_certificates(std::vector(5, certificate_hash("a"))));
        CHECK(PageBinding::to_certificates(std::vector(4, certificate_hash("a"))));
        for (const std::string_view name : {"", "Chat.example", "a b", "a/b", "a:b", "[::1", "::1",
                                            "a]", "[]", "a%", "\xc3\xa4"}) {
            CAPTURE(name);
            CHECK_FALSE(PageBinding::to_host(name, 443));
        }
        CHECK_FALSE(PageBinding::to_host("chat", 0));
        CHECK_FALSE(PageBinding::to_host(std::string(252, 'a'), 443));
        CHECK(PageBinding::to_host(std::string(251, 'a'), 443));
        CHECK(PageBinding::to_host("[2001:db8::1]", 65535).value().host() == "[2001:db8::1]:65535");
        for (const std::string_view text : {"chat", "chat:", "chat:0", "chat:0443", "chat:65536",
                                            "chat:99999", "chat:443 ", ":443", "chat:-1"}) {
            CAPTURE(text);
            CHECK_FALSE(is_page_host(text));
        }
    }
}

TEST_CASE("used tickets", "[auth]") {
    TicketScene scene;

    SECTION("are remembered until they expire, and then forgotten") {
        const std::string first = scene.ticket();
        CHECK(scene.user_of(first) == "carol");
        scene.now.wall += std::chrono::seconds{59};
        CHECK(scene.user_of(first) == "");
        CHECK(scene.desk->remembered() == 1);
        scene.now.wall += std::chrono::seconds{1};
        CHECK(scene.user_of(first) == "");
        CHECK(scene.user_of(scene.ticket()) == "carol");
        CHECK(scene.desk->remembered() == 1);
    }
    SECTION("are not good again when the clock is set back") {
        const std::string first = scene.ticket();
        CHECK(scene.user_of(first) == "carol");
        scene.now.wall += std::chrono::seconds{60};
        CHECK(scene.user_of(scene.ticket()) == "carol");
        scene.now.wall -= std::chrono::seconds{60};
        CHECK(scene.user_of(first) == "");
    }
    SECTION("of one id are one ticket, whatever else they say") {
        TicketClaims claims = scene.claims();
        CHECK(scene.user_of(TicketScene::sign(claims)) == "carol");
        claims.user = "ada";
        claims.expiry += 1;
        CHECK(scene.user_of(TicketScene::sign(claims)) == "");
    }
    SECTION("above the number that is remembered let nobody in") {
        for (int i = 0; i < 100; ++i) REQUIRE(scene.user_of(scene.ticket()) == "carol");
        CHECK(scene.user_of(scene.ticket()) == "");
        CHECK(scene.desk->remembered() == 100);
        scene.now.wall += std::chrono::seconds{60};
        CHECK(scene.user_of(scene.ticket()) == "carol");
    }
    SECTION("of one account keep out that account alone") {
        *scene.desk = TicketDesk{scene.now.wall, 100, 10};
        scene.set_keys(site_key);
        for (int i = 0; i < 10; ++i) REQUIRE(scene.user_of(scene.ticket()) == "carol");
        TicketClaims claims = scene.claims();
        claims.user = "Carol";
        CHECK(scene.user_of(TicketScene::sign(claims)) == "");
        claims.user = "dave";
        CHECK(scene.user_of(TicketScene::sign(claims)) == "dave");
        scene.now.wall += std::chrono::seconds{60};
        for (int i = 0; i < 10; ++i) REQUIRE(scene.user_of(scene.ticket()) == "carol");
    }
    SECTION("that were refused are not remembered") {
        const std::string ticket = scene.ticket();
        CHECK(scene.user_of(ticket, pinned("theirs")) == "");
        CHECK(scene.user_of(ticket) == "carol");
    }
}

TEST_CASE("the account of a ticket's user", "[auth]") {
    TicketScene scene;

    SECTION("need not exist; if it does, it has the spelling, and may be disabled") {
        REQUIRE(scene.book->add("Carol", Verifier{}));
        CHECK(scene.user_of(scene.ticket()) == "Carol");
        scene.book->disable("carol");
        CHECK(scene.user_of(scene.ticket()) == "");
    }
    SECTION("is asked for by the hook, once the ticket was found good") {
        DeferredHook hook;
        TicketScene asked{std::make_shared<DeferredHook>(hook)};
        CHECK(asked.user_of(signed_ticket(head, asked.body(), other_key)) == "");
        CHECK_FALSE(hook.poll_question());

        const auto decide = [&](HookDecision decision) {
            const LoginStep step = asked.start(TicketScene::shown(asked.ticket(), pinned("ours")));
            CHECK(std::holds_alternative<LoginPending>(step));
            CHECK(asked.exchange->waits());
            CHECK(asked.exchange->deadline() == asked.now.steady + std::chrono::seconds{5});
            CHECK_FALSE(asked.exchange->poll(asked.now));
            const DeferredQuestion question = hook.poll_question().value();
            CHECK(question.question.user == "carol");
            CHECK(question.question.mechanism == "QUICCHAT-TICKET");
            CHECK(hook.answer(question.ticket, std::move(decision)));
            const std::string user = TicketScene::user_of(asked.exchange->poll(asked.now).value());
            CHECK_FALSE(asked.exchange->waits());
            CHECK_FALSE(asked.exchange->poll(asked.now));
            return user;
        };
        CHECK(decide(UseOwnAccounts{}) == "carol");
        CHECK(decide(Account{"Carol", {}}) == "Carol");
        CHECK(decide(Account{"ada", {}}) == "");
        CHECK(decide(Account{"carol", {}, false}) == "");
        CHECK(decide(RefuseLogin{}) == "");
        CHECK(decide(HookUnavailable{}) == "");
        REQUIRE(asked.book->add("carol", Verifier{}));
        asked.book->disable("carol");
        CHECK(decide(UseOwnAccounts{}) == "");
        CHECK(decide(Account{"Carol", {}}) == "Carol");

        REQUIRE(std::holds_alternative<LoginPending>(
            asked.start(TicketScene::shown(asked.ticket(), pinned("ours")))));
        asked.now.steady += std::chrono::seconds{5};
        CHECK(TicketScene::user_of(asked.exchange->poll(asked.now).value()) == "");
        CHECK(hook.open_questions() == 0);
    }
}

TEST_CASE("a login by ticket has one message", "[auth]") {
    TicketScene scene;
    const Buffer good = TicketScene::shown(scene.ticket(), pinned("ours"));
    const auto again = [&](std::string_view mechanism) {
        const Buffer next = TicketScene::shown(scene.ticket(), pinned("ours"));
        return scene.exchange->start(
            {std::string{mechanism}, next, {}, {}, {}, scene.now, &scene.page});
    };

    SECTION("and nothing may follow it") {
        CHECK(TicketScene::user_of(scene.start(good)) == "carol");
        CHECK(scene.exchange->claimed_user() == "carol");
        CHECK_FALSE(scene.exchange->waits());
        CHECK(TicketScene::user_of(scene.exchange->respond({})) == "");
        CHECK(TicketScene::user_of(again(ticket_mechanism)) == "");
    }
    SECTION("nor come after a login by another mechanism") {
        for (const std::string_view mechanism : {scram_mechanism, token_mechanism}) {
            CHECK(std::holds_alternative<LoginRefused>(scene.start(good, mechanism)));
            CHECK(std::holds_alternative<LoginRefused>(again(ticket_mechanism)));
        }
    }
    SECTION("of a page, and of nobody else") {
        const LoginStep step = scene.start(good, ticket_mechanism, false);
        CHECK(std::get<LoginRefused>(step).errc == Errc::login_failed);
        CHECK(TicketScene::user_of(scene.start(good)) == "carol");
    }
    SECTION("where the server takes tickets at all") {
        scene.set_keys();
        CHECK(std::get<LoginRefused>(scene.start(good)).errc == Errc::login_failed);
        scene.set_keys(site_key);
        CHECK(TicketScene::user_of(scene.start(good)) == "carol");
    }
}

TEST_CASE("a page's login", "[auth]") {
    TicketScene scene;
    PageLogin login{pinned("ours")};

    SECTION("shows each ticket once, and says nothing without one") {
        CHECK_FALSE(login.wants_channel_binding());
        CHECK(login.start({}, {}, {}).error() == Errc::ticket_refused);
        REQUIRE(login.set_ticket(scene.ticket()));
        const LoginStart start = login.start({}, {}, {}).value();
        CHECK(start.mechanism == "QUICCHAT-TICKET");
        CHECK(start.one_flight);
        CHECK(login.start({}, {}, {}).error() == Errc::ticket_refused);
    }
    SECTION("never sends the signature") {
        const std::string ticket = scene.ticket();
        const std::string signature = ticket.substr(ticket.rfind('.') + 1);
        const Buffer raw = decode_base64url(signature).value();
        REQUIRE(login.set_ticket(ticket));
        const std::string sent = to_string(login.start({}, {}, {})->data);
        CHECK(sent.find(ticket.substr(0, ticket.rfind('.'))) != std::string::npos);
        CHECK(sent.find(signature) == std::string::npos);
        CHECK(sent.find(as_text(raw)) == std::string::npos);
    }
    SECTION("takes nothing that can be no ticket") {
        for (const std::string& text :
             {std::string{}, std::string{"."}, std::string{"a"}, std::string{"a.b"},
              std::string{"a.b."}, "." + std::string(43, 'A'), "a.b." + std::string(42, 'A'),
              "a.b." + std::string(43, '+'), "a.b." + std::string(43, 'B'),
              std::string(2048, 'a') + '.' + std::string(43, 'A')}) {
            CAPTURE(text);
            CHECK(login.set_ticket(text).error() == Errc::ticket_refused);
            CHECK_FALSE(login.start({}, {}, {}));
        }
        CHECK(login.set_ticket("a.b." + std::string(43, 'A')));
    }
    SECTION("is finished by an empty message, once, and has no challenge") {
        const auto begin = [&] {
            REQUIRE(login.set_ticket(scene.ticket()));
            REQUIRE(login.start({}, {}, {}));
        };
        CHECK_FALSE(login.finish({}));
        begin();
        CHECK(login.finish({}));
        CHECK_FALSE(login.finish({}));
        begin();
        CHECK(login.finish(as_bytes("x")).error() == Errc::server_not_verified);
        CHECK_FALSE(login.finish({}));
        begin();
        CHECK(login.respond({}).error() == Errc::server_not_verified);
        CHECK_FALSE(login.finish({}));
    }
    SECTION("asks for another ticket once until it was let in") {
        CHECK_FALSE(login.recover(Errc::login_failed));
        CHECK(login.recover(Errc::ticket_refused));
        CHECK_FALSE(login.recover(Errc::ticket_refused));
        REQUIRE(login.set_ticket(scene.ticket()));
        REQUIRE(login.start({}, {}, {}));
        REQUIRE(login.finish({}));
        CHECK(login.recover(Errc::ticket_refused));
    }
}

TEST_CASE("a site makes no ticket that no server would take", "[auth]") {
    Entropy entropy = Entropy::seeded(1);
    const WallTime now{std::chrono::hours{500'000}};
    const TicketOrder good{.user = "carol", .audience = "chat.example"};
    const auto make = [&](const TicketOrder& order, std::string_view key = site_key) {
        return make_ticket<ReferenceCrypto>(order, as_bytes(key), now, entropy);
    };
    CHECK(make(good));
    CHECK(make(good).value() != make(good).value());
    CHECK(make(good, "a short key").error() == Errc::invalid_request);
    CHECK(make(good, std::string(513, 'k')).error() == Errc::invalid_request);
    TicketOrder order = good;
    order.user = "a b";
    CHECK(make(order).error() == Errc::invalid_name);
    for (const int seconds : {0, -1, 301}) {
        order = good;
        order.lifetime = std::chrono::seconds{seconds};
        CHECK(make(order).error() == Errc::invalid_request);
    }
    order = good;
    order.audience = "";
    CHECK(make(order).error() == Errc::invalid_request);
    order.audience = std::string(256, 'a');
    CHECK(make(order).error() == Errc::invalid_request);
    order = good;
    order.origin = "a\x1b";
    CHECK(make(order).error() == Errc::invalid_request);
}

TEST_CASE("the rules of a server about tickets", "[auth]") {
    const auto problem = [](std::vector<std::string> keys, std::string audience,
                            std::vector<std::string> hosts) {
        TicketRules rules{.audience = std::move(audience), .hosts = std::move(hosts)};
        for (const std::string& key : keys) rules.keys.push_back(Secret{as_bytes(key)});
        return ticket_rules_problem(rules) != nullptr;
    };
    const std::string key(32, 'k');
    CHECK_FALSE(problem({}, "", {}));
    CHECK_FALSE(problem({key}, "chat", {}));
    CHECK_FALSE(problem({key, key + key}, "chat", {"chat.example.org:443"}));
    CHECK(problem({key, key, key}, "chat", {}));
    CHECK(problem({std::string(31, 'k')}, "chat", {}));
    CHECK(problem({std::string(513, 'k')}, "chat", {}));
    CHECK(problem({key}, "", {}));
    CHECK(problem({key}, std::string(256, 'a'), {}));
    CHECK(problem({key}, "chat", {"chat.example.org"}));
    CHECK(problem({key}, "chat", std::vector<std::string>(17, "chat.example.org:443")));
}
