#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <utility>

#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/store.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"

using namespace quicchat;
using namespace quicchat::sqlite;

namespace {

/// A room whose rows are deleted long after its records were dropped, as a busy server does it.
class Room {
public:
    explicit Room(const std::string& path) : writer_(open(path)) {
        writer_.add(CreateRoom{key, "#a", epoch});
        limit(1'000'000);
    }

    void append(unsigned count) {
        for (; count > 0; --count) {
            Record record;
            record.author = "Ada";
            record.text = "ten octets";
            record.time = WallTime{std::chrono::milliseconds{++number_}};
            for (unsigned i = 0; i < 4; ++i) {
                record.id.bytes[i] = static_cast<std::byte>(number_ >> (8 * i));
            }
            writer_.add(AppendRecord{key, "#a", epoch, number_, record});
            if (number_ % 100 == 0) commit();
        }
        commit();
    }

    void limit(std::size_t records_max) {
        writer_.add(
            SetRetention{key, {.records_max = records_max, .bytes_max = 1 << 30, .ids_max = 1000}});
    }

    Offset drop_old() {
        writer_.add(DropOld{key, "#a", epoch, WallTime::min()});
        return writer_.commit().at(0).first;
    }

    void trim(Offset first, bool at_once) {
        writer_.add(TrimRoom{key, first, at_once});
        commit();
    }

    const StoredRoom& state() const { return writer_.rooms().at(key); }

private:
    static constexpr RoomKey key{1};
    static constexpr Epoch epoch{7};

    static Writer open(const std::string& path) {
        Entropy entropy = Entropy::seeded(5);
        REQUIRE_FALSE(make_database_file(path));
        auto database = open_database({.path = path, .durability = Durability::process}, entropy);
        REQUIRE(static_cast<bool>(database));
        auto writer = Writer::create(*std::move(database), Durability::process);
        REQUIRE(static_cast<bool>(writer));
        return *std::move(writer);
    }

    void commit() {
        (void)writer_.commit();
        REQUIRE_FALSE(writer_.failure());
    }

    Writer writer_;
    unsigned number_ = 0;
};

}  // namespace

TEST_CASE("what was dropped is not dropped again when its rows are deleted late", "[sqlite][log]") {
    const unsigned kept = GENERATE(100u, 1000u);
    const unsigned between = GENERATE(2u, 63u, 64u, 200u, 2000u);
    const bool at_once = GENERATE(true, false);
    CAPTURE(kept, between, at_once);
    const test::TemporaryFolder folder;
    Room room{folder.file("chat.db")};
    room.append(3000);
    const std::int64_t one = room.state().bytes / 3000;
    room.limit(kept);
    const Offset first = room.drop_old();
    CHECK(first == 3001 - kept);
    room.append(between);
    room.trim(first, at_once);
    room.append(5);
    CHECK(room.state().head == 3005 + between);
    CHECK(room.state().first == 3006 + between - kept);
    CHECK(room.state().bytes == one * kept);
    room.trim(room.state().first, true);
    room.append(70);
    CHECK(room.state().bytes == one * kept);
}

TEST_CASE("a batch drops its share of a long room, and goes on with the next", "[sqlite][log]") {
    const test::TemporaryFolder folder;
    Room room{folder.file("chat.db")};
    room.append(10'000);
    room.limit(100);
    room.append(1);  // who writes does not wait for all of it
    CHECK(room.state().first > 1);
    CHECK(room.state().first < 1000);
    int batches = 0;
    for (Offset before = 0; room.state().first != std::exchange(before, room.state().first);) {
        room.trim(room.drop_old(), true);
        REQUIRE(++batches < 10);
    }
    CHECK(batches > 2);
    CHECK(room.state().first == 10'001 - 100 + 1);
}
