#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

// What the server's program does with rooms.

namespace {

Record archive(const std::string& by, unsigned number = 900) {
    return {.id = HubFixture::id(number),
            .device = {},
            .author = by,
            .text = {},
            .attributes = "{}",
            .time = {},
            .act = HubFixture::access(RoomAccess::archived)};
}

RoomReport report(HubFixture& chat, const std::string& name) {
    for (RoomReport& room : chat.hub.admin().list()) {
        if (room.name == name) return std::move(room);
    }
    FAIL("no such room: " + name);
    return {};
}

}  // namespace

TEST_CASE("the program sees all rooms but those of two people", "[server][admin]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    chat.join(2, "bob");
    chat.fill(ada, 3);
    REQUIRE(chat.create(1, "#Tea", RoomAccess::invitation) == Errc{});
    REQUIRE(chat.tell(1, "bob", 7) == Errc{});
    REQUIRE(chat.hub.settle() == Errc{});

    std::vector<std::string> names;
    for (const RoomReport& room : chat.hub.admin().list()) names.push_back(room.name);
    CHECK(names == std::vector<std::string>{"#lobby", "#quiet", "#Tea"});
    const RoomReport lobby = report(chat, "#lobby");
    CHECK(lobby.members == 2);
    CHECK(lobby.accounts == 2);
    CHECK((lobby.first == 1 && lobby.head == 3));
    CHECK(lobby.creator.empty());
    const RoomReport tea = report(chat, "#Tea");
    CHECK(tea.creator == "ada");
    CHECK(tea.topic == "topic");
    CHECK(tea.access == RoomAccess::invitation);

    const auto records = chat.hub.admin().read("#LOBBY", 1, 10);
    REQUIRE(records);
    CHECK(records->size() == 2);
    CHECK(records->front().offset == 2);
    const std::string both = chat.hub.room_store().find("ada", "@bob")->key();
    CHECK(chat.hub.admin().read(both, 0, 10).error() == Errc::no_such_room);
    CHECK(chat.hub.admin().remove(both) == Errc::no_such_room);
    CHECK(chat.hub.admin().keep(both, {.records_max = 5}) == Errc::no_such_room);
    CHECK(chat.hub.admin().act(both, archive("ada")) == Errc::no_such_room);
}

TEST_CASE("the program deletes a room", "[server][admin]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    chat.join(2, "bob", {}, "#quiet");
    chat.fill(ada, 2);
    const Epoch before = report(chat, "#lobby").epoch;
    chat.publish(ada, "under way");  // not committed yet
    CHECK(chat.hub.admin().remove("#nowhere") == Errc::no_such_room);
    REQUIRE(chat.hub.admin().remove("#lobby") == Errc{});
    REQUIRE(chat.hub.settle() == Errc{});
    const auto ending = chat.hub.poll_ending();
    REQUIRE(ending);
    CHECK(ending->connection == ConnectionId{1});
    CHECK_FALSE(chat.hub.poll_ending());
    CHECK(chat.join_error(1, "#lobby") == Errc::no_such_room);
    CHECK(chat.hub.admin().list().size() == 1);

    SECTION("and one of that name is another") {
        REQUIRE(chat.hub.add_room("#lobby") == Errc{});
        CHECK(report(chat, "#lobby").head == 0);
        CHECK(report(chat, "#lobby").epoch != before);
        chat.fill(chat.join(1, "ada"), 1);
        CHECK(report(chat, "#lobby").head == 1);
    }
    SECTION("and it stays away after a restart") {
        HubFixture later{{}, chat.log};
        CHECK(report(later, "#lobby").head == 0);  // the fixture lists it
    }
}

TEST_CASE("the program acts in a room for an account that may", "[server][admin]") {
    HubFixture chat{ServerConfig{.operators = {"root"}}, {}};
    Member& ada = chat.join(1, "ada");
    CHECK(chat.hub.admin().act("#lobby", archive("ada")) == Errc::forbidden);
    CHECK(chat.hub.admin().act("#nowhere", archive("root")) == Errc::no_such_room);
    REQUIRE(chat.hub.admin().act("#lobby", archive("root")) == Errc{});
    CHECK(chat.hub.admin().act("#lobby", archive("root", 901)) == Errc::queue_full);
    REQUIRE(chat.hub.settle() == Errc{});
    CHECK(report(chat, "#lobby").access == RoomAccess::archived);
    const auto events = chat.take<wire::Event>(1);
    REQUIRE(events.size() == 1);
    CHECK(events.front().from == "root");
    CHECK(chat.acted(ada, {}, "too late") == Errc::forbidden);
}
