#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/store.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"

namespace quicchat {
namespace {

using namespace sqlite;

Record make_record(std::size_t number) {
    Record record;
    record.id.bytes[0] = static_cast<std::byte>(number);
    record.id.bytes[1] = static_cast<std::byte>(number >> 8);
    record.author = "ada";
    record.text = std::string(300, 'x');
    return record;
}

class StoreFixture {
public:
    StoreFixture() { start(); }

    void start() {
        store.reset();
        auto opened =
            Store::open({.path = path, .commit = {.wal_pages_max = 50}}, Entropy::seeded(1));
        if (!opened) FAIL(opened.error().text);
        store = *opened;
        REQUIRE(store->open_room("#a", {5, 1'000'000, 20}));
    }

    bool is_awake(int milliseconds) {
        pollfd wake{store->wake_fd(), POLLIN, 0};
        return ::poll(&wake, 1, milliseconds) == 1;
    }

    void append(std::size_t number) {
        store->append(number, "#a", make_record(number));
        while (!store->poll_news()) REQUIRE(is_awake(10'000));
    }

    std::int64_t count(const char* sql) { return *read_number(store->reader(), sql); }

    test::TemporaryFolder folder;
    std::string path = folder.file("chat.db");
    std::shared_ptr<Store> store;
};

TEST_CASE("a store", "[sqlite][store]") {
    StoreFixture f;

    SECTION("wakes its caller as long as a completion waits") {
        CHECK_FALSE(f.store->poll_news());
        CHECK_FALSE(f.is_awake(50));
        for (std::size_t i = 0; i < 3; ++i) f.store->append(i, "#a", make_record(i));
        for (std::size_t i = 0; i < 3; ++i) {
            while (!f.store->poll_news()) REQUIRE(f.is_awake(10'000));
        }
        while (f.is_awake(0)) CHECK_FALSE(f.store->poll_news());
        CHECK_FALSE(f.is_awake(50));
    }
    SECTION("wakes its caller when devices are saved") {
        const SaveTicket first = f.store->change_devices({.account = "ada"});
        const SaveTicket second = f.store->change_devices({.account = "ada"});
        CHECK(second > first);
        while (f.store->saved() < second) {
            REQUIRE(f.is_awake(10'000));
            CHECK_FALSE(f.store->poll_news());
        }
    }
    SECTION("deletes what retention dropped from the file") {
        for (std::size_t i = 0; i < 100; ++i) f.append(i);
        CHECK(f.count("SELECT count(*) FROM record") <= 6);
        f.start();
        f.append(99);
        CHECK(f.count("SELECT count(*) FROM id_block") == 15);
        CHECK(f.count("SELECT count(*) FROM record") == 5);
        f.store->store_state("#a", {{"key", "value"}});
        f.append(200);
        CHECK(f.count("SELECT count(*) FROM room_state") == 1);
        f.store->forget_room("#a");
        f.start();
        f.append(1);
        CHECK(f.count("SELECT count(*) FROM room_state") == 0);
        CHECK(f.count("SELECT count(*) FROM id_block") == 0);
        CHECK(f.count("SELECT count(*) FROM record") == 1);
        CHECK(f.count("SELECT count(*) FROM room") == 1);
    }
    SECTION("keeps the ids of dropped records in few rows, and forgets them") {
        const auto open = [&] { return f.store->open_room("#b", {400, 10'000'000, 600}); };
        const auto append = [&](std::size_t number, bool duplicate) {
            f.store->append(number, "#b", make_record(number));
            std::optional<LogNews> news;
            while (!(news = f.store->poll_news())) REQUIRE(f.is_awake(10'000));
            REQUIRE(news->error == Errc{});
            REQUIRE(news->duplicate == duplicate);
        };
        REQUIRE(open());
        for (std::size_t i = 0; i < 700; ++i) append(i, false);
        CHECK(f.count("SELECT count(*) FROM id_block") <= 4);
        CHECK(f.count("SELECT count(*) FROM record") <= 400 + 64);
        for (const std::size_t i : {100, 101, 299, 300, 301, 699}) append(i, true);
        f.start();
        REQUIRE(open());
        for (const std::size_t i : {100, 101, 299, 300, 301, 699}) append(i, true);
        for (std::size_t i = 700; i < 800; ++i) append(i, false);
        for (const std::size_t i : {200, 201, 263, 264, 399, 400}) append(i, true);
        append(199, false);
        append(99, false);
        // Of the ids in the file at least half are needed.
        std::size_t ids = 0;
        sqlite::detail::IdBlocks blocks{f.store->reader()};
        REQUIRE(blocks.load([&](RoomKey, const auto&) { ++ids; }) == SQLITE_OK);
        CHECK(ids <= 2 * 200);
        f.store->forget_room("#b");
        f.start();
        f.append(1);
        CHECK(f.count("SELECT count(*) FROM id_block") == 0);
    }
    SECTION("deletes what a crash left, after the start") {
        for (std::size_t i = 0; i < 10; ++i) f.append(i);
        f.store.reset();
        {
            auto database = Database::open(f.path, OpenMode::read_write);
            REQUIRE(database->run("INSERT INTO record SELECT room, 2, bytes, time, x'00', device, "
                                  "author, text, attributes, kind, target, subject, value, until, "
                                  "changed_by, sent FROM record WHERE offset=10") == SQLITE_OK);
        }
        f.start();
        CHECK(f.store->read("#a", 0, 100)->size() == 5);
        f.append(50);
        CHECK(f.count("SELECT min(offset) FROM record") >= 6);
    }
    SECTION("moves the WAL into the file while it runs") {
        for (std::size_t i = 0; i < 500; ++i) f.append(i);
        CHECK(std::filesystem::file_size(f.path + "-wal") < 100 * 4200);
    }
    SECTION("gives the room of the WAL back that grew while somebody read") {
        auto other = Database::open(f.path, OpenMode::read_only);
        REQUIRE(other->run("BEGIN; SELECT * FROM room") == SQLITE_OK);
        for (std::size_t i = 0; i < 500; ++i) f.append(i);
        CHECK(std::filesystem::file_size(f.path + "-wal") > 500 * 4200);
        REQUIRE(other->run("COMMIT") == SQLITE_OK);
        for (std::size_t i = 500; i < 510; ++i) f.append(i);
        CHECK(std::filesystem::file_size(f.path + "-wal") < 100 * 4200);
    }
}

/// What SQLite has in memory, of this process.
std::int64_t sqlite_bytes() {
    sqlite3_int64 current = 0;
    sqlite3_int64 highest = 0;
    REQUIRE(sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &current, &highest, 0) == SQLITE_OK);
    return current;
}

TEST_CASE("a start reads all records and keeps few pages of them", "[sqlite][store]") {
    test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    const auto open = [&] {
        auto store = Store::open({.path = path, .durability = Durability::process},
                                 Entropy::seeded(1));
        if (!store) FAIL(store.error().text);
        (void)(*store)->open_room("#a", {100'000, 1'000'000'000, 20});
        return *store;
    };
    constexpr std::size_t count = 10'000;
    {
        const auto store = open();
        for (std::size_t i = 0; i < count; ++i) {
            Record record = make_record(i);
            record.text = std::string(900, 'x');
            store->append(i, "#a", std::move(record));
        }
        for (std::size_t done = 0; done < count;) {
            pollfd wake{store->wake_fd(), POLLIN, 0};
            REQUIRE(::poll(&wake, 1, 60'000) == 1);
            while (store->poll_news()) ++done;
        }
    }
    const auto file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
    REQUIRE(file_bytes > 10'000'000);
    const std::int64_t before = sqlite_bytes();
    const auto store = open();
    CHECK(sqlite_bytes() - before < file_bytes / 2);
    CHECK(store->head("#a").head == count);
    CHECK(store->read("#a", count - 1, 1)->size() == 1);
}

}  // namespace
}  // namespace quicchat
