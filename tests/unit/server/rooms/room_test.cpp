#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/rooms/private_rooms.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

LoggedRecord record(Offset offset, std::string text = "hi") {
    return {offset, {{}, {}, "ada", std::move(text), "{}", {}}};
}

Member member(std::string user) {
    Member member;
    member.user = std::move(user);
    return member;
}

std::vector<std::string> present_in(const Room& room) {
    std::vector<std::string> names;
    for (const RoomPerson& person : room.people().page("", 100, {}).first) {
        if (person.present) names.push_back(person.user);
    }
    return names;
}

}  // namespace

TEST_CASE("a room keeps the frames of its recent records", "[server]") {
    Room room{"#a", {Epoch{1}, 3, 10}, 3};
    CHECK(room.head() == 10);
    CHECK(room.recent(10) == nullptr);
    for (Offset offset = 11; offset <= 15; ++offset) room.push(record(offset));
    CHECK(room.head() == 15);
    CHECK(room.recent(12) == nullptr);
    CHECK(room.recent(16) == nullptr);
    for (Offset offset = 13; offset <= 15; ++offset) {
        REQUIRE(room.recent(offset) != nullptr);
        CHECK(*room.recent(offset) == encode_event(record(offset)));
    }
}

TEST_CASE("a room counts the devices of its users", "[server]") {
    Room room{"#a", {}, 3};
    Member ada = member("ada");
    Member ada_too = member("ada");
    Member bob = member("bob");
    CHECK(room.add(ada));
    CHECK_FALSE(room.add(ada_too));
    CHECK(room.add(bob));
    CHECK(room.members().size() == 3);
    CHECK(ada.room == &room);

    CHECK_FALSE(room.remove(ada));
    CHECK(room.members() == std::vector<Member*>{&bob, &ada_too});
    CHECK(room.remove(ada_too));
    CHECK(present_in(room) == std::vector<std::string>{"bob"});
    CHECK(room.remove(bob));
    CHECK(room.members().empty());
}

TEST_CASE("online users: it knows the connections of each user, in any spelling", "[server]") {
    OnlineUsers online;
    online.add("Ada", ConnectionId{1});
    online.add("ada", ConnectionId{2});
    online.add("bob", ConnectionId{3});
    REQUIRE(online.find("ADA") != nullptr);
    CHECK(online.find("ADA")->connections == std::vector{ConnectionId{1}, ConnectionId{2}});
    CHECK(online.find("BOB")->name == "bob");
    CHECK(online.find("eve") == nullptr);
    online.remove("aDa", ConnectionId{1});
    online.remove("ada", ConnectionId{9});
    online.remove("eve", ConnectionId{1});
    CHECK(online.find("ada")->connections == std::vector{ConnectionId{2}});
    CHECK(online.size() == 2);
    online.remove("ada", ConnectionId{2});
    CHECK(online.size() == 1);
}

TEST_CASE("private rooms", "[server]") {
    PrivateRooms rooms;
    const auto use = [&](std::string_view one, std::string_view other) {
        std::string key = PrivateRooms::key_of(one, other);
        rooms.note_use(key, one);
        return key;
    };

    SECTION("are one for each pair, in either direction and any spelling") {
        CHECK(use("ada", "Bob") == "@ada,@bob");
        CHECK(use("BOB", "ada") == "@ada,@bob");
        CHECK(use("ada", "ada") == "@ada,@ada");
        CHECK(rooms.size() == 2);
    }
    SECTION("say which two people they are of") {
        CHECK(PrivateRooms::people_of("@ada,@bob") ==
              std::pair<std::string, std::string>{"ada", "bob"});
        CHECK(PrivateRooms::people_of("@a,@a") == std::pair<std::string, std::string>{"a", "a"});
    }
    SECTION("cannot be mistaken for one another, nor for a room that can be joined") {
        // A name has neither '@' nor ',', so a log's name says which pair it is.
        CHECK(use("a.b", "c") != use("a", "b.c"));
        CHECK_FALSE(is_room_name(use("a", "b")));
        CHECK_FALSE(is_private_name(use("a", "b")));
        CHECK(PrivateRooms::is_key(use("a", "b")));
        CHECK_FALSE(PrivateRooms::is_key("#a"));
        CHECK_FALSE(is_user_name("@a"));
        CHECK_FALSE(is_user_name("a,b"));
    }
    SECTION("are found by each of their people") {
        use("ada", "bob");
        use("Ada", "carl");
        use("bob", "bob");
        using Keys = std::set<std::string>;
        CHECK(rooms.of("ADA") == Keys{"@ada,@bob", "@ada,@carl"});
        CHECK(rooms.of("bob") == Keys{"@ada,@bob", "@bob,@bob"});
        CHECK(rooms.of("dora").empty());
        rooms.drop("@ada,@bob");
        rooms.drop("@bob,@bob");
        rooms.drop("@bob,@bob");
        CHECK(rooms.of("ada") == Keys{"@ada,@carl"});
        CHECK(rooms.of("bob").empty());
    }
    SECTION("go in the order of their last use") {
        use("a", "b");
        use("a", "c");
        use("a", "d");
        use("b", "a");
        const std::string newest = use("a", "z");
        const auto none = [](const std::string&) { return false; };
        for (const char* quietest : {"@a,@c", "@a,@d", "@a,@b"}) {
            CHECK(rooms.next_to_go(newest, none) == quietest);
            rooms.drop(quietest);
        }
        CHECK(rooms.size() == 1);
    }
    SECTION("go by the share of who made them, and those that are spared at last") {
        use("ada", "bob");
        for (const char* other : {"b", "c", "d"}) use("mal", other);
        std::string newest = use("eve", "x");
        const auto spared = [](const std::string& key) { return key == "@b,@mal"; };
        CHECK(rooms.next_to_go(newest, spared) == "@c,@mal");
        rooms.drop("@c,@mal");
        CHECK(rooms.next_to_go(newest, spared) == "@d,@mal");
        rooms.drop("@d,@mal");
        rooms.drop("@ada,@bob");
        CHECK(rooms.next_to_go(newest, spared) == "@b,@mal");
        newest = use("mal", "e");
        rooms.drop("@eve,@x");
        CHECK(rooms.next_to_go(newest, spared) == "@b,@mal");
    }
}

TEST_CASE("a room counts what somebody has not read", "[server]") {
    Room room{"#a", {Epoch{1}, 1, 10}, 3};
    CHECK_FALSE(room.knows_authors_after(9));

    SECTION("of the messages of others that it has seen") {
        for (Offset offset = 11; offset <= 14; ++offset) room.push(record(offset));
        CHECK(room.knows_authors_after(10));
        CHECK_FALSE(room.knows_authors_after(9));
        CHECK(room.count_unread(10, "bob") == 4);
        CHECK(room.count_unread(12, "bob") == 2);
        CHECK(room.count_unread(14, "bob") == 0);
        CHECK(room.count_unread(10, "Ada") == 0);
    }
    SECTION("and of those that it is shown, even if older ones are gone") {
        LoggedRecord topic = record(8);
        topic.record.act.kind = Act::Kind::topic;
        room.note_authors({record(9), record(10)}, false);
        CHECK(room.newest_without_author() == 8);
        CHECK(room.knows_authors_after(8));
        CHECK_FALSE(room.knows_authors_after(7));
        room.note_authors({topic}, true);
        CHECK(room.knows_authors_after(0));
        CHECK(room.count_unread(0, "bob") == 2);
        CHECK(room.count_unread(9, "bob") == 1);
        room.push(record(11));
        CHECK(room.count_unread(9, "bob") == 2);
    }
    SECTION("but not of what was deleted") {
        for (Offset offset = 11; offset <= 13; ++offset) room.push(record(offset));
        for (const Offset target : {Offset{12}, Offset{2}}) {
            LoggedRecord deletion = record(room.head() + 1);
            deletion.record.act = {.kind = Act::Kind::deletion, .target = target};
            room.push(deletion);
        }
        CHECK(room.count_unread(10, "bob") == 2);
        CHECK(room.count_unread(11, "bob") == 1);
    }
    SECTION("up to so many") {
        for (Offset offset = 11; offset <= 400; ++offset) room.push(record(offset));
        CHECK(room.count_unread(300, "bob") == unread_max);
    }
}
