#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "support/held_background.hpp"
#include "unit/auth/device_scene.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// A server with one account, and a client whose keys are computed when the test says so.
struct SlowLogin {
    SlowLogin() {
        REQUIRE(book->add("ada", test_verifier("secret")));
        auto login = TestLogin::create("ada", password_login("ada", "secret")).value();
        client.emplace(network.dial("chat"), std::move(login), Entropy::seeded(4),
                       ClientConfig{.reconnect = {.before_first_login = true,
                                                  .delay_max = std::chrono::seconds{1}},
                                    .device = device_id(1)});
        client->compute_in(held.open());
        client->connect(now());
        run_for(std::chrono::seconds{1});
    }

    template <class E>
    std::size_t count() const {
        std::size_t found = 0;
        for (const ClientEvent& event : events) found += std::holds_alternative<E>(event);
        return found;
    }

    Now now() const { return {network.now(), WallTime{std::chrono::hours{24}}}; }

    void run_for(Duration duration) {
        const TimePoint end = network.now() + duration;
        turn();
        while (network.now() < end) {
            auto next = earlier(network.next_event(), server.next_deadline());
            if (client) next = earlier(next, client->next_deadline());
            network.advance_to(std::max(network.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }

    void turn() {
        server.process(now());
        if (!client) return;
        client->process(now());
        while (reads) {
            auto event = client->poll_event();
            if (!event) return;
            events.push_back(*std::move(event));
        }
    }

    memory::Network network{{.seed = 7}};
    std::shared_ptr<MemoryAccounts> book = std::make_shared<MemoryAccounts>();
    memory::Server server{
        network.listen("chat"), MemoryLog{Entropy::seeded(1)},
        DeviceAuthenticator<CountedCrypto>{book, Buffer(32, std::byte{9}), Entropy::seeded(2)},
        Entropy::seeded(3)};
    HeldTasks held;
    std::optional<memory::Client> client;
    std::vector<ClientEvent> events;
    bool reads = true;  ///< The application.
};

}  // namespace

TEST_CASE("a client goes on while the keys of its login are computed,", "[sim]") {
    SlowLogin scene;
    REQUIRE(scene.held.waiting() == 1);
    CHECK(scene.client->state() == State::authenticating);
    CHECK(scene.client->next_deadline());
    REQUIRE(scene.client->join("#lobby"));
    REQUIRE(scene.client->tell("ada", "a note"));

    SECTION("and is online when they are there") {
        scene.run_for(std::chrono::seconds{2});
        CHECK(scene.events.empty());
        scene.held.release();
        scene.run_for(std::chrono::seconds{1});
        CHECK(scene.client->state() == State::ready);
        CHECK(scene.count<Online>() == 1);
        CHECK(scene.count<RoomJoined>() == 1);
        CHECK(scene.count<Acked>() == 1);
        CHECK(scene.client->login().token() != nullptr);
    }
    SECTION("and asks for them now and then, for loops that do not wait for them") {
        CHECK(scene.client->next_deadline() <= scene.network.now() + std::chrono::milliseconds{5});
        scene.held.release();
        scene.run_for(std::chrono::milliseconds{100});
        CHECK(scene.client->state() == State::ready);
    }
    SECTION("and answers by itself") {
        scene.reads = false;
        scene.held.release();
        scene.run_for(std::chrono::seconds{1});
        CHECK(scene.client->state() == State::ready);
    }
    SECTION("gives up when the login takes too long, and uses them when it has come back") {
        scene.run_for(Limits{}.login_timeout);
        REQUIRE(scene.count<Reconnecting>() == 1);
        CHECK(std::get<Reconnecting>(scene.events[0]).reason.errc == Errc::login_timeout);
        scene.run_for(std::chrono::seconds{2});
        CHECK(scene.client->state() == State::authenticating);
        CHECK(scene.held.waiting() == 1);  // not computed once more
        scene.held.release();
        scene.run_for(std::chrono::seconds{1});
        CHECK(scene.count<Online>() == 1);
    }
    SECTION("says nothing on a connection that is lost, and comes back") {
        scene.network.cut(scene.network.connections_dialled());
        while (scene.client->state() != State::connecting)
            scene.run_for(std::chrono::milliseconds{1});
        scene.held.release();
        scene.turn();
        CHECK(scene.client->state() == State::connecting);
        scene.run_for(std::chrono::seconds{3});
        CHECK(scene.count<Online>() == 1);
        CHECK(scene.count<Reconnecting>() == 1);
        CHECK(scene.held.waiting() == 0);
    }
    SECTION("can be closed, and says nothing afterwards") {
        scene.client->close();
        scene.held.release();
        scene.run_for(std::chrono::seconds{1});
        REQUIRE(scene.events.size() == 1);
        CHECK(std::get<Offline>(scene.events[0]).reason.errc == Errc::closed);
        CHECK(scene.server.connection_count() == 0);
    }
    SECTION("can end, and they come to nobody") {
        scene.client.reset();
        scene.held.release();
        scene.run_for(std::chrono::seconds{1});
        CHECK(scene.held.waiting() == 0);
    }
}

TEST_CASE("a login whose keys are computed elsewhere", "[auth]") {
    LoginScene scene;
    HeldTasks held;
    TestLogin client = TestLogin::create("Ada", password_login("Ada", "pencil")).value();
    client.compute_in(held.open());
    scene.connect();
    const LoginStart start = client.start(scene.at_client, device_id(1), login_entropy()).value();
    LoginStep step = scene.begin(start);
    const Buffer challenge = std::get<LoginChallenge>(step).data;
    REQUIRE_FALSE(client.respond(challenge).value().has_value());
    REQUIRE(held.waiting() == 1);
    REQUIRE_FALSE(client.poll().value().has_value());

    SECTION("answers once") {
        held.release();
        const std::optional<Buffer> answer = client.poll().value();
        REQUIRE(answer);
        CHECK_FALSE(client.poll().value());
        step = scene.exchange->respond(*answer);
        CHECK(client.finish(std::get<LoginAccepted>(step).data));
        CHECK_FALSE(client.poll().value());
    }
    SECTION("takes no second challenge") {
        CHECK(client.respond(challenge).error() == Errc::server_not_verified);
        held.release();
        CHECK_FALSE(client.poll().value());
    }
    SECTION("is not over before it has answered") {
        CHECK(client.finish(challenge).error() == Errc::server_not_verified);
        held.release();
        CHECK_FALSE(client.poll().value());
    }
    SECTION("has no answer to what an earlier connection was asked") {
        REQUIRE(client.start(scene.at_client, device_id(1), login_entropy(2)));
        held.release();
        CHECK_FALSE(client.poll().value());
    }
    SECTION("computes anew for another salt, and takes no other keys for it") {
        scene.connect();
        REQUIRE(client.start(scene.at_client, device_id(1), login_entropy()));
        std::string other{as_text(challenge)};
        other.replace(other.find(",s=") + 3, 4, "AAAA");
        REQUIRE_FALSE(client.respond(as_bytes(other)).value());
        CHECK(held.waiting() == 2);
        held.release_one();
        CHECK_FALSE(client.poll().value());
        held.release_one();
        CHECK(client.poll().value());
    }
}
