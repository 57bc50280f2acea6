#include "quicchat/server/rooms/unread.hpp"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

namespace {

/// A room of which records are counted.
struct Counted {
    Offset say(std::string author, std::string text, Act act = {}) {
        Record record{{}, {}, std::move(author), std::move(text), "{}", {}, std::move(act)};
        unread.push({++head, std::move(record)});
        return head;
    }
    std::uint64_t mentions(std::string_view user, Offset count = 100) const {
        return unread.count_mentions(count, user);
    }

    UnreadCounter unread;
    Offset head = 0;
};

}  // namespace

TEST_CASE("mentions are counted of what others say", "[server]") {
    Counted room;
    room.say("bob", "hello @ada");
    room.say("Bob", "@ADA @ada @eve");
    room.say("ada", "I, @ada, and @bob");
    room.say("bob", "@adam @ad");
    CHECK(room.mentions("ada") == 2);
    CHECK(room.mentions("Ada", 3) == 1);
    CHECK(room.mentions("ada", 2) == 0);
    CHECK(room.mentions("eve") == 1);
    CHECK(room.mentions("bob") == 1);
    CHECK(room.mentions("ad") == 1);
    CHECK(room.mentions("da") == 0);
    CHECK(room.mentions("hello") == 0);
    CHECK(room.unread.count_unread(100, "ada") == 3);
    CHECK(room.unread.count_unread(2, "bob") == 1);

    SECTION("but not of acts") {
        room.say("bob", "@ada", {.kind = Act::Kind::topic});
        room.say("bob", "@ada", {.kind = Act::Kind::reaction, .target = 1});
        CHECK(room.mentions("ada") == 2);
    }
    SECTION("as it is after an edit") {
        room.say("bob", "hello @eve", {.kind = Act::Kind::edit, .target = 1});
        CHECK(room.mentions("ada") == 1);
        CHECK(room.mentions("eve") == 2);
        room.say("bob", "nobody", {.kind = Act::Kind::edit, .target = 1});
        room.say("bob", "@ada", {.kind = Act::Kind::edit, .target = 4});
        CHECK(room.mentions("ada") == 2);
        CHECK(room.mentions("eve") == 1);
        CHECK(room.unread.count_unread(100, "ada") == 3);
    }
    SECTION("and no more after a deletion, whatever was edited before") {
        room.say("bob", "", {.kind = Act::Kind::deletion, .target = 2});
        room.say("bob", "@ada", {.kind = Act::Kind::edit, .target = 2});
        CHECK(room.mentions("ada") == 1);
        CHECK(room.unread.count_unread(100, "ada") == 2);
    }
    SECTION("of what is among the newest only") {
        for (int i = 0; i < 99; ++i) room.say("bob", "text");
        room.say("bob", "@ada", {.kind = Act::Kind::edit, .target = 1});
        CHECK(room.mentions("ada") == 0);
        CHECK(room.unread.count_unread(1000, "ada") == 99);
    }
}

TEST_CASE("who names many people in one message names nobody behind the 32nd", "[server]") {
    Counted room;
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += "@user" + std::to_string(i) + " ";
    room.say("bob", text);
    CHECK(room.mentions("user0") == 1);
    CHECK(room.mentions("user31") == 1);
    CHECK(room.mentions("user32") == 0);
    text.clear();
    for (int i = 0; i < 1000; ++i) text += "@same @Same ";
    room.say("bob", text + "@ada");
    CHECK(room.mentions("ada") == 1);
    CHECK(room.mentions("same") == 1);
}

TEST_CASE("what was counted before is known, or can be read", "[server]") {
    Counted room;
    CHECK(room.unread.knows(0));
    CHECK_FALSE(room.unread.knows(1));
    room.say("bob", "@ada");
    CHECK(room.unread.knows(1));
    CHECK_FALSE(room.unread.knows(2));
    const Record edited{{}, {}, "bob", "@eve", "{}", {}, {}, 3};
    const Record tombstone{{}, {}, "bob", "", "{}", {}, {.kind = Act::Kind::tombstone}, 4};
    room.unread.add_older({{1, edited}, {2, tombstone}}, false);
    CHECK(room.unread.known() == 3);
    CHECK(room.unread.knows(3));
    CHECK_FALSE(room.unread.knows(4));
    CHECK(room.mentions("eve") == 1);
    CHECK(room.unread.count_unread(100, "ada") == 2);
    CHECK(room.unread.count_unread(2, "ada") == 1);  // the oldest is before that
    room.unread.add_older({}, true);
    CHECK(room.unread.knows(100));
    Counted full;
    for (int i = 0; i < 100; ++i) full.say("bob", "text");
    CHECK(full.unread.knows(5000));
    Counted half;
    for (int i = 0; i < 60; ++i) half.say("bob", "text");
    half.unread.add_older(std::vector<LoggedRecord>(60, {1, edited}), false);
    CHECK(half.unread.known() == unread_max);
    CHECK(half.unread.count_mentions(5000, "eve") == unread_max - 60);
    CHECK(half.unread.knows(5000));
}
