#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

// How rooms are made, listed and read.

namespace {

using Names = std::vector<std::string>;

Names names(const std::vector<RoomSummary>& rooms) {
    Names all;
    for (const RoomSummary& room : rooms) all.push_back(room.room);
    return all;
}

}  // namespace

TEST_CASE("a hub makes rooms", "[server]") {
    HubFixture chat;
    chat.log_in(1, "Ada");
    chat.log_in(2, "bob");

    SECTION("that belong to who asks, and says so when that is stored") {
        REQUIRE(chat.hub.create_room(chat.caller(1), {7, HubFixture::id(7), "#Den", {}, "cats"}) ==
                Errc{});
        CHECK(chat.control().empty());
        CHECK(chat.join_error(2, "#den") == Errc::no_such_room);
        REQUIRE(chat.hub.settle() == Errc{});
        const auto acks = chat.control<wire::Ack>(1);
        REQUIRE(acks.size() == 1);
        CHECK(acks[0].request == 7);
        CHECK(acks[0].offset == 1);
        chat.join(1, "Ada", Position::last(9), "#den");
        const auto messages = chat.take(1);
        REQUIRE(messages.size() == 2);
        const auto& joined = std::get<wire::Joined>(messages[0]);
        CHECK(joined.room == "#Den");
        CHECK(joined.role == Role::owner);
        CHECK(joined.topic == "cats");
        const auto& creation = std::get<wire::Event>(messages[1]);
        CHECK(creation.from == "Ada");
        CHECK(creation.text == "cats");
        CHECK(creation.act == Act{.kind = Act::Kind::creation, .subject = "#Den"});
    }
    SECTION("once, and says that also to who asks again") {
        CHECK(chat.create(1, "#den", {}, 7) == Errc{});
        CHECK(chat.create(1, "#den", {}, 7) == Errc{});
        CHECK(chat.create(1, "#DEN", {}, 8) == Errc::room_exists);
        CHECK(chat.create(2, "#den", {}, 7) == Errc::room_exists);
        CHECK(chat.create(1, "#den", RoomAccess::invitation, 7) == Errc::conflict);
        CHECK(chat.create(1, "#lobby") == Errc::room_exists);
        CHECK(chat.log->head("#den").head == 1);
    }
    SECTION("for the first one who asks") {
        const auto ask = [&](std::uint64_t connection) {
            return chat.hub.create_room(chat.caller(connection),
                                        {connection, HubFixture::id(1), "#den", {}, ""});
        };
        REQUIRE(ask(2) == Errc{});
        REQUIRE(ask(1) == Errc{});
        REQUIRE(ask(2) == Errc{});
        REQUIRE(chat.hub.settle() == Errc{});
        std::vector<std::pair<std::uint64_t, bool>> answers;
        for (const auto& [connection, message] : chat.control()) {
            answers.emplace_back(connection, std::holds_alternative<wire::Ack>(message));
        }
        CHECK(answers ==
              std::vector<std::pair<std::uint64_t, bool>>{{1, false}, {2, true}, {2, true}});
        CHECK(chat.log->head("#den").head == 1);
        CHECK(chat.rooms(2).at(0).role == Role::owner);
        CHECK(chat.rooms(1).at(0).role == Role::none);
        HubFixture next{chat.config, chat.log};
        next.log_in(1, "ada");
        CHECK(next.rooms(1).at(0).role == Role::none);
    }
    SECTION("not of any name or form") {
        CHECK(chat.create(1, "den") == Errc::invalid_name);
        CHECK(chat.create(1, "@bob") == Errc::invalid_name);
        CHECK(chat.create(1, "#den", RoomAccess::archived) == Errc::invalid_request);
        CHECK(chat.rooms(1).size() == 2);
    }
    SECTION("that are there after a restart") {
        CHECK(chat.create(1, "#Den", RoomAccess::invitation) == Errc{});
        HubFixture next{chat.config, chat.log};
        next.log_in(1, "ada");
        next.log_in(2, "bob");
        CHECK(names(next.rooms(1)) == Names{"#Den", "#lobby", "#quiet"});
        CHECK(names(next.rooms(2)) == Names{"#lobby", "#quiet"});
        CHECK(next.create(1, "#den", RoomAccess::invitation, 9) == Errc::room_exists);
    }
}

TEST_CASE("a hub makes no more rooms than it may", "[server]") {
    const ServerConfig config{.limits = {.rooms_max = 5, .rooms_per_owner_max = 2}};
    HubFixture chat{config, {}};
    chat.log_in(1, "ada");
    chat.log_in(2, "bob");
    CHECK(chat.create(1, "#a", {}, 1) == Errc{});
    CHECK(chat.create(1, "#b", {}, 2) == Errc{});
    CHECK(chat.create(1, "#c", {}, 3) == Errc::too_many_rooms);
    CHECK(chat.create(1, "#b", {}, 2) == Errc{});  // that was this one
    CHECK(chat.create(2, "#c", {}, 4) == Errc{});
    CHECK(chat.create(2, "#d", {}, 5) == Errc::too_many_rooms);

    HubFixture strict{{.operators = {"root"}, .anybody_makes_rooms = false}, {}};
    strict.log_in(1, "ada");
    strict.log_in(2, "Root");
    CHECK(strict.create(1, "#a") == Errc::forbidden);
    CHECK(strict.create(2, "#a") == Errc{});
}

TEST_CASE("a room by invitation looks to strangers as if it were not there", "[server]") {
    HubFixture chat;
    chat.log_in(1, "ada");
    chat.log_in(2, "eve");
    REQUIRE(chat.create(1, "#secret", RoomAccess::invitation) == Errc{});
    Member& ada = chat.join(1, "ada", {}, "#secret");
    chat.fill(ada, 3);

    SECTION("to who joins") {
        CHECK(chat.join_error(2, "#secret") == chat.join_error(2, "#nothing"));
        CHECK(chat.join_error(2, "#secret") == Errc::no_such_room);
        REQUIRE(chat.acted(ada, HubFixture::role("eve", Role::banned)) == Errc{});
        CHECK(chat.join_error(2, "#secret") == Errc::no_such_room);
    }
    SECTION("in the list of rooms") {
        CHECK(names(chat.rooms(1)) == Names{"#lobby", "#quiet", "#secret"});
        CHECK(names(chat.rooms(2)) == Names{"#lobby", "#quiet"});
        CHECK(names(chat.rooms(2, "#quiet")).empty());
    }
    SECTION("to who says that it has read it") {
        chat.mark(2, "#secret", 2, true);
        CHECK(chat.control().empty());
        CHECK(chat.hub.settle() == Errc{});
        CHECK(chat.log->state("#secret")->count("read/eve") == 0);
    }
    SECTION("but its name cannot be taken") {
        CHECK(chat.create(2, "#Secret") == Errc::room_exists);
    }
}

TEST_CASE("a hub lists rooms by pages", "[server]") {
    HubFixture chat{{.rooms_per_page_max = 2}};
    chat.log_in(1, "ada");
    chat.log_in(2, "bob");
    chat.accounts.names = {"Zoe"};
    REQUIRE(chat.create(1, "#a") == Errc{});
    REQUIRE(chat.tell(2, "Ada", 5) == Errc{});
    REQUIRE(chat.tell(1, "zoe", 6) == Errc{});
    REQUIRE(chat.hub.settle() == Errc{});
    (void)chat.control();

    const auto page = [&](std::string after) {
        chat.hub.list_rooms(chat.caller(1), {4, std::move(after)});
        const auto lists = chat.control<wire::Rooms>(1);
        REQUIRE(lists.size() == 1);
        CHECK(lists[0].request == 4);
        return std::pair{names(lists[0].rooms), lists[0].complete};
    };
    CHECK(page("") == std::pair{Names{"#a", "#lobby"}, false});
    CHECK(page("#lobby") == std::pair{Names{"#quiet", "@bob"}, false});
    CHECK(page("@bob") == std::pair{Names{"@Zoe"}, true});
    CHECK(page("@Zoe") == std::pair{Names{}, true});
    CHECK(page("#Lo") == std::pair{Names{"#lobby", "#quiet"}, false});
}

TEST_CASE("a hub keeps how far each account has read", "[server]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    chat.join(2, "bob");
    chat.log_in(3, "Bob");
    chat.log_in(4, "carl");
    chat.fill(ada, 5);
    SECTION("of the log as it is") {
        chat.hub.mark_read(chat.caller(2), {"#lobby", Epoch{12345}, 3, true});
        CHECK(chat.control().empty());
    }
    const auto mark = [&](Offset offset, bool shared = false) {
        chat.mark(2, "#LOBBY", offset, shared);
        std::vector<std::pair<std::uint64_t, Offset>> told;
        for (const auto& [connection, message] : chat.control()) {
            const auto& marker = std::get<wire::Marker>(message);
            CHECK(marker.room == "#lobby");
            CHECK(marker.user == "bob");
            told.emplace_back(connection, marker.offset);
        }
        return told;
    };
    using Told = std::vector<std::pair<std::uint64_t, Offset>>;

    SECTION("and tells the other devices, and members only if they may know") {
        CHECK(mark(3) == Told{{3, 3}});
        CHECK(mark(4, true) == Told{{1, 4}, {3, 4}});
    }
    SECTION("which goes only up, and not beyond what is there") {
        CHECK(mark(4) == Told{{3, 4}});
        CHECK(mark(4, true).empty());
        CHECK(mark(2, true).empty());
        CHECK(mark(varint_max) == Told{{3, 5}});
        CHECK(mark(varint_max).empty());
    }
    SECTION("and shows it in lists and joins, also after a restart") {
        (void)mark(3);
        const auto lobby = chat.rooms(3).at(0);
        CHECK(lobby.marker == 3);
        CHECK(lobby.head == 5);
        CHECK(lobby.unread == 2);
        CHECK(chat.rooms(1).at(0).unread == 0);  // wrote all of it
        CHECK(chat.rooms(4).at(0).unread == 5);
        CHECK(chat.rooms(4).at(0).role == Role::none);
        REQUIRE(chat.hub.settle() == Errc{});
        HubFixture next{chat.config, chat.log};
        next.join(2, "bob");
        const auto joined = next.take<wire::Joined>(2).at(0);
        CHECK(joined.marker == 3);
        CHECK(joined.role == Role::member);
    }
    SECTION("of rooms that it belongs to") {
        chat.mark(4, "#lobby", 3, true);
        chat.mark(2, "#nothing", 3, true);
        CHECK(chat.control().empty());
        CHECK(chat.rooms(4).at(0).marker == 0);
    }
}

TEST_CASE("in large rooms nobody hears how far others have read", "[server]") {
    HubFixture chat{{.presence_members_max = 2}};
    Member& ada = chat.join(1, "ada");
    chat.join(2, "bob");
    chat.fill(ada, 5);
    chat.mark(2, "#lobby", 2, true);
    CHECK(chat.control().size() == 1);
    chat.join(3, "carl");
    chat.mark(2, "#lobby", 3, true);
    CHECK(chat.control().empty());
}
