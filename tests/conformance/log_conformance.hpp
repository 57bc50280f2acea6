#pragma once

// What every model of `RoomLog` promises, checked. To check another model, write a harness, see
// `LogHarness` in log_harness.hpp, and in `<model>_log_test.cpp`:
//
//     TEST_CASE("the … log keeps its promises", "[conformance][log]") {
//         quicchat::conformance::check_log<MyHarness>();
//     }

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_acts.hpp"
#include "conformance/log_harness.hpp"
#include "conformance/log_haste.hpp"
#include "conformance/log_mixture.hpp"
#include "conformance/log_reactions.hpp"
#include "conformance/log_state.hpp"
#include "conformance/log_trimming.hpp"
#include "conformance/log_window.hpp"
#include "quicchat/log/room_log.hpp"
#include "support/printers.hpp"

namespace quicchat::conformance {

template <LogHarness H>
void check_rooms() {
    using namespace log_check;
    H harness;
    auto& log = harness.log();

    SECTION("has no rooms at first") { CHECK(log.rooms()->empty()); }
    SECTION("begins a room without records") {
        const auto head = log.open("#a", much);
        REQUIRE(head);
        CHECK(head->first == 1);
        CHECK(head->head == 0);
        CHECK(log.head("#a").epoch == head->epoch);
        CHECK(offsets(log, "#a").empty());
        CHECK_FALSE(log.poll_news());
    }
    SECTION("finds a room that was begun") {
        const Epoch epoch = log.open("#a", much)->epoch;
        append(harness, "#a", make_record(1));
        const auto again = log.open("#a", much);
        CHECK(again->epoch == epoch);
        CHECK(again->head == 1);
    }
    SECTION("gives each room an epoch of its own") {
        CHECK(log.open("#a", much)->epoch != log.open("#b", much)->epoch);
    }
    SECTION("names its rooms in order") {
        for (const char* room : {"#b", "ada\nbob", "#a", "#c"}) REQUIRE(log.open(room, much));
        log.forget("#c");
        CHECK(*log.rooms() == std::vector<std::string>{"#a", "#b", "ada\nbob"});
    }
    SECTION("has another epoch and no records after it was forgotten") {
        const Epoch first = log.open("#a", much)->epoch;
        append(harness, "#a", make_record(1));
        append(harness, "#a", make_record(2));
        log.forget("#a");
        CHECK(log.rooms()->empty());
        const auto again = log.open("#a", much);
        CHECK(again->epoch != first);
        CHECK(again->head == 0);
        CHECK(again->first == 1);
        CHECK(offsets(log, "#a").empty());
        const LogNews done = append(harness, "#a", make_record(1));
        CHECK(done.offset == 1);
        CHECK(done.epoch == again->epoch);
        CHECK_FALSE(done.duplicate);
        CHECK(offsets(log, "#a") == std::vector<Offset>{1});
    }
    SECTION("completes what was appended before it was forgotten, in the old epoch") {
        const Epoch first = log.open("#a", much)->epoch;
        log.append(1, "#a", make_record(1), {});
        log.append(2, "#a", make_record(2), {});
        log.forget("#a");
        const Epoch second = log.open("#a", much)->epoch;
        log.append(3, "#a", make_record(3), {});
        for (const AppendToken token : {1u, 2u}) {
            const LogNews done = next(harness);
            CHECK(done.token == token);
            CHECK(done.epoch == first);
            CHECK(log.head("#a").epoch == second);
        }
        const LogNews done = next(harness);
        CHECK(done.epoch == second);
        CHECK(done.offset == 1);
        CHECK(log.head("#a").head == 1);
        CHECK(same(log.read("#a", 0, 9)->front().record, make_record(3)));
    }
    SECTION("forgets what it does not have") {
        log.forget("#never");
        CHECK(log.rooms()->empty());
    }
    SECTION("can be moved") {
        REQUIRE(log.open("#a", much));
        log.append(1, "#a", make_record(1), {});
        auto moved = std::move(log);
        log = std::move(moved);
        CHECK(next(harness).offset == 1);
        CHECK(offsets(log, "#a") == std::vector<Offset>{1});
    }
}

template <LogHarness H>
void check_appending() {
    using namespace log_check;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", much));
    REQUIRE(log.open("#b", much));

    SECTION("numbers records from 1 without a hole, each room for itself") {
        for (unsigned i = 1; i <= 5; ++i) {
            CHECK(append(harness, "#a", make_record(i)).offset == i);
            CHECK(append(harness, "#b", make_record(i)).offset == i);
        }
        CHECK(offsets(log, "#a") == std::vector<Offset>{1, 2, 3, 4, 5});
        CHECK(offsets(log, "#b") == std::vector<Offset>{1, 2, 3, 4, 5});
    }
    SECTION("completes appends in their order, across rooms") {
        std::map<std::string, Offset> heads;
        for (unsigned i = 1; i <= 700; ++i) {
            log.append(i, i % 3 == 0 ? "#b" : "#a", make_record(i), {});
        }
        for (unsigned i = 1; i <= 700; ++i) {
            const LogNews done = next(harness);
            REQUIRE(done.token == i);
            REQUIRE(done.error == Errc{});
            REQUIRE(done.room == (i % 3 == 0 ? "#b" : "#a"));
            REQUIRE(done.epoch == log.head(done.room).epoch);
            REQUIRE(done.offset == ++heads[done.room]);
            REQUIRE(done.time == make_record(i).time);
            REQUIRE(done.durability == H::durability);
            REQUIRE_FALSE(done.duplicate);
        }
        CHECK_FALSE(log.poll_news());
        CHECK(log.durability() == H::durability);
    }
    SECTION("knows a record from the moment on when its completion was polled") {
        for (unsigned i = 1; i <= 50; ++i) log.append(i, "#a", make_record(i), {});
        for (Offset i = 0; i <= 50; ++i) {
            REQUIRE(log.head("#a").head == i);
            REQUIRE(offsets(log, "#a").size() == i);
            REQUIRE(offsets(log, "#a", i).empty());
            harness.wait();  // what is committed meanwhile is not known yet
            REQUIRE(log.head("#a").head == i);
            REQUIRE(offsets(log, "#a", i).empty());
            if (i < 50) next(harness);
        }
    }
    SECTION("gives back every byte of a record") {
        Record odd = make_record(1, std::string(40'000, 'x') + "\xf0\x9f\x90\xa6\n'\"");
        odd.attributes.clear();
        odd.author = "A.b-c_9";
        for (std::size_t i = 0; i < 16; ++i) {
            odd.id.bytes[i] = static_cast<std::byte>(255 - i);
            odd.device.bytes[i] = static_cast<std::byte>(i % 2);
        }
        odd.time = WallTime{std::chrono::milliseconds{-5}};
        append(harness, "#a", odd);
        append(harness, "#a", make_record(2, ""));
        const auto records = log.read("#a", 0, 9);
        REQUIRE(records->size() == 2);
        CHECK(same(records->at(0).record, odd));
        CHECK(same(records->at(1).record, make_record(2, "")));
    }
    SECTION("reads no more than it was asked for, in order") {
        for (unsigned i = 1; i <= 6; ++i) append(harness, "#a", make_record(i));
        CHECK(offsets(log, "#a", 1, 2) == std::vector<Offset>{2, 3});
        CHECK(offsets(log, "#a", 4) == std::vector<Offset>{5, 6});
        CHECK(offsets(log, "#a", 0, 0).empty());
        CHECK(offsets(log, "#a", 6).empty());
        CHECK(offsets(log, "#a", 500).empty());
        CHECK(offsets(log, "#a", ~Offset{0}).empty());
        CHECK(offsets(log, "#a", 4, ~std::size_t{0}) == std::vector<Offset>{5, 6});
        CHECK(offsets(log, "#b").empty());
    }
}

template <LogHarness H>
void check_dedup() {
    using namespace log_check;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", much));

    SECTION("stores an id once, and says where and when") {
        CHECK(append(harness, "#a", make_record(1)).offset == 1);
        CHECK(append(harness, "#a", make_record(2)).offset == 2);
        Record again = make_record(1);
        again.time += std::chrono::hours{1};
        const LogNews done = append(harness, "#a", again);
        CHECK(done.error == Errc{});
        CHECK(done.duplicate);
        CHECK(done.offset == 1);
        CHECK(done.time == make_record(1).time);
        CHECK(done.epoch == log.head("#a").epoch);
        CHECK(log.head("#a").head == 2);
        CHECK(offsets(log, "#a") == std::vector<Offset>{1, 2});
    }
    SECTION("also while the first append is under way") {
        for (unsigned i = 0; i < 300; ++i) log.append(i, "#a", make_record(1 + i / 3), {});
        for (unsigned i = 0; i < 300; ++i) {
            const LogNews done = next(harness);
            REQUIRE(done.token == i);
            REQUIRE(done.offset == 1 + i / 3);
            REQUIRE(done.duplicate == (i % 3 > 0));
            REQUIRE(done.error == Errc{});
        }
        CHECK(offsets(log, "#a").size() == 100);
    }
    SECTION("calls another body a conflict, and stores nothing") {
        append(harness, "#a", make_record(1, "first"));
        Record attributes = make_record(1, "first");
        attributes.attributes = R"({"n":2})";
        for (const Record& other : {make_record(1, "second"), attributes}) {
            const LogNews done = append(harness, "#a", other);
            CHECK(done.error == Errc::conflict);
            CHECK_FALSE(done.duplicate);
        }
        CHECK(log.head("#a").head == 1);
        CHECK(same(log.read("#a", 0, 9)->front().record, make_record(1, "first")));
        CHECK(append(harness, "#a", make_record(2)).offset == 2);
    }
    SECTION("tells devices, authors and rooms apart") {
        REQUIRE(log.open("#b", much));
        Record other_device = make_record(1, "other device");
        other_device.device = device_id(2);
        Record other_author = make_record(1, "other author");
        other_author.author = "bob";
        CHECK(append(harness, "#a", make_record(1)).offset == 1);
        CHECK(append(harness, "#a", other_device).offset == 2);
        CHECK(append(harness, "#a", other_author).offset == 3);
        CHECK(append(harness, "#b", make_record(1, "other room")).offset == 1);
        CHECK(append(harness, "#a", other_device).duplicate);
        CHECK(append(harness, "#a", other_author).duplicate);
    }
}

template <LogHarness H>
void check_retention() {
    using namespace log_check;
    H harness;
    auto& log = harness.log();
    // All that `head` promises can be read, after every append.
    const auto fill = [&](unsigned count, std::size_t bytes) {
        for (unsigned i = 1; i <= count; ++i) {
            append(harness, "#a", make_record(i, std::string(bytes, 'x')));
            const LogHead head = log.head("#a");
            const std::vector<Offset> there = offsets(log, "#a");
            REQUIRE(there.size() == head.head - head.first + 1);
            REQUIRE(there.front() == head.first);
            REQUIRE(there.back() == i);
        }
    };

    SECTION("keeps so many records") {
        REQUIRE(log.open("#a", {3, 1'000'000}));
        fill(10, 1);
        CHECK(offsets(log, "#a") == std::vector<Offset>{8, 9, 10});
        CHECK(offsets(log, "#a", 8) == std::vector<Offset>{9, 10});
        CHECK(log.head("#a").first == 8);
    }
    SECTION("keeps so many bytes") {
        REQUIRE(log.open("#a", {1000, 10'000}));
        fill(100, 1000);
        const std::size_t count = offsets(log, "#a").size();
        CHECK(count >= 7);
        CHECK(count <= 10);
    }
    SECTION("keeps the newest record in any case") {
        REQUIRE(log.open("#a", {1000, 10}));
        fill(3, 100);
        CHECK(offsets(log, "#a") == std::vector<Offset>{3});
    }
    SECTION("drops nothing that was not polled away") {
        REQUIRE(log.open("#a", {3, 1'000'000}));
        fill(3, 1);
        for (unsigned i = 4; i <= 40; ++i) log.append(i, "#a", make_record(i), {});
        for (unsigned i = 4; i <= 40; ++i) {
            harness.wait();
            CHECK(log.head("#a").first == i - 3);
            CHECK(offsets(log, "#a") == std::vector<Offset>{i - 3, i - 2, i - 1});
            next(harness);
        }
    }
    SECTION("recognises ids as far back as the records go, if it is asked for no more") {
        REQUIRE(log.open("#a", {2, 1'000'000}));
        fill(3, 1);
        CHECK(append(harness, "#a", make_record(3, "x")).duplicate);
        CHECK(append(harness, "#a", make_record(2, "x")).duplicate);
        CHECK(append(harness, "#a", make_record(1, "other")).offset == 4);
        CHECK(append(harness, "#a", make_record(1, "other")).duplicate);
        CHECK(same(log.read("#a", 3, 9)->front().record, make_record(1, "other")));
    }
    SECTION("forgets ids with their records before anything is polled") {
        REQUIRE(log.open("#a", {2, 1'000'000}));
        for (const unsigned number : {1u, 2u, 3u, 1u, 3u, 2u}) {
            log.append(number, "#a", make_record(number, "x"), {});
        }
        for (const Offset offset : {1u, 2u, 3u, 4u, 3u, 5u}) {
            const LogNews done = next(harness);
            REQUIRE(done.error == Errc{});
            CHECK(done.offset == offset);
        }
        CHECK(offsets(log, "#a") == std::vector<Offset>{4, 5});
        CHECK(same(log.read("#a", 3, 1)->front().record, make_record(1, "x")));
    }
    SECTION("drops in one room only") {
        REQUIRE(log.open("#a", {3, 1'000'000}));
        REQUIRE(log.open("#b", much));
        for (unsigned i = 1; i <= 5; ++i) append(harness, "#b", make_record(i));
        fill(10, 1);
        CHECK(offsets(log, "#b").size() == 5);
    }
}

template <LogHarness H>
void check_restart() {
    using namespace log_check;
    if constexpr (H::outlives_restart) {
        H harness;
        auto& log = harness.log();
        const LogHead before = *log.open("#a", {4, 1'000'000});
        REQUIRE(log.open("#b", much));
        REQUIRE(log.open("#gone", much));
        for (unsigned i = 1; i <= 6; ++i) append(harness, "#a", make_record(i));
        append(harness, "#gone", make_record(1));
        log.forget("#gone");

        SECTION("finds rooms, epochs, records and ids as they were") {
            for (int restarts = 0; restarts < 2; ++restarts) {
                harness.restart();
                CHECK(*log.rooms() == std::vector<std::string>{"#a", "#b"});
                const auto head = log.open("#a", {4, 1'000'000});
                REQUIRE(head);
                CHECK(head->epoch == before.epoch);
                CHECK(head->first == 3);
                CHECK(head->head == 6);
                CHECK(log.open("#b", much)->head == 0);
                CHECK(offsets(log, "#a") == std::vector<Offset>{3, 4, 5, 6});
                CHECK(same(log.read("#a", 2, 1)->front().record, make_record(3)));
            }
            CHECK(append(harness, "#a", make_record(4)).duplicate);
            CHECK(append(harness, "#a", make_record(4, "other")).error == Errc::conflict);
            CHECK(append(harness, "#a", make_record(7)).offset == 7);
            CHECK(append(harness, "#a", make_record(1)).offset == 8);
            CHECK(offsets(log, "#a") == std::vector<Offset>{5, 6, 7, 8});
        }
        SECTION("begins a room that was forgotten anew") {
            harness.restart();
            CHECK(log.open("#gone", much)->head == 0);
            CHECK(append(harness, "#gone", make_record(1)).offset == 1);
        }
        SECTION("has what was queued when it ended") {
            REQUIRE(log.open("#c", much));
            for (unsigned i = 1; i <= 600; ++i) log.append(i, "#c", make_record(i), {});
            harness.restart();
            CHECK(log.open("#c", much)->head == 600);
            CHECK(offsets(log, "#c").size() == 600);
            CHECK_FALSE(log.poll_news());
        }
    }
}

template <LogHarness H>
void check_log() {
    SECTION("rooms") { check_rooms<H>(); }
    SECTION("appending") { check_appending<H>(); }
    SECTION("dedup") { check_dedup<H>(); }
    SECTION("retention") { check_retention<H>(); }
    SECTION("window of ids") { check_window<H>(); }
    SECTION("haste") { check_haste<H>(); }
    SECTION("haste in bytes") { check_haste_in_bytes<H>(); }
    SECTION("trimming") { check_trimming<H>(); }
    SECTION("mixture") { check_mixture<H>(); }
    SECTION("acts") { check_acts<H>(); }
    SECTION("other texts") { check_other_texts<H>(); }
    SECTION("changes") { check_changes<H>(); }
    SECTION("changes and retention") { check_changes_and_retention<H>(); }
    SECTION("reactions") { check_reactions<H>(); }
    SECTION("state") { check_state<H>(); }
    SECTION("look-ups") { check_look_ups<H>(); }
    SECTION("restart") { check_restart<H>(); }
    SECTION("changes and restart") { check_changes_and_restart<H>(); }
}

}  // namespace quicchat::conformance
