#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_harness.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/log/room_log.hpp"

// Ids are recognised for longer than their records are kept.

namespace quicchat::conformance {

namespace log_check {

/// A record of another author or device than that of `make_record`.
inline Record make_record_of(const std::string& author, unsigned device, unsigned number,
                             std::string text = "hi") {
    Record record = make_record(number, std::move(text));
    record.author = author;
    record.device = device_id(device);
    return record;
}

/// Appends it again: it is the first one, whose record is gone.
template <LogHarness H>
void check_recognised(H& harness, const Record& record, Offset offset) {
    REQUIRE(harness.log().head("#a").first > offset);
    const LogHead before = harness.log().head("#a");
    Record again = record;
    again.time += std::chrono::hours{1};
    const LogNews done = append(harness, "#a", again);
    CHECK(done.error == Errc{});
    CHECK(done.duplicate);
    CHECK(done.offset == offset);
    CHECK(done.time == record.time);
    CHECK(look_up(harness, "#a", record).duplicate);
    CHECK(harness.log().head("#a").head == before.head);
    CHECK(harness.log().head("#a").first == before.first);
}

}  // namespace log_check

template <LogHarness H>
void check_window() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();
    const Retention retention{.records_max = 2, .bytes_max = 1'000'000, .ids_max = 5};
    REQUIRE(log.open("#a", retention));
    const auto fill = [&](unsigned from, unsigned to) {
        for (unsigned i = from; i <= to; ++i) append(harness, "#a", make_record(i));
    };

    SECTION("recognises the newest ids of a device when their records are gone") {
        fill(1, 5);
        for (unsigned i = 1; i <= 3; ++i) check_recognised(harness, make_record(i), i);
        CHECK(offsets(log, "#a") == std::vector<Offset>{4, 5});
    }
    SECTION("and forgets those before") {
        fill(1, 7);
        check_recognised(harness, make_record(3), 3);
        CHECK(look_up(harness, "#a", make_record(2)).error == Errc::no_such_message);
        CHECK(append(harness, "#a", make_record(1)).offset == 8);
        check_recognised(harness, make_record(4), 4);
        CHECK(look_up(harness, "#a", make_record(3)).error == Errc::no_such_message);
    }
    SECTION("calls another body a conflict") {
        Record odd = make_act(1, role, 1, "text");
        odd.act.subject = "bob";
        append(harness, "#a", odd);
        fill(2, 5);
        std::vector<Record> others(7, odd);
        others[0].text = "other";
        others[1].attributes = "{}";
        others[2].act.kind = access;
        others[3].act.target = 5;
        others[4].act.subject = "eve";
        others[5].act.value = 1;
        others[6].act.until = WallTime{std::chrono::milliseconds{1}};
        for (const Record& other : others) {
            CHECK(append(harness, "#a", other).error == Errc::conflict);
            CHECK(look_up(harness, "#a", other).error == Errc::conflict);
        }
        check_recognised(harness, odd, 1);
        CHECK(log.head("#a").head == 5);
    }
    SECTION("recognises a message by all that it says, as a reply") {
        std::vector<Record> messages;
        for (unsigned i = 1; i <= 4; ++i) messages.push_back(make_record(i));
        messages[0].act.target = 1;
        messages[1].act.subject = "bob";
        messages[2].act.value = 1;
        messages[3].act.until = WallTime{std::chrono::milliseconds{1}};
        for (const Record& message : messages) append(harness, "#a", message);
        fill(5, 5);
        append(harness, "#a", make_record_of("bob", 1, 1));
        for (unsigned i = 1; i <= 4; ++i) {
            check_recognised(harness, messages[i - 1], i);
            CHECK(append(harness, "#a", make_record(i)).error == Errc::conflict);
        }
    }
    SECTION("knows a record that was changed by its name alone") {
        fill(1, 2);
        append(harness, "#a", make_act(3, edit, 2, "better"));
        fill(4, 5);
        check_recognised(harness, make_record(2, "other"), 2);
        CHECK(append(harness, "#a", make_record(1, "other")).error == Errc::conflict);
    }
    SECTION("recognises what was sent, if the program gave it another text") {
        const Record sent = make_record(1, "as sent");
        Record stored = make_record(1, "as the program wants it");
        stored.sent = mark_of(sent.text, sent.attributes);
        append(harness, "#a", stored);
        fill(2, 5);
        check_recognised(harness, sent, 1);
        check_recognised(harness, stored, 1);
        CHECK(append(harness, "#a", make_record(1, stored.text)).error == Errc::conflict);
    }
    SECTION("does so for each device of each author") {
        for (const auto& [author, device] : {std::pair{"ada", 1u}, {"ada", 2u}, {"bob", 1u}}) {
            for (unsigned i = 1; i <= 5; ++i) {
                append(harness, "#a", make_record_of(author, device, i, author));
            }
        }
        for (unsigned i = 1; i <= 5; ++i) {
            check_recognised(harness, make_record_of("ada", 1, i, "ada"), i);
            check_recognised(harness, make_record_of("ada", 2, i, "ada"), 5 + i);
        }
        CHECK(look_up(harness, "#a", make_record_of("bob", 2, 1)).error == Errc::no_such_message);
        // What one device writes takes nothing from another's.
        for (unsigned i = 6; i <= 20; ++i) {
            append(harness, "#a", make_record_of("bob", 1, i, "bob"));
        }
        check_recognised(harness, make_record_of("ada", 1, 1, "ada"), 1);
    }
    SECTION("remembers so many devices of an account, and forgets who is quiet for longest") {
        for (unsigned i = 1; i <= devices_per_account_max + 3; ++i) {
            append(harness, "#a", make_record_of("ada", i, 1));
        }
        append(harness, "#a", make_record_of("bob", 1, 1));
        // Of ada's 23 devices all but the newest have lost their records, and two more go.
        CHECK(look_up(harness, "#a", make_record_of("ada", 1, 1)).error == Errc::no_such_message);
        CHECK(look_up(harness, "#a", make_record_of("ada", 2, 1)).error == Errc::no_such_message);
        check_recognised(harness, make_record_of("ada", 3, 1), 3);
        check_recognised(harness, make_record_of("ada", 22, 1), 22);
    }
    SECTION("takes no change for a message that is gone") {
        fill(1, 5);
        CHECK(append(harness, "#a", make_act(6, edit, 3, "better")).error == Errc::no_such_message);
        CHECK(append(harness, "#a", make_act(6, deletion, 3)).error == Errc::no_such_message);
    }
    SECTION("does so before anything is polled") {
        for (const unsigned number : {1u, 2u, 3u, 1u, 4u, 2u, 1u}) {
            log.append(number, "#a", make_record(number), {});
        }
        for (const Offset offset : {1u, 2u, 3u, 1u, 4u, 2u, 1u}) {
            const LogNews done = next(harness);
            REQUIRE(done.error == Errc{});
            CHECK(done.offset == offset);
        }
    }
    SECTION("begins anew with a room that was forgotten") {
        fill(1, 5);
        log.forget("#a");
        REQUIRE(log.open("#a", retention));
        CHECK(append(harness, "#a", make_record(1)).offset == 1);
    }
    SECTION("keeps fewer when it is told to") {
        fill(1, 5);
        REQUIRE(log.open("#a", {.records_max = 2, .bytes_max = 1'000'000, .ids_max = 3}));
        fill(6, 6);
        check_recognised(harness, make_record(4), 4);
        CHECK(look_up(harness, "#a", make_record(3)).error == Errc::no_such_message);
    }
    SECTION("knows them after a restart") {
        if (!H::outlives_restart) return;
        fill(1, 5);
        append(harness, "#a", make_record_of("bob", 1, 1));
        for (int restarts = 0; restarts < 2; ++restarts) {
            harness.restart();
            REQUIRE(harness.log().open("#a", retention));
            for (unsigned i = 1; i <= 4; ++i) check_recognised(harness, make_record(i), i);
            CHECK(append(harness, "#a", make_record(2, "other")).error == Errc::conflict);
        }
        append(harness, "#a", make_record(6));
        CHECK(look_up(harness, "#a", make_record(1)).error == Errc::no_such_message);
        check_recognised(harness, make_record(2), 2);
        harness.restart();
        REQUIRE(harness.log().open("#a", retention));
        CHECK(look_up(harness, "#a", make_record(1)).error == Errc::no_such_message);
        check_recognised(harness, make_record(2), 2);
        harness.log().forget("#a");
        harness.restart();
        REQUIRE(harness.log().open("#a", retention));
        CHECK(append(harness, "#a", make_record(2)).offset == 1);
    }
}

}  // namespace quicchat::conformance
