#include <catch2/catch_test_macros.hpp>

#include "quicchat/log/repeat.hpp"

namespace quicchat {
namespace {

TEST_CASE("a mark stands for what was sent", "[log]") {
    SECTION("and is the same on every machine and in every version: it is stored") {
        CHECK(mark_of("", "") == 0xaf63bd4c8601b7df);
        CHECK(mark_of("hello", "{}") == mark_of("hello", "{}"));
    }
    SECTION("and is another one for another text or other attributes") {
        CHECK(mark_of("hello", "{}") != mark_of("hello!", "{}"));
        CHECK(mark_of("hello", "{}") != mark_of("hello", "{ }"));
        CHECK(mark_of("hello{}", "") != mark_of("hello", "{}"));
    }
}

TEST_CASE("a record that was sent again is recognised", "[log]") {
    Record logged{
        .id = {}, .device = {}, .author = "ada", .text = "a", .attributes = "{}", .time = {}};
    Record again = logged;

    SECTION("by its texts and its act") {
        CHECK(is_repeat(logged, again));
        again.text = "b";
        CHECK_FALSE(is_repeat(logged, again));
        again = logged;
        again.attributes = "{ }";
        CHECK_FALSE(is_repeat(logged, again));
        again = logged;
        again.act.target = 1;
        CHECK_FALSE(is_repeat(logged, again));
    }
    SECTION("by what was sent, if the program gave either of them another text") {
        Record changed = logged;
        changed.text = "changed";
        changed.sent = mark_of("a", "{}");
        CHECK(is_repeat(changed, again));
        CHECK(is_repeat(again, changed));
        again.text = "changed";
        CHECK_FALSE(is_repeat(changed, again));
        CHECK_FALSE(is_repeat(again, changed));
    }
    SECTION("by its name alone, if it was edited") {
        logged.changed_by = 7;
        again.text = "b";
        again.act.target = 1;
        CHECK(is_repeat(logged, again));
    }
}

}  // namespace
}  // namespace quicchat
