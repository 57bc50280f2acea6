#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_harness.hpp"
#include "conformance/log_window.hpp"
#include "quicchat/log/room_log.hpp"

// What a room may not keep goes from the old end when `trim` is called, whoever wrote it.

namespace quicchat::conformance {

namespace log_check {

/// That of `make_record(number)`: those before it are older.
inline WallTime time_of(unsigned number) { return make_record(number).time; }

/// Like `next`, also of a trim.
template <LogHarness H>
LogNews next_trim(H& harness) {
    for (int i = 0; i < 1000; ++i) {
        if (auto news = harness.log().poll_news()) return *std::move(news);
        harness.wait();
    }
    FAIL("no news came");
    return {};
}

/// Trims, and expects that something goes.
template <LogHarness H>
void trim(H& harness, const std::string& room, WallTime before) {
    harness.log().trim(room, before);
    const LogNews news = next_trim(harness);
    CHECK(news.is_trim());
    CHECK(news.room == room);
    CHECK(news.epoch == harness.log().head(room).epoch);
    CHECK_FALSE(harness.log().poll_news());
}

/// Trims, and expects that nothing goes: news of an append that follows come alone.
template <LogHarness H>
void trim_nothing(H& harness, const std::string& room, WallTime before, unsigned number) {
    harness.log().trim(room, before);
    append(harness, room, make_record(number));
}

}  // namespace log_check

template <LogHarness H>
void check_trimming() {
    using namespace log_check;
    H harness;
    auto& log = harness.log();
    const Retention retention{.records_max = 100, .bytes_max = 1'000'000, .ids_max = 8};
    REQUIRE(log.open("#a", retention));
    REQUIRE(log.open("#b", retention));
    for (unsigned i = 1; i <= 6; ++i) append(harness, "#a", make_record(i));
    append(harness, "#b", make_record(1));

    SECTION("drops what was stored before a time, in one room") {
        trim(harness, "#a", time_of(4));
        CHECK(log.head("#a").first == 4);
        CHECK(log.head("#a").head == 6);
        CHECK(offsets(log, "#a") == std::vector<Offset>{4, 5, 6});
        CHECK(offsets(log, "#b") == std::vector<Offset>{1});
        CHECK(append(harness, "#a", make_record(7)).offset == 7);
        CHECK(offsets(log, "#a") == std::vector<Offset>{4, 5, 6, 7});
    }
    SECTION("says nothing if nothing goes") {
        trim_nothing(harness, "#a", time_of(1), 7);
        trim_nothing(harness, "#a", WallTime::min(), 8);
        CHECK(log.head("#a").first == 1);
        trim(harness, "#a", time_of(4));
        trim_nothing(harness, "#a", time_of(4), 9);
        CHECK(offsets(log, "#a") == std::vector<Offset>{4, 5, 6, 7, 8, 9});
    }
    SECTION("drops the newest one as well, and goes on behind it") {
        trim(harness, "#a", time_of(100));
        CHECK(log.head("#a").first == 7);
        CHECK(log.head("#a").head == 6);
        CHECK(offsets(log, "#a").empty());
        CHECK(log.files("#a")->empty());
        trim_nothing(harness, "#a", time_of(7), 7);
        CHECK(offsets(log, "#a") == std::vector<Offset>{7});
        CHECK(log.head("#a").first == 7);
    }
    SECTION("ends at the first record that is not old, whatever follows") {
        append(harness, "#a", make_record(1000));
        append(harness, "#a", make_record(7));  // the clock was set back
        trim(harness, "#a", time_of(900));
        CHECK(offsets(log, "#a") == std::vector<Offset>{7, 8});
    }
    SECTION("drops what does not fit any more") {
        REQUIRE(log.open("#a", {.records_max = 2, .bytes_max = 1'000'000, .ids_max = 8}));
        CHECK(offsets(log, "#a").size() == 6);
        trim(harness, "#a", WallTime::min());
        CHECK(offsets(log, "#a") == std::vector<Offset>{5, 6});
        REQUIRE(log.open("#a", {.records_max = 100, .bytes_max = 1, .ids_max = 8}));
        trim(harness, "#a", WallTime::min());
        CHECK(offsets(log, "#a") == std::vector<Offset>{6});
    }
    SECTION("protects nothing that is young, and appends go by the rest") {
        const Retention strict{.records_max = 100,
                               .bytes_max = 1'000'000,
                               .ids_max = 8,
                               .age_min = std::chrono::hours{24 * 7}};
        REQUIRE(log.open("#a", strict));
        append(harness, "#a", make_record_of("bob", 1, 7));
        trim(harness, "#a", time_of(100));
        CHECK(offsets(log, "#a").empty());
    }
    SECTION("recognises the ids of what went, and takes no change for it") {
        trim(harness, "#a", time_of(100));
        check_recognised(harness, make_record(2), 2);
        check_recognised(harness, make_record(6), 6);
        CHECK(append(harness, "#a", make_record(3, "other")).error == Errc::conflict);
        const Record change = make_act(8, Act::Kind::edit, 6, "better");
        CHECK(append(harness, "#a", change).error == Errc::no_such_message);
    }
    SECTION("does what was asked in order, before anything is polled") {
        log.append(7, "#a", make_record(7), {});
        log.trim("#a", time_of(100));
        log.append(8, "#a", make_record(8), {});
        CHECK(next(harness).offset == 7);
        CHECK(offsets(log, "#a").size() == 7);
        CHECK(next_trim(harness).is_trim());
        CHECK(log.head("#a").first == 8);
        CHECK(next(harness).offset == 8);
        CHECK(offsets(log, "#a") == std::vector<Offset>{8});
    }
    SECTION("leaves a room alone that was forgotten and begun anew") {
        log.trim("#a", time_of(100));
        log.forget("#a");
        REQUIRE(log.open("#a", retention));
        log.append(1, "#a", make_record(1), {});
        LogNews news = next_trim(harness);
        if (news.is_trim()) news = next_trim(harness);  // of the room that was
        CHECK(news.offset == 1);
        CHECK(offsets(log, "#a") == std::vector<Offset>{1});
    }
    SECTION("is done after a restart") {
        if (!H::outlives_restart) return;
        trim(harness, "#a", time_of(4));
        trim(harness, "#b", time_of(100));
        for (int restarts = 0; restarts < 2; ++restarts) {
            harness.restart();
            CHECK(log.open("#a", retention)->first == 4);
            const LogHead empty = *log.open("#b", retention);
            CHECK(empty.first == 2);
            CHECK(empty.head == 1);
            CHECK(offsets(log, "#a") == std::vector<Offset>{4, 5, 6});
            CHECK(offsets(log, "#b").empty());
            check_recognised(harness, make_record(2), 2);
        }
        CHECK(append(harness, "#b", make_record(2)).offset == 2);
        CHECK(offsets(log, "#b") == std::vector<Offset>{2});
    }
}

}  // namespace quicchat::conformance
