#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/log/memory_log.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

constexpr Retention much{1000, 1'000'000};

MessageId id(unsigned number) {
    MessageId id;
    id.bytes[0] = static_cast<std::byte>(number);
    id.bytes[1] = static_cast<std::byte>(number >> 8);
    return id;
}

Record record(unsigned number, std::string text = "hi") {
    return {id(number),      DeviceId{}, "ada",
            std::move(text), "{}",       WallTime{std::chrono::milliseconds{number}}};
}

LogNews append(MemoryLog& log, const std::string& room, Record record, AppendToken token = 1) {
    log.append(token, room, std::move(record));
    auto done = log.poll_news();
    REQUIRE(done);
    return *std::move(done);
}

std::vector<Offset> offsets(const MemoryLog& log, const std::string& room, Offset after,
                            std::size_t count_max = 1000) {
    std::vector<Offset> all;
    const auto records = log.read(room, after, count_max);
    REQUIRE(records);
    for (const LoggedRecord& r : *records) all.push_back(r.offset);
    return all;
}

}  // namespace

TEST_CASE("a memory log", "[log]") {
    MemoryLog log{Entropy::seeded(1)};
    REQUIRE(log.open("#a", much));

    SECTION("is empty at first") {
        const LogHead head = log.head("#a");
        CHECK(head.first == 1);
        CHECK(head.head == 0);
        CHECK(offsets(log, "#a", 0).empty());
        CHECK_FALSE(log.poll_news());
    }

    SECTION("numbers records from 1 without a hole, each room for itself") {
        REQUIRE(log.open("#b", much));
        for (unsigned i = 1; i <= 5; ++i) {
            CHECK(append(log, "#a", record(i)).offset == i);
            CHECK(append(log, "#b", record(i)).offset == i);
        }
        CHECK(log.head("#a").head == 5);
        CHECK(offsets(log, "#a", 0) == std::vector<Offset>{1, 2, 3, 4, 5});
        CHECK(offsets(log, "#a", 3) == std::vector<Offset>{4, 5});
        CHECK(offsets(log, "#a", 1, 2) == std::vector<Offset>{2, 3});
        CHECK(offsets(log, "#a", 5).empty());
        CHECK(offsets(log, "#a", 500).empty());
    }

    SECTION("completes appends in their order") {
        for (unsigned i = 1; i <= 3; ++i) log.append(100 + i, "#a", record(i));
        for (unsigned i = 1; i <= 3; ++i) {
            const auto done = log.poll_news();
            REQUIRE(done);
            CHECK(done->token == 100 + i);
            CHECK(done->room == "#a");
            CHECK(done->epoch == log.head("#a").epoch);
            CHECK(done->time == WallTime{std::chrono::milliseconds{i}});
            CHECK(done->durability == Durability::memory);
        }
    }

    SECTION("stores an id once per author, and says where") {
        CHECK(append(log, "#a", record(1)).offset == 1);
        CHECK(append(log, "#a", record(2)).offset == 2);
        Record again = record(1);
        again.time += std::chrono::hours{1};
        const LogNews done = append(log, "#a", again);
        CHECK(done.error == Errc{});
        CHECK(done.duplicate);
        CHECK(done.offset == 1);
        CHECK(done.time == record(1).time);
        CHECK(log.head("#a").head == 2);

        Record other_author = record(1);
        other_author.author = "bob";
        CHECK(append(log, "#a", other_author).offset == 3);
        REQUIRE(log.open("#b", much));
        CHECK_FALSE(append(log, "#b", record(1)).duplicate);
    }

    SECTION("calls the same id with another body a conflict, and stores nothing") {
        append(log, "#a", record(1, "first"));
        CHECK(append(log, "#a", record(1, "second")).error == Errc::conflict);
        Record attributes = record(1, "first");
        attributes.attributes = R"({"a":1})";
        CHECK(append(log, "#a", attributes).error == Errc::conflict);
        CHECK(log.head("#a").head == 1);
        CHECK(log.read("#a", 0, 9)->front().record.text == "first");
    }

    SECTION("has a new epoch after it was forgotten, and only then") {
        append(log, "#a", record(1));
        const Epoch first = log.head("#a").epoch;
        CHECK(log.open("#a", much)->epoch == first);
        CHECK(log.open("#a", much)->head == 1);
        log.forget("#a");
        CHECK(log.open("#a", much)->epoch != first);
        CHECK(log.head("#a").head == 0);
        CHECK_FALSE(append(log, "#a", record(1)).duplicate);
        log.forget("#never");
    }

    SECTION("gives rooms epochs of their own") {
        REQUIRE(log.open("#b", much));
        CHECK(log.head("#a").epoch != log.head("#b").epoch);
    }
}

TEST_CASE("a memory log drops the oldest records", "[log]") {
    MemoryLog log{Entropy::seeded(1)};

    SECTION("above so many") {
        REQUIRE(log.open("#a", {3, 1'000'000}));
        for (unsigned i = 1; i <= 10; ++i) append(log, "#a", record(i));
        CHECK(log.head("#a").first == 8);
        CHECK(log.head("#a").head == 10);
        CHECK(offsets(log, "#a", 0) == std::vector<Offset>{8, 9, 10});
        CHECK(offsets(log, "#a", 8) == std::vector<Offset>{9, 10});
    }

    SECTION("above so many bytes") {
        REQUIRE(log.open("#a", {1000, 10'000}));
        for (unsigned i = 1; i <= 100; ++i) append(log, "#a", record(i, std::string(1000, 'x')));
        const LogHead head = log.head("#a");
        CHECK(head.head == 100);
        CHECK(head.head - head.first + 1 >= 7);
        CHECK(head.head - head.first + 1 <= 10);
    }

    SECTION("but never the newest") {
        REQUIRE(log.open("#a", {1000, 10}));
        for (unsigned i = 1; i <= 3; ++i) append(log, "#a", record(i));
        CHECK(offsets(log, "#a", 0) == std::vector<Offset>{3});
    }

    SECTION("and their ids with them") {
        REQUIRE(log.open("#a", {2, 1'000'000}));
        for (unsigned i = 1; i <= 3; ++i) append(log, "#a", record(i));
        CHECK(append(log, "#a", record(3)).duplicate);
        CHECK(append(log, "#a", record(2)).duplicate);
        CHECK(append(log, "#a", record(1)).offset == 4);
    }
}
