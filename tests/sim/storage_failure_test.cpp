#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

/// A memory log on a disk that breaks, or is full.
class BreakingLog : public RoomLog {
public:
    explicit BreakingLog(const bool& broken, const bool& full) : broken_(&broken), full_(&full) {}

    Result<LogHead> open(const std::string& room, Retention retention) override {
        if (*broken_) return Errc::storage_failed;
        return log_.open(room, retention);
    }
    void forget(const std::string& room) override { log_.forget(room); }
    Result<std::vector<std::string>> rooms() const override { return log_.rooms(); }
    LogHead head(const std::string& room) const override { return log_.head(room); }
    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes) override {
        if (*full_) return refused_.push_back({token, room, Errc::storage_full});
        log_.append(token, room, std::move(record), std::move(changes));
    }
    void look_up(AppendToken token, const std::string& room, Record record) override {
        log_.look_up(token, room, std::move(record));
    }
    void trim(const std::string& room, WallTime before) override { log_.trim(room, before); }
    void store(const std::string& room, std::vector<StateChange> changes) override {
        log_.store(room, std::move(changes));
    }
    Result<RoomState> state(const std::string& room) const override {
        if (*broken_) return Errc::storage_failed;
        return log_.state(room);
    }
    std::optional<LogNews> poll_news() override {
        if (auto refused = pop_front(refused_)) return refused;
        auto done = log_.poll_news();
        if (done && *broken_) done->error = Errc::storage_failed;
        return done;
    }
    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override {
        if (*broken_) return Errc::storage_failed;
        return log_.read(room, after, count_max);
    }
    Result<std::vector<LoggedRecord>> files(const std::string& room) const override {
        return log_.files(room);
    }
    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const override {
        if (*broken_) return Errc::storage_failed;
        return log_.reactions(room, target, author, text);
    }
    Durability durability() const override { return Durability::memory; }

private:
    const bool* broken_;
    const bool* full_;
    std::deque<LogNews> refused_;
    MemoryLog log_{Entropy::seeded(1)};
};

using BreakingServer = memory::Server;

struct StorageScene {
    bool broken = false;
    bool full = false;
    memory::Network network{{.seed = 31}};
    BreakingServer server{network.listen("chat"),
                          BreakingLog{broken, full},
                          NameAuthenticator{},
                          Entropy::seeded(2),
                          {.limits = {.room_recent_frames_max = 2}}};
    memory::Client ada{network.dial("chat"),
                       *NameLogin::create("ada"),
                       Entropy::seeded(3),
                       {.reconnect = {.enabled = false}}};
    std::vector<ClientEvent> events;

    StorageScene() {
        ada.connect(now());
        run();
        REQUIRE(ada.join("#lobby"));
        for (int i = 0; i < 5; ++i) {
            REQUIRE(ada.publish("#lobby", "text"));
            run();  // she keeps up, so nothing older than recent is in memory
        }
        REQUIRE(count<Acked>() == 5);
    }

    Now now() const { return {network.now()}; }
    void run() {
        do {
            server.process(now());
            ada.process(now());
            while (auto event = ada.poll_event()) events.push_back(*std::move(event));
        } while (network.step());
    }
    template <class E>
    std::size_t count() const {
        std::size_t found = 0;
        for (const ClientEvent& event : events) found += std::holds_alternative<E>(event) ? 1 : 0;
        return found;
    }
    /// The server has stopped, and said why to everybody.
    void check_stopped() {
        CHECK(server.finished());
        REQUIRE(std::holds_alternative<Offline>(events.back()));
        CHECK(std::get<Offline>(events.back()).reason.errc == Errc::storage_failed);
        std::size_t failures = 0;
        while (const auto event = server.poll_event()) {
            failures += std::holds_alternative<ServerFailed>(*event) ? 1 : 0;
        }
        CHECK(failures == 1);
    }
};

}  // namespace

TEST_CASE("a server whose log fails stops, rather than promise what it cannot keep", "[sim]") {
    StorageScene scene;
    scene.broken = true;

    SECTION("when it writes") {
        REQUIRE(scene.ada.publish("#lobby", "lost"));
        REQUIRE(scene.ada.publish("#lobby", "lost as well"));
        scene.run();
        CHECK(scene.count<Acked>() == 5);
        CHECK(scene.count<RoomMessage>() == 5);
        scene.check_stopped();
    }
    SECTION("when it reads") {
        memory::Client bob{scene.network.dial("chat"), *NameLogin::create("bob"),
                           Entropy::seeded(4)};
        bob.connect(scene.now());
        do {
            scene.run();
            bob.process(scene.now());
            while (const auto event = bob.poll_event()) {
                if (std::holds_alternative<Online>(*event)) {
                    REQUIRE(bob.join("#lobby", Position::last(5)));
                }
            }
        } while (scene.network.next_event());
        scene.run();
        scene.check_stopped();
    }
}

TEST_CASE("a server whose disk is full refuses what it cannot store, and goes on", "[sim]") {
    StorageScene scene;
    REQUIRE(scene.ada.publish("#lobby", "stored"));
    scene.run();
    scene.full = true;
    REQUIRE(scene.ada.publish("#lobby", "too much"));
    REQUIRE(scene.ada.tell("ada", "too much"));
    scene.run();
    CHECK(scene.count<Acked>() == 6);
    CHECK(scene.count<RoomMessage>() == 6);
    CHECK(scene.count<PrivateMessage>() == 0);
    REQUIRE(scene.count<Refused>() == 2);
    for (const ClientEvent& event : scene.events) {
        const auto* refused = std::get_if<Refused>(&event);
        if (refused == nullptr) continue;
        CHECK(refused->errc == Errc::storage_full);
        CHECK(refused->retry_after == refused_retry_after);
    }
    REQUIRE(scene.ada.request_members("#lobby"));
    scene.full = false;
    REQUIRE(scene.ada.publish("#lobby", "fits again"));
    scene.run();
    CHECK(scene.count<MemberList>() == 1);
    CHECK(scene.count<Acked>() == 7);
    CHECK_FALSE(scene.server.finished());
}

TEST_CASE("a server whose log cannot be opened does not begin", "[sim]") {
    const bool broken = true;
    const bool full = false;
    memory::Network network{{.seed = 32}};
    BreakingServer server{network.listen("chat"), BreakingLog{broken, full}, NameAuthenticator{},
                          Entropy::seeded(2)};
    CHECK(std::get<ServerFailed>(*server.poll_event()).errc == Errc::storage_failed);
    server.process({network.now()});
    CHECK(server.finished());
}
