#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "support/printers.hpp"
#include "support/shared_log.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

using RestartingServer = memory::Server;

/// A server that may go and come back, and one client of it.
struct Scene {
    Scene() {
        start();
        client.connect(now());
        REQUIRE(client.join("#lobby"));
        run_for(1s);
        REQUIRE(count<RoomJoined>() == 1);
    }

    void start() {
        server.emplace(network.listen("chat"), SharedLog{log}, NameAuthenticator{},
                       Entropy::seeded(++starts), ServerConfig{.rooms = {"#lobby"}});
    }
    Now now() const { return {network.now(), {}}; }
    void run_for(Duration duration) {
        const TimePoint end = network.now() + duration;
        while (network.now() < end) {
            if (server) server->process(now());
            client.process(now());
            while (auto event = client.poll_event()) events.push_back(*std::move(event));
            std::optional<TimePoint> next = earlier(network.next_event(), client.next_deadline());
            if (server) next = earlier(next, server->next_deadline());
            network.advance_to(std::max(network.now(), std::min(next.value_or(end), end)));
        }
    }
    template <class E>
    std::vector<E> all() const {
        std::vector<E> found;
        for (const ClientEvent& event : events) {
            if (const E* e = std::get_if<E>(&event)) found.push_back(*e);
        }
        return found;
    }
    template <class E>
    std::size_t count() const {
        return all<E>().size();
    }
    std::vector<std::string> texts() const {
        std::vector<std::string> found;
        for (const RoomMessage& message : all<RoomMessage>()) found.push_back(message.text);
        return found;
    }

    std::uint64_t starts = 0;
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>(Entropy::seeded(1));
    memory::Network network{{.seed = 71}};
    std::optional<RestartingServer> server;
    memory::Client client{network.dial("chat"), *NameLogin::create("ada"), Entropy::seeded(3)};
    std::vector<ClientEvent> events;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a client goes on with the server that comes after its server", "[sim]") {
    Scene scene;
    REQUIRE(scene.client.publish("#lobby", "one"));
    scene.run_for(1s);

    SECTION("that crashed, with what it had stored and had not answered") {
        REQUIRE(scene.client.publish("#lobby", "two"));
        scene.server->process(scene.now());
        scene.server.reset();
        REQUIRE(scene.client.publish("#lobby", "three"));
        scene.run_for(90s);  // longer than the idle timeout
        CHECK(scene.count<Reconnecting>() > 1);
        REQUIRE(scene.client.publish("#lobby", "four"));
        scene.start();
        scene.run_for(31s);
        CHECK(scene.texts() == Texts{"one", "two", "three", "four"});
        CHECK(scene.count<Acked>() == 4);
        CHECK(scene.count<RoomGap>() == 0);
        CHECK(scene.all<RoomJoined>().back().recovered);
        CHECK(scene.client.unanswered_requests() == 0);
    }
    SECTION("that shut down in peace") {
        scene.server->shutdown(scene.now());
        scene.run_for(4s);
        CHECK(scene.server->finished());
        CHECK(scene.all<Reconnecting>().front().reason.errc == Errc::server_shutdown);
        scene.server.reset();
        scene.start();
        scene.run_for(31s);
        CHECK(scene.all<RoomJoined>().back().recovered);
        REQUIRE(scene.client.publish("#lobby", "two"));
        scene.run_for(1s);
        CHECK(scene.texts() == Texts{"one", "two"});
    }
    SECTION("that lost its log, and is told so") {
        scene.server.reset();
        scene.log = std::make_shared<MemoryLog>(Entropy::seeded(2));
        scene.start();
        REQUIRE(scene.client.publish("#lobby", "two"));
        scene.run_for(90s);
        REQUIRE(scene.count<RoomGap>() == 1);
        CHECK(scene.all<RoomGap>()[0].cause == RoomGap::Cause::new_epoch);
        CHECK(scene.texts() == Texts{"one", "two"});
    }
    SECTION("that was set back to a copy, and is told so") {
        // The same epoch, and the first record only.
        auto copy = std::make_shared<MemoryLog>(Entropy::seeded(1));
        const Retention retention{100, 100'000};
        REQUIRE(copy->open("#lobby", retention)->epoch == scene.log->head("#lobby").epoch);
        copy->append(1, "#lobby", (*scene.log->read("#lobby", 0, 1))[0].record);
        REQUIRE(copy->poll_news()->offset == 1);
        REQUIRE(scene.client.publish("#lobby", "lost"));
        scene.run_for(1s);
        scene.server.reset();
        scene.log = copy;
        scene.start();
        scene.run_for(90s);
        REQUIRE(scene.count<RoomGap>() == 1);
        const RoomGap gap = scene.all<RoomGap>()[0];
        CHECK(gap.cause == RoomGap::Cause::rolled_back);
        CHECK(gap.first == 2);
        CHECK(gap.last == 2);
        REQUIRE(scene.client.publish("#lobby", "new"));
        scene.run_for(1s);
        CHECK(scene.texts() == Texts{"one", "lost", "new"});
        CHECK(scene.all<RoomMessage>().back().offset == 2);
    }
}
