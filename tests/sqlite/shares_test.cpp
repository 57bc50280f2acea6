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

    void limit(std::int64_t room, std::size_t records_max, Duration age_min = {}) {
        writer_.add(SetRetention{
            RoomKey{room},
            {.records_max = records_max, .bytes_max = 1 << 30, .ids_max = 10, .age_min = age_min}});
    }

    void append(std::int64_t room, int count, const std::string& author = "ada", WallTime at = {}) {
        for (; count > 0; --count) {
            Record record;
            record.author = author;
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
