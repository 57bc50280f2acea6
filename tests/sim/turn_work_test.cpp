#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/file/memory_files.hpp"
#include "sim/world.hpp"
#include "support/shared_log.hpp"
#include "unit/auth/reference_crypto.hpp"

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

/// The same of files; also what is put into it.
class CountingFiles : public MemoryFiles<ReferenceCrypto> {
public:
    explicit CountingFiles(std::size_t& bytes) : bytes_(&bytes) {}

    void write(FileToken token, const std::string& key, std::uint64_t offset,
               Bytes bytes) override {
        *bytes_ += bytes.size();
        MemoryFiles::write(token, key, offset, std::move(bytes));
    }
    void read(FileToken token, const std::string& key, std::uint64_t offset,
              std::size_t count) override {
        *bytes_ += count;
        MemoryFiles::read(token, key, offset, count);
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
                       Entropy::seeded(2), ServerConfig{.rooms = names}, CountingFiles{bytes});
    }

    struct Guest {
        memory::Client client;
        std::size_t got = 0;
        std::optional<std::size_t> found_at{};  ///< The turn of the server in which a search ended.
        std::vector<std::uint64_t> listed{};  ///< What is unread, of each room in each list.
        std::map<RequestId, Buffer> sending{};  ///< Files.
        std::size_t sent = 0;
        std::size_t fetched = 0;
        std::size_t fetched_at = 0;  ///< The turn of the latest.
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
                    if (const auto* list = std::get_if<RoomList>(&*event)) {
                        for (const RoomSummary& room : list->rooms) {
                            guest->listed.push_back(room.unread);
                        }
                    }
                    take_file(*guest, *event);
                }
            }
            bool goes_on = false;  // a busy server finds much that has arrived
            for (int events = 0; events < 1000 && network.step(); ++events) goes_on = true;
            if (!goes_on && server->next_deadline() > network.now()) return;
        }
        FAIL("this never ends");
    }

    void take_file(Guest& guest, const ClientEvent& event) {
        if (const auto* wanted = std::get_if<FileWanted>(&event)) {
            const BytesView all{guest.sending.at(wanted->request)};
            const BytesView rest = all.subspan(static_cast<std::size_t>(wanted->offset));
            const std::size_t count = std::min(rest.size(), wanted->bytes_max);
            (void)guest.client.give_file(wanted->request, wanted->offset, rest.first(count));
        }
        if (std::holds_alternative<Acked>(event)) ++guest.sent;
        if (!std::holds_alternative<FileFetched>(event)) return;
        ++guest.fetched;
        guest.fetched_at = turn;
    }

    static void send_file(Guest& guest, std::size_t size, std::uint8_t content) {
        Buffer bytes(size, std::byte{content});
        const Digest digest = ReferenceCrypto::sha256(bytes);
        const auto request = guest.client.send_file(
            "#room0",
            {.name = "a file", .size = size, .digest = Buffer(digest.begin(), digest.end())});
        REQUIRE(request);
        guest.sending[*request] = std::move(bytes);
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

TEST_CASE("so does one that lists its rooms", "[sim][fair]") {
    Feast feast;  // nobody has counted yet what is unread in them
    for (unsigned device = 0; device < 10; ++device) feast.add("greedy");
    feast.most = 0;
    for (const auto& guest : feast.guests) {
        REQUIRE(guest->client.request_rooms());
        REQUIRE(guest->client.request_rooms());
    }
    feast.run();
    for (const auto& guest : feast.guests) {
        CHECK(guest->listed == std::vector<std::uint64_t>(2 * Feast::rooms, Feast::records));
    }
    INFO(feast.most);
    CHECK(feast.most > Limits{}.turn_work_max);
    CHECK(feast.most <= share);
}

TEST_CASE("the server's own program asks for lists in such pieces, too", "[sim][fair]") {
    Feast feast;
    std::vector<std::string> listed;
    std::size_t most = 0;
    for (bool complete = false; !complete;) {
        const std::size_t before = feast.bytes;
        const auto page = feast.server->room_admin().list_for(
            "greedy", listed.empty() ? std::string_view{} : listed.back());
        REQUIRE(page);
        for (const RoomSummary& room : page->first) {
            CHECK(room.unread == Feast::records);
            listed.push_back(room.room);
        }
        complete = page->second;
        most = std::max(most, feast.bytes - before);
        REQUIRE(feast.bytes < 2 * Feast::rooms * Feast::records * long_text.size());  // it goes on
    }
    CHECK(listed.size() == Feast::rooms);
    CHECK(most <= share);
}

TEST_CASE("so does one that sends files", "[sim][fair][files]") {
    Feast feast;
    constexpr std::uint8_t files = 8;  // uploads_per_account_max
    for (unsigned device = 0; device < 4; ++device) feast.add("greedy");
    feast.most = 0;
    for (std::uint8_t i = 0; i < files; ++i) {
        Feast::send_file(*feast.guests[i % 4], 1'500'000, i);
    }
    feast.run();
    std::size_t sent = 0;
    for (const auto& guest : feast.guests) sent += guest->sent;
    CHECK(sent == files);
    INFO(feast.most);
    CHECK(feast.most <= Limits{}.turn_work_max + Limits{}.file_chunk_bytes_max);
}

TEST_CASE("so does one that fetches files", "[sim][fair][files]") {
    Feast feast;
    Feast::send_file(feast.add("cook"), 1'500'000, 1);
    feast.run();
    REQUIRE(feast.guests[0]->sent == 1);
    for (unsigned device = 0; device < 4; ++device) feast.add("greedy");
    feast.most = 0;
    std::size_t wanted = 0;
    for (unsigned device = 1; device <= 4; ++device) {
        for (std::size_t i = 0; i < Limits{}.transfers_per_connection_max; ++i, ++wanted) {
            REQUIRE(feast.guests[device]->client.fetch_file("#room0", Feast::records + 1));
        }
    }
    feast.run();
    std::size_t fetched = 0;
    for (const auto& guest : feast.guests) fetched += guest->fetched;
    CHECK(fetched == wanted);
    INFO(feast.most);
    // One piece may go beyond it.
    CHECK(feast.most <= Limits{}.turn_work_max + 4 * Limits{}.file_chunk_bytes_max);
}

TEST_CASE("who fetches one file does not wait for all those of another", "[sim][fair][files]") {
    const auto turns_of_bob = [](unsigned devices) {
        Feast feast;
        Feast::send_file(feast.add("cook"), 1'500'000, 1);
        feast.run();
        for (unsigned device = 0; device < devices; ++device) feast.add("greedy");
        Feast::Guest& bob = feast.add("bob");
        for (unsigned device = 1; device <= devices; ++device) {
            for (std::size_t i = 0; i < Limits{}.transfers_per_connection_max; ++i) {
                REQUIRE(feast.guests[device]->client.fetch_file("#room0", Feast::records + 1));
            }
        }
        REQUIRE(bob.client.fetch_file("#room0", Feast::records + 1));
        const std::size_t begun = feast.turn;
        feast.run();
        REQUIRE(bob.fetched == 1);
        return bob.fetched_at - begun;
    };
    const std::size_t alone = turns_of_bob(0);
    const std::size_t beside = turns_of_bob(4);
    CAPTURE(alone, beside);
    CHECK(beside <= 2 * alone + 2);
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
