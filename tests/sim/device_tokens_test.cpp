#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "support/scripted_peer.hpp"
#include "unit/auth/device_scene.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

using DeviceClient = memory::Client;
using DeviceServer = memory::Server;

/// A server with one account, and devices of it, on one simulated network.
struct TokenScene {
    struct Phone {
        std::unique_ptr<DeviceClient> client;
        std::vector<ClientEvent> events{};
        std::uint64_t connection = 0;

        template <class E>
        std::size_t count() const {
            std::size_t found = 0;
            for (const ClientEvent& event : events) found += std::holds_alternative<E>(event);
            return found;
        }
        bool online() const { return client->state() == State::ready; }
        std::uint64_t generation() const {
            const auto& token = client->login().token();
            return token ? token->generation : 0;
        }
    };

    memory::Network network{{.seed = 91}};
    std::shared_ptr<MemoryAccounts> book = std::make_shared<MemoryAccounts>();
    std::unique_ptr<DeviceServer> server;
    std::vector<std::unique_ptr<Phone>> phones;

    TokenScene() {
        REQUIRE(book->add("ada", test_verifier("secret")));
        start_server();
    }

    void start_server() {
        server.reset();
        server = std::make_unique<DeviceServer>(
            network.listen("chat"), MemoryLog{Entropy::seeded(1)},
            DeviceAuthenticator<CountedCrypto>{book, Buffer(32, std::byte{9}), Entropy::seeded(2)},
            Entropy::seeded(3));
    }

    Phone& add(std::optional<DeviceToken> token = {}, bool with_password = true,
               const std::string& word = "secret") {
        std::optional<PasswordLogin> password;
        if (with_password) password = password_login("ada", word);
        auto login = TestLogin::create("ada", std::move(password), std::move(token)).value();
        phones.push_back(std::make_unique<Phone>());
        Phone& phone = *phones.back();
        phone.client = std::make_unique<DeviceClient>(
            network.dial("chat"), std::move(login), Entropy::seeded(100 + phones.size()),
            ClientConfig{.reconnect = {.delay_max = std::chrono::seconds{1}},
                         .device = device_id(1)});
        phone.client->connect(now());
        phone.connection = network.connections_dialled();
        run_for(std::chrono::seconds{1});
        return phone;
    }

    /// Loses the connection, and has it come back.
    void cut(Phone& phone) {
        network.cut(phone.connection);
        run_for(std::chrono::seconds{5});
        phone.connection = network.connections_dialled();
    }

    Now now() const { return {network.now(), WallTime{std::chrono::hours{24}}}; }

    void run_for(Duration duration) {
        const TimePoint end = network.now() + duration;
        turn();
        while (network.now() < end) {
            std::optional<TimePoint> next = earlier(network.next_event(), server->next_deadline());
            for (const auto& phone : phones) next = earlier(next, phone->client->next_deadline());
            network.advance_to(std::max(network.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }
    void turn() {
        server->process(now());
        for (const auto& phone : phones) {
            phone->client->process(now());
            while (auto event = phone->client->poll_event()) {
                phone->events.push_back(*std::move(event));
            }
        }
    }
};

}  // namespace

TEST_CASE("a second login ends the connection, and tries no other password", "[sim]") {
    TokenScene scene;
    ScriptedPeer peer{scene.network.dial("chat"), [&] { scene.run_for(std::chrono::seconds{1}); },
                      scene.network.now()};
    const StreamId control = peer.open_stream();
    peer.send(control, wire::Hello{0, 0, {}, "{}"});
    (void)peer.expect<wire::Welcome>(control);
    const auto begin = [&] {
        const BytesView first = as_bytes("p=tls-exporter,,n=ada,r=rOprNGfwEbeRWgbNEkqO");
        peer.send(control, wire::LoginBegin{"SCRAM-SHA-256-PLUS", device_id(1),
                                            Buffer(first.begin(), first.end())});
    };
    begin();
    (void)peer.expect<wire::LoginChallenge>(control);
    begin();
    REQUIRE(peer.closed());
    CHECK(peer.closed()->errc == Errc::unexpected_frame);
    CHECK(scene.server->stats().logins_refused.all() == 0);
}

TEST_CASE("a device that logged in by password comes back by its tokens", "[sim]") {
    TokenScene scene;
    TokenScene::Phone& phone = scene.add();
    REQUIRE(phone.online());
    CHECK(phone.generation() == 1);
    REQUIRE(phone.client->join("#lobby"));
    scene.run_for(std::chrono::seconds{1});
    for (std::uint64_t round = 2; round < 8; ++round) {
        scene.cut(phone);
        REQUIRE(phone.online());
        CHECK(phone.generation() == round);
        CHECK(phone.count<RoomJoined>() == round);
    }
    CHECK(phone.count<Offline>() == 0);

    SECTION("also from a program that has nothing but the token") {
        const DeviceToken token = *phone.client->login().token();
        phone.client->close();
        scene.run_for(std::chrono::seconds{1});
        CHECK(scene.add(token, false).online());
    }
    SECTION("also at the server that comes after the server") {
        scene.start_server();
        scene.run_for(std::chrono::minutes{2});
        CHECK(phone.online());
        CHECK(phone.generation() == 8);
    }
    SECTION("and by its password when somebody revoked it") {
        scene.book->remove_device("ada", device_id(1));
        scene.cut(phone);
        CHECK(phone.online());
        CHECK(phone.count<Offline>() == 0);
    }
}

TEST_CASE("a token that was copied", "[sim]") {
    TokenScene scene;
    TokenScene::Phone& owner = scene.add();
    const DeviceToken copy = *owner.client->login().token();

    SECTION(
        "is worth nothing after the owner's next logins, and ends the device when it is shown") {
        scene.cut(owner);  // uses it
        scene.cut(owner);  // uses its successor: the copy is the previous one now
        TokenScene::Phone& thief = scene.add(copy, false);
        CHECK_FALSE(thief.online());
        REQUIRE(std::holds_alternative<Offline>(thief.events.back()));
        CHECK(std::get<Offline>(thief.events.back()).reason.errc == Errc::token_refused);
        // The owner is thrown out as well, and comes back because it knows the password.
        scene.run_for(std::chrono::seconds{5});
        CHECK(owner.online());
        CHECK(owner.count<Reconnecting>() == 3);
        CHECK(scene.book->devices("ada").size() == 1);
    }
    SECTION("is no use to another device") {
        auto login = TestLogin::create("ada", std::nullopt, copy).value();
        DeviceClient thief{scene.network.dial("chat"), std::move(login), Entropy::seeded(5),
                           ClientConfig{.device = device_id(2)}};
        thief.connect(scene.now());
        std::optional<Errc> end;
        for (int i = 0; i < 200 && !end; ++i) {
            scene.run_for(std::chrono::milliseconds{20});
            thief.process(scene.now());
            while (const auto event = thief.poll_event()) {
                if (const auto* off = std::get_if<Offline>(&*event)) end = off->reason.errc;
            }
        }
        CHECK(end == Errc::token_refused);
        CHECK(owner.online());
    }
}

TEST_CASE("a token does not reach the device before it is safe at the server", "[sim]") {
    TokenScene scene;
    scene.book->hold_saves();
    TokenScene::Phone& phone = scene.add();
    REQUIRE(phone.online());
    CHECK(phone.generation() == 0);

    SECTION("and does when it is") {
        scene.book->release_saves();
        scene.run_for(std::chrono::seconds{1});
        CHECK(phone.generation() == 1);
        CHECK(phone.count<TokenRenewed>() == 1);
    }
    SECTION("and never if the server crashes before") {
        scene.book->lose_saves();
        scene.start_server();
        scene.run_for(std::chrono::minutes{2});
        CHECK(phone.online());  // by password
        CHECK(phone.generation() == 1);
        CHECK(phone.count<TokenRenewed>() == 1);
    }
}

TEST_CASE("the log names a lock of logins once", "[sim]") {
    TokenScene scene;
    std::size_t failed = 0;
    std::vector<LoginsLocked> locks;
    const auto read = [&] {
        while (const auto event = scene.server->poll_event()) {
            if (const auto* refused = std::get_if<PeerRefused>(&*event)) {
                CHECK(refused->errc == Errc::login_failed);
                ++failed;
            }
            if (const auto* lock = std::get_if<LoginsLocked>(&*event)) locks.push_back(*lock);
        }
    };
    for (int i = 0; i < 60; ++i) {
        scene.add({}, true, "guess");
        read();
    }
    CHECK(failed > 10);  // ten at once, and another one each thirty seconds
    CHECK(failed < 14);
    REQUIRE(locks.size() == 1);
    CHECK(locks[0].user == "ada");
    CHECK(locks[0].peer_address.starts_with("memory:"));
}
