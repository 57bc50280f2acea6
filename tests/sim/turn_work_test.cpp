#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"
#include "support/shared_log.hpp"

using namespace quicchat;
using namespace quicchat::test;

// What one account asks of a server in a turn is bounded, however much it asks: the others have
// their turn after that.

namespace {

/// Counts what is read from it.
class CountingLog : public SharedLog {
public:
    CountingLog(std::shared_ptr<MemoryLog> log, std::size_t& bytes)
        : SharedLog(std::move(log)), bytes_(&bytes) {}

    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override {
        auto records = SharedLog::read(room, after, count_max);
        if (records) {
            for (const LoggedRecord& logged : *records) *bytes_ += logged.record.text.size();
        }
        return records;
    }

private:
    std::size_t* bytes_;
};

const std::string long_text(32'000, 'x');

/// A server with five rooms full of long texts, and people who ask for all of them.
struct Feast {
    static constexpr std::size_t rooms = 5;
    static constexpr unsigned records = 100;

    Feast() {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < rooms; ++i) names.push_back("#room" + std::to_string(i));
        unsigned number = 0;
        for (const std::string& name : names) {
            REQUIRE(log->open(name, {1000, 100'000'000}));
            for (unsigned i = 0; i < records; ++i) {
                Record record{{}, {}, "cook", long_text, "{}", {}};
                record.id.bytes[0] = static_cast<std::byte>(++number);
                record.id.bytes[1] = static_cast<std::byte>(number >> 8);
                log->append(number, name, std::move(record), {});
                REQUIRE(log->poll_news()->error == Errc{});
            }
        }
        server.emplace(network.listen("chat"), CountingLog{log, bytes}, NameAuthenticator{},
                       Entropy::seeded(2), ServerConfig{.rooms = names});
    }

    struct Guest {
        memory::Client client;
        std::size_t got = 0;
        std::optional<std::size_t> found_at{};  ///< The turn of the server in which a search ended.
    };
    Guest& add(const std::string& user) {
        guests.push_back(std::make_unique<Guest>(Guest{{network.dial("chat"),
                                                        *NameLogin::create(user),
                                                        Entropy::seeded(10 + guests.size()),
                                                        {.reconnect = {.enabled = false}}}}));
        guests.back()->client.connect(now());
        run();
        REQUIRE(guests.back()->client.state() == State::ready);
        return *guests.back();
    }
    Now now() const { return {network.now()}; }

    /// Until nobody has anything to do. Takes note of the most that a turn of the server read.
    void run() {
        for (int turns = 0; turns < 100'000; ++turns) {
            bytes = 0;
            ++turn;
            server->process(now());
            most = std::max(most, bytes);
            for (const auto& guest : guests) {
                guest->client.process(now());
                while (auto event = guest->client.poll_event()) {
                    guest->got += std::holds_alternative<RoomMessage>(*event) ? 1 : 0;
                    if (const auto* page = std::get_if<HistoryPage>(&*event)) {
                        guest->got += page->records.size();
                    }
                    if (std::holds_alternative<SearchPage>(*event)) guest->found_at = turn;
                }
            }
            bool goes_on = false;  // a busy server finds much that has arrived
            for (int events = 0; events < 1000 && network.step(); ++events) goes_on = true;
            if (!goes_on && server->next_deadline() > network.now()) return;
        }
        FAIL("this never ends");
    }

    /// Records, by all.
    std::size_t got() const {
        std::size_t all = 0;
        for (const auto& guest : guests) all += guest->got;
        return all;
    }

    memory::Network network{{.seed = 7}};
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>(Entropy::seeded(1));
    std::size_t bytes = 0;
    std::size_t most = 0;
    std::size_t turn = 0;
    std::optional<memory::Server> server;
    std::vector<std::unique_ptr<Guest>> guests;
};

/// One answer may go beyond it: what is read at once for somebody who is behind.
const std::size_t share = Limits{}.turn_work_max + Limits{}.catch_up_records_max * 32'000;

}  // namespace

TEST_CASE("an account with many devices that catch up gets its share of a turn", "[sim][fair]") {
    Feast feast;
    std::size_t wanted = 0;
    for (unsigned device = 0; device < 10; ++device) feast.add("greedy");
    for (unsigned device = 0; device < 10; ++device) {  // each is somewhere else
        const unsigned count = Feast::records - 9 * device;
        for (std::size_t room = 0; room < Feast::rooms; ++room) {
            REQUIRE(feast.guests[device]->client.join("#room" + std::to_string(room),
                                                      Position::last(count)));
            wanted += count;
        }
    }
    feast.run();
    CHECK(feast.got() == wanted);
    INFO(feast.most);
    CHECK(feast.most <= share);
}

TEST_CASE("so does one that asks for pages", "[sim][fair]") {
    Feast feast;
    for (unsigned device = 0; device < 10; ++device) feast.add("greedy");
    for (unsigned device = 0; device < 10; ++device) {
        for (std::size_t page = 0; page < Limits{}.pages_per_connection_max; ++page) {
            REQUIRE(feast.guests[device]->client.request_history("#room" + std::to_string(page),
                                                                 10 * (device + 1), 9, 0));
        }
    }
    feast.run();
    CHECK(feast.got() == 10 * Limits{}.pages_per_connection_max * 9);
    INFO(feast.most);
    CHECK(feast.most <= share);
}

TEST_CASE("who searches once does not wait for all searches of another", "[sim][fair]") {
    const auto turns_of_bob = [](unsigned devices) {
        Feast feast;
        for (unsigned device = 0; device < devices; ++device) feast.add("greedy");
        Feast::Guest& bob = feast.add("bob");
        for (unsigned device = 0; device < devices; ++device) {
            for (unsigned i = 0; i < Limits{}.pages_per_connection_max; ++i) {
                REQUIRE(feast.guests[device]->client.request_search("#room" + std::to_string(i),
                                                                    "nothing", varint_max, 10));
            }
        }
        REQUIRE(bob.client.request_search("#room4", "nothing", varint_max, 10));
        const std::size_t begun = feast.turn;
        feast.run();
        REQUIRE(bob.found_at);
        return *bob.found_at - begun;
    };
    const std::size_t alone = turns_of_bob(0);
    const std::size_t beside = turns_of_bob(10);
    CAPTURE(alone, beside);
    CHECK(beside <= 2 * alone + 2);
}
