#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/faulty_disk.hpp"
#include "support/printers.hpp"

// How much of what is to be dropped one append and one transaction drop: others wait for it.

namespace quicchat {
namespace {

using namespace sqlite;
using std::chrono::hours;

constexpr std::size_t dropped_per_commit_max = 4096;

/// Rooms of one writer, by their numbers.
class Rooms {
public:
    void create(std::int64_t room) {
        writer_.add(CreateRoom{RoomKey{room}, std::to_string(room), epoch});
        limit(room, 1'000'000);
    }

    void limit(std::int64_t room, std::size_t records_max, Duration age_min = {},
               std::size_t bytes_max = 1 << 30) {
        writer_.add(SetRetention{RoomKey{room},
                                 {.records_max = records_max,
                                  .bytes_max = bytes_max,
                                  .ids_max = 10,
                                  .age_min = age_min}});
    }

    void append(std::int64_t room, int count, const std::string& author = "ada", WallTime at = {},
                std::size_t text_bytes = 0) {
        for (; count > 0; --count) {
            Record record;
            record.author = author;
            record.text.assign(text_bytes, 'x');
            record.time = at;
            ++newest_;
            std::memcpy(record.id.bytes.data(), &newest_, sizeof newest_);
            writer_.add(AppendRecord{RoomKey{room}, std::to_string(room), epoch, newest_, record});
        }
    }

    void drop_old(std::int64_t room, WallTime before) {
        writer_.add(DropOld{RoomKey{room}, std::to_string(room), epoch, before});
    }

    Writer& writer() { return writer_; }

    const StoredRoom& at(std::int64_t room) const { return writer_.rooms().at(RoomKey{room}); }

    std::size_t dropped() const {
        std::size_t sum = 0;
        for (const auto& [key, room] : writer_.rooms()) sum += room.first - 1;
        return sum;
    }

private:
    static constexpr Epoch epoch{7};

    Writer open() {
        Entropy entropy = Entropy::seeded(5);
        auto database = open_database({.path = "chat.db", .vfs = disk_.vfs()}, entropy);
        REQUIRE(static_cast<bool>(database));
        auto writer = Writer::create(*std::move(database), Durability::process);
        REQUIRE(static_cast<bool>(writer));
        return *std::move(writer);
    }

    test::FaultyDisk disk_{{{"chat.db", {}}}};
    Writer writer_ = open();
    std::uint64_t newest_ = 0;
};

TEST_CASE("a transaction drops no more because many rooms ask for it", "[sqlite][log]") {
    constexpr std::int64_t count = 40;
    Rooms rooms;
    for (std::int64_t room = 1; room <= count; ++room) {
        rooms.create(room);
        rooms.append(room, 500);
        (void)rooms.writer().commit();
        rooms.limit(room, 10);
    }
    (void)rooms.writer().commit();

    SECTION("by rules") {
        for (std::int64_t room = 1; room <= count; ++room) rooms.drop_old(room, WallTime::min());
        std::size_t before = 0;
        bool goes_on = true;
        for (int commits = 0; goes_on; ++commits) {
            REQUIRE(commits < 20);
            const std::vector<WriteDone> answers = rooms.writer().commit();
            CHECK(rooms.dropped() - before <= dropped_per_commit_max);
            before = rooms.dropped();
            goes_on = false;
            for (const WriteDone& done : answers) {
                rooms.writer().add(TrimRoom{done.room, done.first, true});
                if (!done.more_before) continue;
                rooms.drop_old(static_cast<std::int64_t>(done.room), *done.more_before);
                goes_on = true;
            }
        }
        CHECK(rooms.dropped() == count * 490);
    }
    SECTION("by appends, of which each drops some all the same") {
        for (std::int64_t room = 1; room <= count; ++room) rooms.append(room, 1);
        (void)rooms.writer().commit();
        CHECK(rooms.dropped() <= dropped_per_commit_max + 2 * count);
        for (const auto& [key, room] : rooms.writer().rooms()) CHECK(room.first > 2);
    }
}

TEST_CASE("a room in bytes stays within them, whatever a transaction has dropped",
          "[sqlite][log]") {
    constexpr std::int64_t bytes_max = 4 << 20;
    Rooms rooms;
    rooms.create(1);
    rooms.limit(1, 1'000'000, {}, bytes_max);
    rooms.append(1, 30'000);  // of the least that a record has
    (void)rooms.writer().commit();
    for (int commit = 0; commit < 4; ++commit) {
        rooms.append(1, 64, "bob", {}, 40'000);
        (void)rooms.writer().commit();
        CHECK(rooms.at(1).bytes <= bytes_max);
    }
    CHECK(rooms.at(1).first > 2 * static_cast<Offset>(dropped_per_commit_max));
}

TEST_CASE("a room that was given fewer bytes shrinks by a bounded number of records an append",
          "[sqlite][log]") {
    constexpr std::size_t dropped_per_append_max = 256;
    Rooms rooms;
    rooms.create(1);
    rooms.append(1, 1000, "bob", {}, 100);
    (void)rooms.writer().commit();
    rooms.limit(1, 1'000'000, {}, 10'000);
    for (std::size_t append = 1; append <= 3; ++append) {
        rooms.append(1, 1, "ada", {}, 100);
        (void)rooms.writer().commit();
        CHECK(rooms.dropped() == append * dropped_per_append_max);
    }
    rooms.append(1, 1, "ada", {}, 100);
    (void)rooms.writer().commit();
    CHECK(rooms.at(1).bytes <= 10'000);
}

TEST_CASE("who is in haste leaves nothing for others to push out", "[sqlite][log]") {
    constexpr std::int64_t bytes_max = 16 << 20;
    const WallTime now{hours{24 * 30}};
    Rooms rooms;
    rooms.create(1);
    rooms.limit(1, 4096, hours{24 * 7}, bytes_max);
    rooms.append(1, 3500, "bob");
    rooms.append(1, 32, "carol", now - hours{20});
    const Offset carols = 3501;
    for (bool is_refused = false; !is_refused;) {
        REQUIRE(rooms.at(1).head < 5000);
        rooms.append(1, 1, "eve", now, 40'000);
        is_refused = rooms.writer().commit().back().news.error == Errc::rate_limited;
        CHECK(rooms.at(1).bytes <= bytes_max);
    }
    rooms.append(1, 1, "dan", now, 1);
    CHECK(rooms.writer().commit().back().news.error == Errc{});
    CHECK(rooms.at(1).first <= carols);
}

TEST_CASE("who is in haste may push out what is old before what is young", "[sqlite][log]") {
    Rooms rooms;
    rooms.create(1);
    const WallTime now{hours{100}};
    rooms.append(1, 400, "bob");
    rooms.append(1, 1, "bob", now);
    rooms.append(1, 300, "ada", now);
    (void)rooms.writer().commit();
    rooms.limit(1, 100, hours{1});
    // No more is looked at than one append pushes out.
    rooms.append(1, 1, "ada", now);
    CHECK(rooms.writer().commit().back().news.error == Errc{});
    CHECK(rooms.dropped() == 256);
    rooms.append(1, 1, "ada", now);
    CHECK(rooms.writer().commit().back().news.error == Errc::rate_limited);
    CHECK(rooms.dropped() == 256);
}

}  // namespace
}  // namespace quicchat
