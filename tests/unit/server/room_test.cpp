#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/private_rooms.hpp"
#include "quicchat/server/room.hpp"
#include "quicchat/server/roster.hpp"
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
    CHECK(room.users("", 10).first == std::vector<std::string>{"bob"});
    CHECK(room.remove(bob));
    CHECK(room.members().empty());
}

TEST_CASE("a room lists its users by pages", "[server]") {
    Room room{"#a", {}, 3};
    std::vector<Member> members;
    for (const char* name : {"dora", "ada", "carl", "bob", "eve"}) members.push_back(member(name));
    for (Member& m : members) room.add(m);

    using Page = std::pair<std::vector<std::string>, bool>;
    CHECK(room.users("", 2) == Page{{"ada", "bob"}, false});
    CHECK(room.users("bob", 2) == Page{{"carl", "dora"}, false});
    CHECK(room.users("dora", 2) == Page{{"eve"}, true});
    CHECK(room.users("", 5) == Page{{"ada", "bob", "carl", "dora", "eve"}, true});
    CHECK(room.users("zed", 5) == Page{{}, true});
    CHECK(room.users("bo", 1) == Page{{"bob"}, false});
}

TEST_CASE("the roster knows the connections of each user, in any spelling", "[server]") {
    Roster roster;
    roster.add("Ada", ConnectionId{1});
    roster.add("ada", ConnectionId{2});
    roster.add("bob", ConnectionId{3});
    REQUIRE(roster.find("ADA") != nullptr);
    CHECK(roster.find("ADA")->connections == std::vector{ConnectionId{1}, ConnectionId{2}});
    CHECK(roster.find("BOB")->name == "bob");
    CHECK(roster.find("eve") == nullptr);
    roster.remove("aDa", ConnectionId{1});
    roster.remove("ada", ConnectionId{9});
    roster.remove("eve", ConnectionId{1});
    CHECK(roster.find("ada")->connections == std::vector{ConnectionId{2}});
    CHECK(roster.size() == 2);
    roster.remove("ada", ConnectionId{2});
    CHECK(roster.size() == 1);
}

TEST_CASE("private rooms", "[server]") {
    PrivateRooms rooms;

    SECTION("are one for each pair, in either direction and any spelling") {
        CHECK(rooms.use("ada", "Bob") == "@ada,@bob");
        CHECK(rooms.use("BOB", "ada") == "@ada,@bob");
        CHECK(rooms.use("ada", "ada") == "@ada,@ada");
        CHECK(rooms.size() == 2);
    }
    SECTION("cannot be mistaken for one another, nor for a room that can be joined") {
        // A name has neither '@' nor ',', so a log's name says which pair it is.
        CHECK(rooms.use("a.b", "c") != rooms.use("a", "b.c"));
        CHECK_FALSE(is_room_name(rooms.use("a", "b")));
        CHECK_FALSE(is_user_name("@a"));
        CHECK_FALSE(is_user_name("a,b"));
    }
    SECTION("are dropped in the order of their last use") {
        rooms.use("a", "b");
        rooms.use("a", "c");
        rooms.use("a", "d");
        rooms.use("b", "a");
        CHECK(rooms.drop_quietest() == "@a,@c");
        CHECK(rooms.drop_quietest() == "@a,@d");
        CHECK(rooms.drop_quietest() == "@a,@b");
        CHECK(rooms.size() == 0);
        CHECK(rooms.use("a", "b") == "@a,@b");
    }
}
