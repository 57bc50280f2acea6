#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/siphash.hpp"
#include "quicchat/memory/random.hpp"
#include "quicchat/sqlite/names.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/faulty_disk.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

namespace quicchat {
namespace {

using namespace sqlite;
using sqlite::detail::Names;

std::vector<Offset> sorted(std::vector<Offset> offsets) {
    std::sort(offsets.begin(), offsets.end());
    return offsets;
}

TEST_CASE("a table of names", "[sqlite][names]") {
    SECTION("finds what is in it, and nothing else") {
        const std::uint64_t seed = test::seed();
        INFO("seed=" << seed);
        memory::Random random{seed};
        NameTable table;
        std::multimap<std::uint64_t, Offset> expected;
        Offset head = 0xffff'fff0;  // the low half of the offsets begins anew on the way
        for (int i = 0; i < 20'000; ++i) {
            // Few and close together, so that many share a place.
            const std::uint64_t hash = random.draw(0, 300) << 33;
            if (random.chance(52)) {
                table.insert(hash, ++head);
                expected.emplace(hash, head);
            } else if (!expected.empty()) {
                auto gone = expected.lower_bound(hash);
                if (gone == expected.end()) gone = expected.begin();
                table.erase(gone->first, gone->second);
                table.erase(gone->first, gone->second);  // does nothing
                expected.erase(gone);
            }
            REQUIRE(table.size() == expected.size());
            std::vector<Offset> there;
            const auto [begin, end] = expected.equal_range(hash);
            for (auto at = begin; at != end; ++at) there.push_back(at->second);
            REQUIRE(sorted(table.find(hash, head)) == sorted(there));
        }
    }
    SECTION("finds each of many, and those whose places are at its end") {
        const std::uint64_t seed = test::seed();
        INFO("seed=" << seed);
        memory::Random random{seed};
        constexpr Offset count = 5'000;
        NameTable table;
        std::vector<std::uint64_t> hashes{0};
        for (Offset offset = 1; offset <= count; ++offset) {
            const std::uint64_t hash = random.draw(0, ~std::uint64_t{0} - 1);
            hashes.push_back(random.chance(5) ? hash | 0xffff'ff00'0000'0000 : hash);
            table.insert(hashes.back(), offset);
        }
        for (Offset offset = 1; offset <= count; offset += 2) table.erase(hashes[offset], offset);
        CHECK(table.size() == count / 2);
        for (Offset offset = 1; offset <= count; ++offset) {
            const std::vector<Offset> found = table.find(hashes[offset], count);
            REQUIRE(std::ranges::count(found, offset) == (offset % 2 == 0 ? 1 : 0));
        }
    }
    SECTION("has nothing at first") {
        NameTable table;
        table.erase(1, 1);
        CHECK(table.find(1, 10).empty());
    }
}

TEST_CASE("the names of all rooms", "[sqlite][names]") {
    constexpr RoomKey a{1};
    constexpr RoomKey b{2};
    Names names;
    names.insert(a, 5ull << 40, 1);
    names.insert(b, 5ull << 40, 2);
    names.accept();

    SECTION("are told apart by the room") {
        CHECK(names.find(a, 5ull << 40, 9) == std::vector<Offset>{1});
        CHECK(names.find(b, 5ull << 40, 9) == std::vector<Offset>{2});
        CHECK(names.find(RoomKey{3}, 5ull << 40, 9).empty());
    }
    SECTION("are again what they were when a transaction fails") {
        names.insert(a, 6ull << 40, 3);
        names.erase(a, 5ull << 40, 1);
        names.erase(b);
        CHECK(names.find(a, 6ull << 40, 9) == std::vector<Offset>{3});
        names.roll_back();
        names.accept();
        CHECK(names.find(a, 6ull << 40, 9).empty());
        CHECK(names.find(a, 5ull << 40, 9) == std::vector<Offset>{1});
        CHECK(names.find(b, 5ull << 40, 9) == std::vector<Offset>{2});
    }
    SECTION("are gone when records were dropped") {
        names.erase(a, 5ull << 40, 1);
        names.erase(b);
        names.accept();
        CHECK(names.find(a, 5ull << 40, 9).empty());
        CHECK(names.find(b, 5ull << 40, 9).empty());
    }
    SECTION("have another hash if anything is different") {
        const Buffer one(16, std::byte{1});
        const Buffer two(16, std::byte{2});
        CHECK(names.hash("ada", one, two) == names.hash("ada", one, two));
        CHECK(names.hash("ada", one, two) != names.hash("ada", two, one));
        CHECK(names.hash("ada", one, two) != names.hash("adb", one, two));
    }
}

Record make_record(std::uint32_t number) {
    Record record;
    for (std::size_t i = 0; i < 4; ++i) {
        record.id.bytes[i] = static_cast<std::byte>(number >> (8 * i));
    }
    record.author = "ada";
    return record;
}

TEST_CASE("a writer tells records apart whose names collide", "[sqlite][names]") {
    const test::FaultyDisk disk{{{"chat.db", {}}}};
    Entropy entropy = Entropy::seeded(1);
    const auto open = [&] {
        auto database = open_database({.path = "chat.db", .vfs = disk.vfs()}, entropy);
        REQUIRE(database);
        return database;
    };
    // Half of a hash is kept: among so many names two share it.
    SipHash::Key key{};
    {
        auto database = open();
        Statement select{*database, "SELECT value FROM meta WHERE key='secret'"};
        Rows rows = select.query();
        REQUIRE(rows.next());
        for (std::size_t i = 0; i < 2; ++i) {
            key[i] = load_word(rows.bytes(0).subspan(8 * i, 8));
        }
    }
    Names names{SipHash{key}};
    std::map<std::uint64_t, std::uint32_t> seen;
    std::optional<std::pair<Record, Record>> twins;
    for (std::uint32_t i = 0; i < 1'000'000 && !twins; ++i) {
        const Record record = make_record(i);
        const std::uint64_t hash = names.hash("ada", record.device.bytes, record.id.bytes);
        const auto [found, is_new] = seen.emplace(hash >> 33, i);
        if (!is_new) twins = std::pair{make_record(found->second), record};
    }
    REQUIRE(twins);

    constexpr RoomKey room{1};
    for (int restarts = 0; restarts < 2; ++restarts) {
        auto writer = Writer::create(*open(), Durability::fsync);
        REQUIRE(writer);
        if (restarts == 0) writer->add(CreateRoom{room, "#a", Epoch{1}});
        writer->add(SetRetention{room, {100, 100'000}});
        Offset expected = 0;
        for (const Record& record : {twins->first, twins->second}) {
            Record other = record;
            other.text = "other";
            for (const Record& again : {record, record, other}) {
                writer->add(AppendRecord{room, "#a", Epoch{1}, 0, again, {}, false});
            }
            const auto done = writer->commit();
            CHECK(done.at(0).news.offset == ++expected);
            CHECK(done.at(0).news.duplicate == (restarts == 1));
            CHECK(done.at(1).news.offset == expected);
            CHECK(done.at(1).news.duplicate);
            CHECK(done.at(2).news.error == Errc::conflict);
        }
    }
}

}  // namespace
}  // namespace quicchat
