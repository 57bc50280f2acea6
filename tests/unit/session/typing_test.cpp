#include "quicchat/session/typing.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;
using std::chrono::seconds;

namespace {

constexpr TimePoint start{seconds{100}};

/// What is reported: "+bob" in "#a" as "#a +bob".
std::vector<std::string> take(TypingPeople& typing) {
    std::vector<std::string> all;
    while (const std::optional<TypingChanged> e = typing.poll_event()) {
        all.push_back(e->room + (e->typing ? " +" : " -") + e->user);
    }
    return all;
}

using Changes = std::vector<std::string>;

}  // namespace

TEST_CASE("who is typing", "[session]") {
    TypingPeople typing{Limits{}};

    SECTION("is reported when it begins and when it ends") {
        typing.handle_typing("#a", "bob", start);
        CHECK(take(typing) == Changes{"#a +bob"});
        typing.handle_typing("#a", "bob", start + seconds{3});
        CHECK(take(typing).empty());
        typing.handle_timeout(start + seconds{8});
        CHECK(take(typing).empty());
        CHECK(typing.next_deadline() == start + seconds{9});
        typing.handle_timeout(start + seconds{9});
        CHECK(take(typing) == Changes{"#a -bob"});
        CHECK_FALSE(typing.next_deadline());
    }
    SECTION("is over when it is said") {
        typing.handle_typing("#a", "bob", start);
        typing.handle_typing("#b", "bob", start);
        typing.handle_done("#A", "Bob");
        CHECK(take(typing) == Changes{"#a +bob", "#b +bob", "#a -bob"});
        typing.handle_done("#c", "bob");
        CHECK(take(typing).empty());
    }
    SECTION("is not known without a connection") {
        typing.handle_typing("#a", "bob", start);
        (void)take(typing);
        typing.clear();
        CHECK(take(typing) == Changes{"#a -bob"});
    }
    SECTION("is known of so many people only") {
        for (int i = 0; i < 1000; ++i) typing.handle_typing("#a", std::to_string(i), start);
        CHECK(take(typing).size() == 200);
    }
}

TEST_CASE("that we are typing is said every three seconds", "[session]") {
    TypingPeople typing{Limits{}};
    CHECK(typing.may_say("#a", start));
    CHECK_FALSE(typing.may_say("#A", start + seconds{2}));
    CHECK(typing.may_say("#b", start + seconds{2}));
    CHECK(typing.may_say("#a", start + seconds{3}));
    typing.clear();
    CHECK(typing.may_say("#a", start + seconds{4}));
}
