#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

// What a hub does when it is decided who may do what.

namespace {

/// Ada owns #den, where Bob and Carl are members.
struct Den : HubFixture {
    explicit Den(RoomAccess access = RoomAccess::everybody) {
        log_in(1, "ada");
        REQUIRE(create(1, "#den", access) == Errc{});
        ada = &join(1, "ada", {}, "#den");
        if (access == RoomAccess::invitation) {
            REQUIRE(acted(*ada, role("bob", Role::member)) == Errc{});
            REQUIRE(acted(*ada, role("carl", Role::member)) == Errc{});
        }
        bob = &join(2, "bob", {}, "#den");
        carl = &join(3, "carl", {}, "#den");
        for (const std::uint64_t connection : {1, 2, 3}) (void)take(connection);
    }

    Member* ada = nullptr;
    Member* bob = nullptr;
    Member* carl = nullptr;
};

Errc refusal(const std::vector<wire::Error>& errors) {
    REQUIRE(errors.size() == 1);
    return from_wire_code(errors[0].code);
}

}  // namespace

TEST_CASE("a role that is being given holds up what is asked next", "[server]") {
    Den den;
    den.act(*den.ada, Den::role("bob", Role::muted));
    CHECK(den.hub.is_busy(*den.ada));
    CHECK(den.hub.is_busy(*den.bob));
    CHECK(den.hub.is_busy(*den.carl));
    CHECK(den.take(2).empty());
    REQUIRE(den.hub.settle() == Errc{});
    CHECK_FALSE(den.hub.is_busy(*den.bob));
    Member* woken = den.hub.fan_out().poll_waiting();  // everybody may have been waiting
    CHECK(woken != nullptr);
    den.hub.fan_out().wake(*woken);
    (void)den.take(2);
    CHECK(den.acted(*den.bob, {}, "hi") == Errc::forbidden);
    CHECK(den.acted(*den.carl, {}, "hi") == Errc{});

    SECTION("and so do a topic and an access, but no message") {
        den.act(*den.ada, {.kind = Act::Kind::topic}, "cats");
        CHECK(den.hub.is_busy(*den.carl));
        REQUIRE(den.hub.settle() == Errc{});
        den.act(*den.ada, Den::access(RoomAccess::archived));
        CHECK(den.hub.is_busy(*den.carl));
        REQUIRE(den.hub.settle() == Errc{});
        CHECK_FALSE(den.hub.is_busy(*den.carl));
        den.publish(*den.ada, "hi");
        CHECK_FALSE(den.hub.is_busy(*den.carl));
    }
    SECTION("but not one that is refused, or was there already") {
        den.act(*den.carl, Den::role("ada", Role::muted));
        CHECK_FALSE(den.hub.is_busy(*den.carl));
        const Act mute = Den::role("bob", Role::muted);
        den.act(*den.ada, mute, "again", 90);
        den.act(*den.ada, mute, "again", 90);
        REQUIRE(den.hub.settle() == Errc{});
        CHECK_FALSE(den.hub.is_busy(*den.ada));
    }
}

TEST_CASE("what was sent again is acknowledged, whatever its author may now", "[server]") {
    Den den;
    den.publish(*den.bob, "hi", 7);
    REQUIRE(den.hub.settle() == Errc{});
    REQUIRE(den.acted(*den.ada, Den::role("bob", Role::muted)) == Errc{});
    (void)den.take(2);

    den.publish(*den.bob, "hi", 7);
    REQUIRE(den.hub.settle() == Errc{});
    const auto acks = den.take<wire::Ack>(2);
    REQUIRE(acks.size() == 1);
    CHECK(acks[0].offset == 2);  // behind the creation

    den.publish(*den.bob, "ho", 7);
    REQUIRE(den.hub.settle() == Errc{});
    CHECK(refusal(den.take<wire::Error>(2)) == Errc::conflict);
    den.publish(*den.bob, "hi", 8);
    REQUIRE(den.hub.settle() == Errc{});
    CHECK(refusal(den.take<wire::Error>(2)) == Errc::forbidden);
    den.act(*den.bob, {.kind = Act::Kind::deletion, .target = 2}, "", 9);
    REQUIRE(den.hub.settle() == Errc{});
    CHECK(refusal(den.take<wire::Error>(2)) == Errc::forbidden);
    CHECK(den.offsets(3).size() == 2);  // the message, and the mute

    SECTION("also the deletion of what is not there any more") {
        REQUIRE(den.acted(*den.ada, {.kind = Act::Kind::reaction, .target = 2}, "+1") == Errc{});
        den.act(*den.ada, {.kind = Act::Kind::deletion, .target = 2}, "", 70);
        den.act(*den.ada, {.kind = Act::Kind::deletion, .target = 2}, "", 71);
        den.act(*den.ada, {.kind = Act::Kind::deletion, .target = 2}, "", 70);
        REQUIRE(den.hub.settle() == Errc{});
        const auto answers = den.take(1);
        std::vector<std::string> kinds;
        for (const Message& m : answers) {
            if (std::holds_alternative<wire::Ack>(m)) kinds.push_back("ack");
            if (const auto* e = std::get_if<wire::Error>(&m)) {
                kinds.emplace_back(error_name(from_wire_code(e->code)));
            }
        }
        CHECK(kinds == std::vector<std::string>{"ack", "no_such_message", "ack"});
    }
}

TEST_CASE("a hub ends the membership of who is removed", "[server]") {
    Den den;
    den.join(4, "bob", {}, "#den");
    den.take(4);

    SECTION("on all devices, after the answers that are due") {
        den.publish(*den.bob, "last words", 50);
        den.act(*den.ada, Den::role("BOB", Role::none), "too loud", 51);
        REQUIRE(den.hub.settle() == Errc{});
        const auto endings = den.endings();
        REQUIRE(endings.size() == 2);
        const bool bob_first = endings[0].first == 2;
        const auto& [connection, frames] = endings[bob_first ? 0 : 1];
        CHECK(connection == 2);
        REQUIRE(frames.size() >= 2);
        CHECK(std::get<wire::Ack>(frames.front()).request == 50);
        const auto& end = std::get<wire::Error>(frames.back());
        CHECK(end.request == 0);
        CHECK(from_wire_code(end.code) == Errc::removed);
        CHECK(end.text == "too loud");
        const auto& other = endings[bob_first ? 1 : 0];
        CHECK(other.first == 4);
        CHECK(from_wire_code(std::get<wire::Error>(other.second.back()).code) == Errc::removed);
        CHECK(den.hub.fan_out().find(ConnectionId{2}, Den::stream_of(2)) == nullptr);
        CHECK(den.take<wire::Presence>(3) == std::vector{wire::Presence{"bob", false, {}}});
        CHECK(den.join_error(2, "#den") == Errc{});
    }
    SECTION("and of nobody else") {
        REQUIRE(den.acted(*den.ada, Den::role("bob", Role::muted)) == Errc{});
        REQUIRE(den.acted(*den.ada, Den::role("bob", Role::moderator)) == Errc{});
        CHECK(den.endings().empty());
        REQUIRE(den.acted(*den.ada, Den::role("carl", Role::banned)) == Errc{});
        CHECK(den.endings().size() == 1);
        CHECK(den.acted(*den.bob, {}, "hi") == Errc{});
    }
    SECTION("in that room only") {
        den.join(5, "bob", {}, "#lobby");
        REQUIRE(den.acted(*den.ada, Den::role("bob", Role::banned)) == Errc{});
        CHECK(den.endings().size() == 2);
        CHECK(den.hub.fan_out().find(ConnectionId{5}, Den::stream_of(5)) != nullptr);
    }
    SECTION("also by leaving for good") {
        REQUIRE(den.hub.settle() == Errc{});
        den.act(*den.carl, Den::role("carl", Role::none));
        REQUIRE(den.hub.settle() == Errc{});
        const auto endings = den.endings();
        REQUIRE(endings.size() == 1);
        CHECK(std::get<wire::Ack>(endings[0].second.front()).offset == 2);
        den.hub.request_members(*den.ada, {9, ""});
        const auto people = den.take<wire::Members>(1).back().people;
        CHECK(people ==
              std::vector<RoomPerson>{{"ada", Role::owner, true}, {"bob", Role::member, true}});
    }
}

TEST_CASE("who is banned cannot come back, and who is muted only reads", "[server]") {
    Den den;
    const WallTime end{10s};
    REQUIRE(den.acted(*den.ada, Den::role("bob", Role::banned, end)) == Errc{});
    REQUIRE(den.acted(*den.ada, Den::role("carl", Role::muted, end)) == Errc{});
    den.endings();
    CHECK(den.join_error(2, "#den") == Errc::forbidden);
    CHECK(den.acted(*den.carl, {}, "hi") == Errc::forbidden);
    CHECK(den.acted(*den.carl, Den::role("carl", Role::none)) == Errc::forbidden);
    den.hub.leave(*den.carl);
    Member& again = den.join(3, "carl", {}, "#den");
    CHECK(den.take<wire::Joined>(3).at(0).role == Role::muted);
    CHECK(den.acted(again, {}, "hi") == Errc::forbidden);

    SECTION("until that ends") {
        den.set_time(9999ms);
        CHECK(den.join_error(2, "#den") == Errc::forbidden);
        den.set_time(10s);
        CHECK(den.acted(again, {}, "hi") == Errc{});
        Member& back = den.join(2, "bob", {}, "#den");
        CHECK(den.acted(back, {}, "hi") == Errc{});
    }
    SECTION("also after a restart") {
        HubFixture next{den.config, den.log};
        next.log_in(2, "bob");
        CHECK(next.join_error(2, "#den") == Errc::forbidden);
        Member& carl = next.join(3, "carl", {}, "#den");
        CHECK(next.acted(carl, {}, "hi") == Errc::forbidden);
        next.set_time(10s);
        CHECK(next.acted(carl, {}, "hi") == Errc{});
        CHECK(next.join_error(2, "#den") == Errc{});
    }
}

TEST_CASE("who comes back after a ban is a member again, for good", "[server]") {
    Den den;
    REQUIRE(den.acted(*den.ada, Den::role("bob", Role::banned, WallTime{10s})) == Errc{});
    den.endings();
    den.set_time(10s);
    Member& back = den.join(2, "bob", {}, "#den");
    CHECK(den.take<wire::Joined>(2).at(0).role == Role::member);
    REQUIRE(den.hub.settle() == Errc{});
    den.hub.leave(back);
    den.hub.request_members(*den.ada, {9, ""});
    CHECK(den.take<wire::Members>(1).back().people.at(1) ==
          RoomPerson{"bob", Role::member, false, {}});
}

TEST_CASE("an archived room is read by its members, and written by nobody", "[server]") {
    Den den;
    REQUIRE(den.acted(*den.bob, {}, "before") == Errc{});
    REQUIRE(den.acted(*den.bob, Den::access(RoomAccess::archived)) == Errc::forbidden);
    REQUIRE(den.acted(*den.ada, Den::access(RoomAccess::archived)) == Errc{});
    CHECK(den.acted(*den.ada, {}, "after") == Errc::forbidden);
    CHECK(den.acted(*den.bob, {.kind = Act::Kind::edit, .target = 2}, "x") == Errc::forbidden);
    CHECK(den.acted(*den.ada, {.kind = Act::Kind::topic}, "x") == Errc::forbidden);
    den.hub.leave(*den.bob);
    den.join(2, "bob", Position::last(10), "#den");
    CHECK(den.offsets(2).size() == 3);
    den.log_in(4, "eve");
    CHECK(den.join_error(4, "#den") == Errc::no_such_room);
    REQUIRE(den.acted(*den.ada, Den::access(RoomAccess::everybody)) == Errc{});
    CHECK(den.acted(*den.ada, {}, "after") == Errc{});
    CHECK(den.join_error(4, "#den") == Errc{});
}

TEST_CASE("invitations let in, and their end puts out", "[server]") {
    Den den{RoomAccess::invitation};
    den.log_in(4, "dora");
    CHECK(den.join_error(4, "#den") == Errc::no_such_room);
    REQUIRE(den.acted(*den.bob, Den::role("dora", Role::member)) == Errc::forbidden);
    REQUIRE(den.acted(*den.ada, Den::role("dora", Role::member)) == Errc{});
    CHECK(den.join_error(4, "#den") == Errc{});
    REQUIRE(den.acted(*den.ada, Den::role("dora", Role::none)) == Errc{});
    CHECK(den.endings().size() == 1);
    CHECK(den.join_error(4, "#den") == Errc::no_such_room);
}
