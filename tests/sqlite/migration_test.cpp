#include <poll.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory/random.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/id_blocks.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"
#include "sqlite/faulty_disk.hpp"
#include "sqlite/power_failure.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

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
        CHECK(rows.text(3).find(
                  "record_acts (room=? AND kind=? AND target=? AND offset>? AND offset<?)") !=
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

/// A file of version 5 in which each id whose record is gone has a row: of two devices in a room,
/// far apart and beside each other, and of another room.
void write_ids_in_rows(const std::string& path) {
    std::ofstream{path};
    Entropy entropy = Entropy::seeded(1);
    auto database =
        open_database({.path = path, .versions = std::span{migrations}.first(5)}, entropy);
    REQUIRE(database);
    for (const char* sql :
         {"INSERT INTO room VALUES(1, '#a', 7, 2001, 2000, 0)",
          "INSERT INTO room VALUES(2, '#b', 8, 101, 100, 0)",
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) "
          "INSERT INTO old_id SELECT 1, i, 'ada', CAST(printf('%016d', i%3) AS BLOB), "
          "CAST(printf('%016d', i) AS BLOB), 1000+i, -i FROM n WHERE i<500 OR i%7=0",
          "INSERT INTO old_id VALUES(2, 100, 'bob', zeroblob(16), zeroblob(16), 5, 0)",
          "PRAGMA wal_checkpoint(TRUNCATE)"}) {
        REQUIRE(database->run(sql) == SQLITE_OK);
    }
}

TEST_CASE("ids that had a row each are put into blocks", "[sqlite][files]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    write_ids_in_rows(path);
    const auto look_up = [&](SqliteLog& log, int wake_fd, const std::string& room,
                             const Record& record) {
        log.look_up(1, room, record);
        while (true) {
            if (const auto done = log.poll_news()) return *done;
            pollfd wake{wake_fd, POLLIN, 0};
            (void)::poll(&wake, 1, 100);
        }
    };
    for (std::uint64_t opened = 1; opened <= 2; ++opened) {
        auto store = Store::open({.path = path}, Entropy::seeded(opened));
        REQUIRE(store);
        CHECK(*read_number((*store)->reader(), "SELECT count(*) FROM id_block") < 40);
        CHECK(*read_number((*store)->reader(),
                           "SELECT count(*) FROM sqlite_schema WHERE name='old_id'") == 0);
        SqliteLog log{*store};
        const Retention retention{.records_max = 10, .bytes_max = 1'000'000, .ids_max = 1000};
        REQUIRE(log.open("#a", retention));
        REQUIRE(log.open("#b", retention));
        const auto digits = [](std::size_t number, auto& bytes) {
            const std::string text = std::to_string(number);
            const std::string padded = std::string(16 - text.size(), '0') + text;
            for (std::size_t i = 0; i < 16; ++i) bytes[i] = static_cast<std::byte>(padded[i]);
        };
        for (std::size_t i = 1; i <= 2000; ++i) {
            Record record;
            record.author = "ada";
            digits(i % 3, record.device.bytes);
            digits(i, record.id.bytes);
            const LogNews news = look_up(log, (*store)->wake_fd(), "#a", record);
            const bool is_known = i < 500 || i % 7 == 0;
            // The mark is that of no record.
            REQUIRE(news.error == (is_known ? Errc::conflict : Errc::no_such_message));
            if (is_known) REQUIRE(news.offset == i);
            if (is_known) REQUIRE(news.time == WallTime{std::chrono::milliseconds{1000 + i}});
        }
        Record record;
        record.author = "bob";
        CHECK(look_up(log, (*store)->wake_fd(), "#b", record).duplicate);  // it was changed
    }
}

/// What is known of ids without records, in whichever form.
std::map<Offset, std::uint64_t> marks_in(Database& database) {
    std::map<Offset, std::uint64_t> marks;
    if (*read_number(database, "PRAGMA user_version") == 5) {
        Statement select{database, "SELECT offset, mark FROM old_id WHERE room=1"};
        Rows rows = select.query();
        while (rows.next()) {
            marks[static_cast<Offset>(rows.number(0))] = static_cast<std::uint64_t>(rows.number(1));
        }
        return marks;
    }
    const auto take = [&](RoomKey room, const detail::OldRecord& id) {
        if (room == RoomKey{1}) marks[id.id.offset] = id.id.mark;
    };
    REQUIRE(detail::IdBlocks{database}.load(take) == SQLITE_OK);
    return marks;
}

TEST_CASE("no id is lost when the power fails while they are put into blocks", "[sqlite][power]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    write_ids_in_rows(path);
    std::ifstream file{path, std::ios::binary};
    const std::string written{std::istreambuf_iterator<char>{file}, {}};
    const test::DiskFiles before{{"chat.db", {written.begin(), written.end()}}};
    Entropy entropy = Entropy::seeded(1);
    const auto open_old = [&](const test::FaultyDisk& disk) {
        return open_database(
            {.path = "chat.db", .vfs = disk.vfs(), .versions = std::span{migrations}.first(5)},
            entropy);
    };
    std::map<Offset, std::uint64_t> expected;
    {
        test::FaultyDisk disk{before};
        auto database = open_old(disk);
        REQUIRE(database);
        expected = marks_in(*database);
        REQUIRE(expected.size() > 600);
    }
    test::FaultyDisk disk{before};
    REQUIRE(open_database({.path = "chat.db", .vfs = disk.vfs()}, entropy));
    memory::Random random{test::seed()};
    INFO("seed=" << test::seed());
    test::PowerFailure power{before};
    std::size_t old_ones = 0;
    for (const test::DiskOperation& operation : disk.operations()) {
        power.apply(operation);
        for (const auto fate : test::PowerFailure::fates) {
            test::FaultyDisk after{power.image(fate, random)};
            if (auto database = open_old(after)) {
                ++old_ones;
                REQUIRE(marks_in(*database) == expected);
            }
            auto database = open_database({.path = "chat.db", .vfs = after.vfs()}, entropy);
            REQUIRE(database);
            REQUIRE(marks_in(*database) == expected);
        }
    }
    CHECK(old_ones > 0);
    CHECK(old_ones < 5 * disk.operations().size());
}

}  // namespace
}  // namespace quicchat::sqlite
