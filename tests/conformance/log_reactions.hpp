#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_harness.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/log/room_log.hpp"

// Records that are about others, and what they do to them.

namespace quicchat::conformance {

template <LogHarness H>
void check_reactions() {
    using namespace log_check;
    using enum Act::Kind;
    H harness;
    auto& log = harness.log();
    REQUIRE(log.open("#a", {8, 1'000'000}));
    const auto react = [&](unsigned number, Act::Kind kind, Offset target, std::string author,
                           std::string text) {
        Record record = make_act(number, kind, target, std::move(text));
        record.author = std::move(author);
        REQUIRE(append(harness, "#a", record).error == Errc{});
    };
    const auto known = [&](Offset target, const char* author, const char* text) {
        const auto found = log.reactions("#a", target, author, text);
        REQUIRE(found);
        return *found;
    };
    append(harness, "#a", make_record(1, "+1"));
    append(harness, "#a", make_record(2, "two"));
    CHECK(known(1, "ada", "+1") == Reactions{});
    react(3, reaction, 1, "ada", "+1");

    SECTION("knows which reactions are there") {
        CHECK(known(1, "ada", "+1") == Reactions{1, 1, true});
        CHECK(known(1, "bob", "+1") == Reactions{1, 0, false});
        CHECK(known(1, "Ada", "+1") == Reactions{1, 0, false});
        CHECK(known(1, "ada", "+") == Reactions{1, 1, false});
        CHECK(known(1, "ada", "") == Reactions{1, 1, false});
        CHECK(known(2, "ada", "+1") == Reactions{});
        CHECK(known(0, "ada", "+1") == Reactions{});
        CHECK(known(99, "ada", "+1") == Reactions{});
        react(4, unreaction, 1, "ada", "+1");
        CHECK(known(1, "ada", "+1") == Reactions{2, 2, false});
        react(5, reaction, 1, "bob", "+1");
        react(6, reaction, 2, "ada", "+1");
        CHECK(known(1, "ada", "+1") == Reactions{3, 2, false});
        CHECK(known(1, "bob", "+1") == Reactions{3, 1, true});
        CHECK(known(2, "ada", "+1") == Reactions{1, 1, true});
        react(7, reaction, 1, "ada", "+1");
        CHECK(known(1, "ada", "+1") == Reactions{4, 3, true});
    }
    SECTION("counts nothing else that is about a message") {
        append(harness, "#a", make_act(4, message, 1, "+1"));
        append(harness, "#a", make_act(5, edit, 1, "+1"));
        append(harness, "#a", make_act(6, topic, 1, "+1"));
        CHECK(known(1, "ada", "+1") == Reactions{1, 1, true});
    }
    SECTION("keeps rooms apart") {
        REQUIRE(log.open("#b", much));
        append(harness, "#b", make_record(1));
        CHECK(*log.reactions("#b", 1, "ada", "+1") == Reactions{});
        log.forget("#a");
        REQUIRE(log.open("#a", much));
        CHECK(known(1, "ada", "+1") == Reactions{});
    }
    SECTION("knows reactions as long as it keeps them") {
        react(4, reaction, 1, "bob", "+1");
        for (unsigned i = 5; i <= 11; ++i) append(harness, "#a", make_record(i));
        REQUIRE(log.head("#a").first == 4);
        CHECK(known(1, "ada", "+1") == Reactions{1, 0, false});
        CHECK(known(1, "bob", "+1") == Reactions{1, 1, true});
    }
    SECTION("knows a reaction from the moment on when its news were polled") {
        Record next_one = make_act(4, unreaction, 1, "+1");
        log.append(4, "#a", next_one, {});
        harness.wait();
        CHECK(known(1, "ada", "+1") == Reactions{1, 1, true});
        CHECK(next(harness).offset == 4);
        CHECK(known(1, "ada", "+1") == Reactions{2, 2, false});
    }
    SECTION("knows hundreds of them") {
        REQUIRE(log.open("#a", much));
        for (unsigned i = 4; i <= 500; ++i) {
            log.append(i, "#a", make_act(i, reaction, 1, std::to_string(i)), {});
        }
        for (unsigned i = 4; i <= 500; ++i) REQUIRE(next(harness).offset == i);
        CHECK(known(1, "ada", "+1") == Reactions{498, 498, true});
        CHECK(known(1, "ada", "500") == Reactions{498, 498, true});
        CHECK(known(1, "ada", "501") == Reactions{498, 498, false});
    }
    if constexpr (H::outlives_restart) {
        SECTION("knows them after a restart") {
            harness.restart();
            REQUIRE(log.open("#a", much));
            CHECK(known(1, "ada", "+1") == Reactions{1, 1, true});
        }
    }
}

}  // namespace quicchat::conformance
