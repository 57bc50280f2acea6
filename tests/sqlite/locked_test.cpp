#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"

namespace quicchat {
namespace {

using namespace sqlite;

constexpr RoomKey room{1};

AppendRecord append(std::size_t number, std::string text = "hi") {
    Record record;
    record.id.bytes[0] = static_cast<std::byte>(number);
    record.author = "ada";
    record.text = std::move(text);
    return {room, "#a", Epoch{1}, number, std::move(record), {}, false};
}

TEST_CASE("a database that another program has locked refuses for now, and is no failure",
          "[sqlite][io]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    REQUIRE_FALSE(make_database_file(path));
    Entropy entropy = Entropy::seeded(1);
    auto database = open_database({.path = path}, entropy);
    REQUIRE(database);
    auto writer = Writer::create(*std::move(database), Durability::fsync);
    REQUIRE(writer);
    writer->add(CreateRoom{room, "#a", Epoch{1}});
    writer->add(SetRetention{room, {1000, 1'000'000}});
    writer->add(append(1));
    REQUIRE(writer->commit().at(0).news.offset == 1);
    CHECK_FALSE(writer->trouble());

    // As somebody does it by hand, or a program that makes a backup.
    auto other = Database::open(path, OpenMode::read_write);
    REQUIRE(other);
    REQUIRE(other->run("BEGIN IMMEDIATE") == SQLITE_OK);
    writer->add(StoreState{room, {{"key", "value"}}});
    writer->add(append(2));
    writer->add(append(1));
    writer->add(append(1, "other"));
    writer->add(ChangeDevices{.ticket = 5, .account = "ada"});
    const auto done = writer->commit();
    REQUIRE(done.size() == 3);
    CHECK(done[0].news.error == Errc::storage_full);
    CHECK(done[1].news.duplicate);
    CHECK(done[2].news.error == Errc::conflict);
    CHECK_FALSE(writer->failure());
    REQUIRE(writer->trouble());
    CHECK(writer->trouble()->text.find("another program has locked it") != std::string::npos);
    CHECK(writer->has_postponed());
    CHECK(writer->saved() == 0);

    REQUIRE(other->run("COMMIT") == SQLITE_OK);
    writer->add(append(2));
    CHECK(writer->commit().at(0).news.offset == 2);
    CHECK_FALSE(writer->has_postponed());
    CHECK_FALSE(writer->trouble());
    CHECK(writer->saved() == 5);
    CHECK(*read_text(*other, "SELECT value FROM room_state") == "value");
}

TEST_CASE("what a room may not keep goes when a lock is gone, and waits once", "[sqlite][io]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    REQUIRE_FALSE(make_database_file(path));
    Entropy entropy = Entropy::seeded(1);
    auto database = open_database({.path = path}, entropy);
    REQUIRE(database);
    auto writer = Writer::create(*std::move(database), Durability::fsync);
    REQUIRE(writer);
    writer->add(CreateRoom{room, "#a", Epoch{1}});
    writer->add(SetRetention{room, {1000, 1'000'000}});
    for (const std::size_t number : {1u, 2u, 3u}) writer->add(append(number));
    REQUIRE(writer->commit().size() == 3);

    auto other = Database::open(path, OpenMode::read_write);
    REQUIRE(other);
    REQUIRE(other->run("BEGIN IMMEDIATE") == SQLITE_OK);
    for (int i = 0; i < 3; ++i) {
        writer->add(DropOld{room, "#a", Epoch{1}, WallTime{std::chrono::hours{1}}});
        writer->add(append(4));
        const auto refused = writer->commit();
        REQUIRE(refused.size() == 1);
        CHECK(refused[0].news.error == Errc::storage_full);
    }
    REQUIRE(other->run("COMMIT") == SQLITE_OK);
    writer->add(append(4));
    const auto done = writer->commit();
    REQUIRE(done.size() == 2);
    CHECK_FALSE(done[0].is_append());
    CHECK(done[0].first == 4);
    REQUIRE(done[1].is_append());
    CHECK(done[1].news.offset == 4);
    CHECK(done[1].news.record);
}

}  // namespace
}  // namespace quicchat
