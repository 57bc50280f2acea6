#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_harness.hpp"
#include "quicchat/log/room_log.hpp"

// What is known of a room beside its records, and asking for records without storing any.

namespace quicchat::conformance {

template <LogHarness H>
void check_state() {
    using namespace log_check;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", much));
    REQUIRE(log.open("#b", much));
    unsigned appended = 100;
    /// What was stored before an append is there once that is polled.
    const auto state = [&](const std::string& room) {
        append(harness, room, make_record(++appended));
        return *log.state(room);
    };

    SECTION("is empty at first") { CHECK(log.state("#a")->empty()); }
    SECTION("is what was stored last, each room for itself") {
        log.store("#a", {{"one", "1"}, {"two", "2"}, {"three", "3"}});
        log.store("#b", {{"one", "b"}});
        CHECK(state("#a") == RoomState{{"one", "1"}, {"two", "2"}, {"three", "3"}});
        log.store("#a", {{"two", "again"}, {"one", std::nullopt}});
        log.store("#a", {{"never", std::nullopt}, {"three", ""}});
        CHECK(state("#a") == RoomState{{"two", "again"}, {"three", ""}});
        CHECK(state("#b") == RoomState{{"one", "b"}});
        log.store("#a", {});
        CHECK(state("#a").size() == 2);
    }
    SECTION("takes the last of several changes of a key") {
        log.store("#a", {{"key", "1"}, {"key", std::nullopt}, {"gone", "1"}});
        log.store("#a", {{"key", "2"}, {"gone", std::nullopt}, {"key", "3"}});
        CHECK(state("#a") == RoomState{{"key", "3"}});
        append(harness, "#a", make_record(1), 1, {{"key", std::nullopt}, {"key", "4"}});
        CHECK(*log.state("#a") == RoomState{{"key", "4"}});
    }
    SECTION("keeps every byte of keys and values") {
        using namespace std::string_literals;
        const RoomState odd{{"\n'\"\xf0\x9f\x90\xa6"s, "a\0b\xff"s}, {""s, std::string(9000, 'x')}};
        std::vector<StateChange> changes;
        for (const auto& [key, value] : odd) changes.push_back({key, value});
        log.store("#a", changes);
        CHECK((state("#a") == odd));
    }
    SECTION("changes with the record that brings it") {
        append(harness, "#a", make_record(1), 1, {{"one", "1"}, {"two", "2"}});
        CHECK(*log.state("#a") == RoomState{{"one", "1"}, {"two", "2"}});
        append(harness, "#a", make_record(2), 1, {{"one", std::nullopt}});
        CHECK(*log.state("#a") == RoomState{{"two", "2"}});
    }
    SECTION("does not change with a duplicate or a record that is refused") {
        append(harness, "#a", make_record(1), 1, {{"key", "1"}});
        CHECK(append(harness, "#a", make_record(1), 1, {{"key", "2"}}).duplicate);
        CHECK(append(harness, "#a", make_record(1, "other"), 1, {{"key", "3"}}).error ==
              Errc::conflict);
        CHECK(append(harness, "#a", make_act(2, Act::Kind::edit, 9), 1, {{"key", "4"}}).error ==
              Errc::no_such_message);
        CHECK(state("#a") == RoomState{{"key", "1"}});
    }
    SECTION("changes in the order of the requests") {
        log.append(1, "#a", make_record(1), {{"one", "a"}, {"two", "a"}, {"three", "a"}});
        log.store("#a", {{"one", "b"}, {"two", "b"}, {"four", "b"}});
        log.store("#b", {{"one", "b"}});
        log.append(2, "#a", make_record(2), {{"one", "c"}, {"three", std::nullopt}});
        log.store("#b", {{"one", "c"}});
        log.store("#a", {{"four", std::nullopt}});
        for (int i = 0; i < 2; ++i) CHECK(next(harness).error == Errc{});
        CHECK_FALSE(log.poll_news());
        CHECK(state("#a") == RoomState{{"one", "c"}, {"two", "b"}});
        CHECK(state("#b") == RoomState{{"one", "c"}});
    }
    SECTION("is forgotten with the room") {
        log.store("#a", {{"key", "1"}});
        append(harness, "#a", make_record(1), 1, {{"other", "2"}});
        log.store("#b", {{"key", "b"}});
        log.append(7, "#a", make_record(2), {{"queued", "3"}});
        log.store("#a", {{"queued too", "4"}});
        log.forget("#a");
        REQUIRE(log.open("#a", much));
        CHECK(log.state("#a")->empty());
        CHECK(next(harness).token == 7);
        CHECK(state("#a").empty());
        CHECK(state("#b") == RoomState{{"key", "b"}});
        if constexpr (H::outlives_restart) {
            harness.restart();
            REQUIRE(log.open("#a", much));
            REQUIRE(log.open("#b", much));
            CHECK(log.state("#a")->empty());
            CHECK(*log.state("#b") == RoomState{{"key", "b"}});
            log.store("#a", {{"key", "a"}});
            CHECK(state("#a").size() == 1);
            log.forget("#a");
            harness.restart();
            REQUIRE(log.open("#new", much));
            CHECK(log.state("#new")->empty());
        }
    }
    SECTION("is not lost when nothing follows it") {
        if constexpr (H::outlives_restart) {
            for (int i = 0; i < 300; ++i) log.store("#a", {{"key", std::to_string(i)}});
            harness.restart();
            REQUIRE(log.open("#a", much));
            CHECK(*log.state("#a") == RoomState{{"key", "299"}});
        }
    }
}

template <LogHarness H>
void check_look_ups() {
    using namespace log_check;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", {3, 1'000'000}));

    SECTION("finds what is there, or in conflict with it, and stores nothing") {
        append(harness, "#a", make_record(1));
        append(harness, "#a", make_record(2));
        Record again = make_record(2);
        again.time = {};
        const LogNews found = look_up(harness, "#a", again);
        CHECK(found.error == Errc{});
        CHECK(found.duplicate);
        CHECK(found.offset == 2);
        CHECK(found.time == make_record(2).time);
        CHECK(found.epoch == log.head("#a").epoch);
        CHECK(look_up(harness, "#a", make_record(2, "other")).error == Errc::conflict);
        const LogNews missed = look_up(harness, "#a", make_record(3));
        CHECK(missed.error == Errc::no_such_message);
        CHECK_FALSE(missed.duplicate);
        CHECK(log.head("#a").head == 2);
        CHECK(append(harness, "#a", make_record(3)).offset == 3);
        CHECK(append(harness, "#a", make_record(4)).offset == 4);
        CHECK(look_up(harness, "#a", make_record(1)).error == Errc::no_such_message);
    }
    SECTION("finds what is still under way, in the order of the requests") {
        log.look_up(1, "#a", make_record(1));
        log.append(2, "#a", make_record(1), {});
        log.look_up(3, "#a", make_record(1));
        log.look_up(4, "#a", make_record(1, "other"));
        log.append(5, "#a", make_act(2, Act::Kind::edit, 1, "better"), {});
        log.look_up(6, "#a", make_record(1, "other"));
        log.look_up(7, "#a", make_act(3, Act::Kind::edit, 1, "best"));
        using enum Errc;
        for (const Errc error :
             {no_such_message, Errc{}, Errc{}, conflict, Errc{}, Errc{}, no_such_message}) {
            CHECK(next(harness).error == error);
        }
        CHECK(log.head("#a").head == 2);
        CHECK(record_at(log, "#a", 1).text == "better");
    }
}

}  // namespace quicchat::conformance
