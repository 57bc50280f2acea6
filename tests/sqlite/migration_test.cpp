#include <poll.h>

#include <fstream>
#include <span>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"

namespace quicchat::sqlite {
namespace {

constexpr Retention much{1000, 1'000'000};

/// A file as the first version wrote it: a room with a message and three reactions on it.
void write_first_version(const std::string& path) {
    std::ofstream{path};
    Entropy entropy = Entropy::seeded(1);
    const std::span<const Migration> first = std::span{migrations}.first(1);
    auto database = open_database({.path = path, .versions = first}, entropy);
    REQUIRE(database);
    REQUIRE(*read_number(*database, "PRAGMA user_version") == 1);
    REQUIRE(database->run("INSERT INTO room VALUES(1, '#a', 7, 1, 4, 1000)") == SQLITE_OK);
    const auto id = [](char digit) {
        return std::string{"x'0"} + digit + std::string(30, '0') + "', ";
    };
    char number = '0';
    for (const char* text : {"'ada', 'hello', '{}', 0, 0", "'ada', '+1', '{}', 3, 1",
                             "'bob', '+1', '{}', 3, 1", "'bob', '+1', '{}', 4, 1"}) {
        ++number;
        const std::string sql = std::string{"INSERT INTO record VALUES(1, "} + number +
                                ", 200, 5, " + id(number) + id('2') + text + ", '', 0, 0, 0)";
        REQUIRE(database->run(sql) == SQLITE_OK);
    }
}

TEST_CASE("a database of the first version is brought to this one, with all that is in it",
          "[sqlite][files]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    write_first_version(path);
    for (std::uint64_t opened = 1; opened <= 2; ++opened) {
        auto store = Store::open({.path = path}, Entropy::seeded(opened));
        REQUIRE(store);
        SqliteLog log{*store};
        store->reset();
        const auto head = log.open("#a", much);
        REQUIRE(head);
        CHECK(head->epoch == Epoch{7});
        CHECK(head->head == 4);
        const auto records = log.read("#a", 0, 10);
        REQUIRE(records);
        REQUIRE(records->size() == 4);
        CHECK(records->front().record.text == "hello");
        CHECK(*log.reactions("#a", 1, "ada", "+1") == Reactions{3, 1, true});
        CHECK(*log.reactions("#a", 1, "bob", "+1") == Reactions{3, 2, false});
    }
    auto reader = open_reader(path, "");
    REQUIRE(reader);
    CHECK(*read_number(*reader, "PRAGMA user_version") ==
          migrations[std::size(migrations) - 1].version);
    // Who asks for the reactions on a message does not read the whole room.
    for (const char* sql : {detail::count_reactions, detail::select_reaction}) {
        const std::string plan = "EXPLAIN QUERY PLAN " + std::string{sql};
        Statement statement{*reader, plan.c_str()};
        Rows rows = statement.query(1, 1, 1, 4);
        REQUIRE(rows.next());
        INFO(rows.text(3));
        CHECK(
            rows.text(3).find("record_reactions (room=? AND target=? AND offset>? AND offset<?)") !=
            std::string::npos);
    }
}

TEST_CASE("a database whose log knew ids by their records only goes on with more",
          "[sqlite][files]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    write_first_version(path);
    {
        // As it was written before versions stood in order: with the index of version 4.
        Entropy entropy = Entropy::seeded(1);
        const std::span<const Migration> third = std::span{migrations}.first(3);
        auto database = open_database({.path = path, .versions = third}, entropy);
        REQUIRE(database);
        REQUIRE(database->run(migrations[3].sql) == SQLITE_OK);
        REQUIRE(*read_number(*database, "PRAGMA user_version") == 3);
    }
    for (std::uint64_t opened = 1; opened <= 2; ++opened) {
        auto store = Store::open({.path = path}, Entropy::seeded(opened));
        REQUIRE(store);
        SqliteLog log{*store};
        REQUIRE(log.open("#a", {.records_max = 2, .bytes_max = 1'000'000, .ids_max = 10}));
        const auto append = [&](const Record& record) {
            log.append(1, "#a", record, {});
            while (true) {
                if (const auto done = log.poll_news()) return *done;
                pollfd wake{(*store)->wake_fd(), POLLIN, 0};
                (void)::poll(&wake, 1, 100);
            }
        };
        Record record;
        record.author = "eve";
        record.attributes = "{}";
        CHECK(append(record).offset == 5);
        // The first records are gone by now.
        record.author = "ada";
        record.text = "hello";
        record.id.bytes[0] = std::byte{1};
        record.device.bytes[0] = std::byte{2};
        CHECK(append(record).duplicate);
        record.text = "another";
        CHECK(append(record).error == Errc::conflict);
        CHECK(log.head("#a").first == 4);
    }
}

}  // namespace
}  // namespace quicchat::sqlite
