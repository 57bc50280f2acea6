#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_harness.hpp"
#include "conformance/log_window.hpp"
#include "quicchat/log/room_log.hpp"

// Who writes much pushes out no young records of others.

namespace quicchat::conformance {

namespace log_check {

inline constexpr std::chrono::hours hour{1};

/// Of ada, so long after the first records.
inline Record make_late_record(unsigned number, Duration late, std::string text = "hi") {
    Record record = make_record(number, std::move(text));
    record.time += std::chrono::duration_cast<std::chrono::milliseconds>(late);
    return record;
}

/// Stores nothing of it, neither the record nor what it would change.
template <LogHarness H>
void check_too_hasty(H& harness, const Record& record) {
    const LogHead before = harness.log().head("#a");
    const LogNews done = append(harness, "#a", record, 1, {{"key", "value"}});
    CHECK(done.error == Errc::rate_limited);
    CHECK_FALSE(done.duplicate);
    CHECK(harness.log().head("#a").head == before.head);
    CHECK(harness.log().head("#a").first == before.first);
    CHECK(harness.log().state("#a")->empty());
    CHECK(look_up(harness, "#a", record).error == Errc::no_such_message);
}

}  // namespace log_check

/// Eight records fit in, so that three of them are a large share.
template <LogHarness H>
void check_haste() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();
    const Retention retention{
        .records_max = 8, .bytes_max = 1'000'000, .ids_max = 100, .age_min = hour};
    REQUIRE(log.open("#a", retention));
    const auto fill = [&](const std::string& author, unsigned from, unsigned to) {
        for (unsigned i = from; i <= to; ++i) {
            REQUIRE(append(harness, "#a", make_record_of(author, 1, i)).error == Errc{});
        }
    };

    SECTION("refuses who has a large share to push out what another wrote a short while ago") {
        fill("bob", 1, 1);
        fill("ada", 2, 8);
        check_too_hasty(harness, make_record(9));
        check_too_hasty(harness, make_late_record(9, hour - std::chrono::milliseconds{9}));
        CHECK(same(record_at(log, "#a", 1), make_record_of("bob", 1, 1)));
        // Whose share is small may, and who pushes out his own.
        fill("eve", 10, 10);
        CHECK(offsets(log, "#a") == std::vector<Offset>{2, 3, 4, 5, 6, 7, 8, 9});
        fill("ada", 9, 9);
    }
    SECTION("lets him if what goes is old enough") {
        fill("bob", 1, 1);
        fill("ada", 2, 8);
        CHECK(append(harness, "#a", make_late_record(9, hour)).offset == 9);
        CHECK(log.head("#a").first == 2);
    }
    SECTION("lets him if he took his time") {
        fill("bob", 1, 1);
        REQUIRE(log.open(
            "#a",
            {.records_max = 8, .bytes_max = 1'000'000, .ids_max = 100, .age_min = 100 * hour}));
        for (unsigned i = 2; i <= 8; ++i) {
            REQUIRE(append(harness, "#a", make_late_record(i, i * hour)).error == Errc{});
        }
        CHECK(append(harness, "#a", make_late_record(9, 9 * hour)).offset == 9);
        CHECK(log.head("#a").first == 2);
        // And now he hurries: bob's is not the oldest any more, but eve's will be.
        fill("eve", 1, 1);
        for (unsigned i = 10; i <= 16; ++i) {
            append(harness, "#a", make_late_record(i, 10 * hour));
        }
        check_too_hasty(harness, make_late_record(17, 11 * hour));
        CHECK(append(harness, "#a", make_late_record(17, 13 * hour)).error == Errc{});
    }
    SECTION("takes what is to come by a clock that was set back for young") {
        fill("bob", 1, 1);
        fill("ada", 2, 8);
        check_too_hasty(harness, make_late_record(9, -100 * hour));
    }
    SECTION("lets an author who is alone go on") { fill("ada", 1, 30); }
    SECTION("counts the records of an author, whatever his device") {
        fill("bob", 1, 4);
        for (unsigned i = 1; i <= 4; ++i) {
            const unsigned device = 1 + i % 2;
            REQUIRE(append(harness, "#a", make_record_of("ada", device, i)).error == Errc{});
        }
        check_too_hasty(harness, make_record_of("ada", 3, 9));
        fill("bob", 9, 12);  // his own
        CHECK(log.head("#a").first == 5);
        check_too_hasty(harness, make_record_of("bob", 1, 13));
    }
    SECTION("allows no more than without it, where nothing is to be protected") {
        REQUIRE(log.open("#a", {.records_max = 8, .bytes_max = 1'000'000}));
        fill("bob", 1, 1);
        fill("ada", 2, 20);
        CHECK(log.head("#a").first == 13);
    }
    SECTION("recognises what is there, and what is not") {
        fill("bob", 1, 1);
        fill("ada", 2, 8);
        CHECK(append(harness, "#a", make_record(8)).offset == 8);
        CHECK(append(harness, "#a", make_record(8, "other")).error == Errc::conflict);
        CHECK(append(harness, "#a", make_act(9, edit, 99)).error == Errc::no_such_message);
        CHECK(log.head("#a").head == 8);
    }
    SECTION("completes what it refuses in order") {
        fill("bob", 1, 1);
        for (unsigned i = 2; i <= 30; ++i) log.append(i, "#a", make_record(i), {});
        log.append(31, "#a", make_record_of("eve", 1, 1), {});
        log.append(32, "#a", make_record(32), {});
        for (unsigned i = 2; i <= 32; ++i) {
            const LogNews done = next(harness);
            REQUIRE(done.token == i);
            CHECK(done.error == (i > 8 && i < 31 ? Errc::rate_limited : Errc{}));
        }
        CHECK(offsets(log, "#a") == std::vector<Offset>{3, 4, 5, 6, 7, 8, 9, 10});
    }
    SECTION("changes nothing by an edit or a deletion that it refuses") {
        fill("bob", 1, 1);
        fill("ada", 2, 8);
        check_too_hasty(harness, make_act(9, edit, 5, "better"));
        check_too_hasty(harness, make_act(9, deletion, 5));
        CHECK(same(record_at(log, "#a", 5), make_record(5)));
        CHECK(record_at(log, "#a", 5).changed_by == 0);
    }
    SECTION("refuses anew after a restart") {
        if (!H::outlives_restart) return;
        fill("bob", 1, 1);
        fill("ada", 2, 8);
        harness.restart();
        REQUIRE(harness.log().open("#a", retention));
        check_too_hasty(harness, make_record(9));
        CHECK(append(harness, "#a", make_record_of("eve", 1, 1)).offset == 9);
    }
    SECTION("keeps a room of one record going") {
        REQUIRE(log.open("#a", {.records_max = 1, .bytes_max = 1'000'000, .age_min = hour}));
        for (unsigned i = 1; i <= 4; ++i) {
            fill("ada", i, i);
            fill("bob", i, i);
        }
        CHECK(offsets(log, "#a") == std::vector<Offset>{8});
    }
}

/// The same for bytes: of 40'000, 10'000 are a large share.
template <LogHarness H>
void check_haste_in_bytes() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();
    const Retention retention{
        .records_max = 1000, .bytes_max = 40'000, .ids_max = 100, .age_min = hour};
    REQUIRE(log.open("#a", retention));
    const std::string text(4000, 'x');
    append(harness, "#a", make_record_of("bob", 1, 1, text));
    unsigned number = 1;
    /// Until one is refused: the number of the last one that was not.
    const auto fill = [&](const std::string& more) {
        for (;; ++number) {
            const LogNews done = append(harness, "#a", make_record(number + 1, more));
            REQUIRE(number < 200);
            if (done.error == Errc{}) continue;
            CHECK(done.error == Errc::rate_limited);
            return;
        }
    };

    SECTION("refuses what would push out what another wrote") {
        fill(text);
        CHECK(log.head("#a").first == 1);
        CHECK(log.head("#a").head > 6);
        CHECK(log.head("#a").head < 10);
        check_too_hasty(harness, make_record(500, text));
        CHECK(append(harness, "#a", make_record_of("eve", 1, 1, text + text)).error == Errc{});
        CHECK(log.head("#a").first > 1);
    }
    SECTION("drops nothing of what would have to go before it") {
        append(harness, "#a", make_record_of("eve", 1, 1, text));
        fill(text);
        CHECK(append(harness, "#a", make_record_of("bob", 1, 2, text)).error == Errc{});
        CHECK(log.head("#a").first == 2);  // now eve's is the oldest
        append(harness, "#a", make_record_of("eve", 1, 2, text));
        CHECK(log.head("#a").first == 3);  // and now ada's
        const std::string long_text(20'000, 'x');
        check_too_hasty(harness, make_record(500, long_text + long_text));
        CHECK(append(harness, "#a", make_record(501, text)).error == Errc{});
    }
    SECTION("refuses an edit that would, and takes one that makes room") {
        fill(text);
        const Offset last = log.head("#a").head;
        check_too_hasty(harness, make_act(500, edit, last, text + text));
        CHECK(same(record_at(log, "#a", last), make_record(number, text)));
        CHECK(append(harness, "#a", make_act(501, edit, last, "short")).offset == last + 1);
        CHECK(record_at(log, "#a", last).text == "short");
        CHECK(log.head("#a").first == 1);
    }
    SECTION("takes deletions that make room, and writes again what fits in") {
        fill(text);
        const Offset last = log.head("#a").head;
        for (Offset target = 2; target <= last; ++target) {
            const unsigned id = 500 + static_cast<unsigned>(target);
            CHECK(append(harness, "#a", make_act(id, deletion, target)).error == Errc{});
        }
        CHECK(log.head("#a").first == 1);
        CHECK(append(harness, "#a", make_record(600, text)).error == Errc{});
    }
    SECTION("counts what is deleted no more") {
        append(harness, "#a", make_record_of("bob", 1, 2, text));
        fill(text);
        for (Offset target = log.head("#a").head; target > 2; --target) {
            const unsigned id = 500 + static_cast<unsigned>(target);
            CHECK(append(harness, "#a", make_act(id, deletion, target)).error == Errc{});
        }
        // The room is full again, but of somebody else's.
        for (unsigned i = 1; log.head("#a").first == 1; ++i) {
            REQUIRE(i < 20);
            append(harness, "#a", make_record_of("guest" + std::to_string(i), 1, i, text));
        }
        CHECK(record_at(log, "#a", 2).author == "bob");
        CHECK(append(harness, "#a", make_record(700, text)).error == Errc{});
        CHECK(log.head("#a").first == 3);
    }
    SECTION("counts edits, and what they made of their messages") {
        const std::string better(4000, 'y');
        for (unsigned i = 2; i <= 4; ++i) append(harness, "#a", make_record(i, "short"));
        for (unsigned i = 2; i <= 4; ++i) {
            CHECK(append(harness, "#a", make_act(10 + i, edit, i, better)).error == Errc{});
        }
        const std::string rest(12'000, 'x');
        check_too_hasty(harness, make_record(20, rest));
        CHECK(append(harness, "#a", make_record_of("eve", 1, 20, rest)).error == Errc{});
    }
    SECTION("counts the same after a restart") {
        if (!H::outlives_restart) return;
        fill(text);
        harness.restart();
        REQUIRE(harness.log().open("#a", retention));
        check_too_hasty(harness, make_record(500, text));
    }
}

}  // namespace quicchat::conformance
