#include <string>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

constexpr Act adds{.kind = Act::Kind::reaction, .target = 1};
constexpr Act takes{.kind = Act::Kind::unreaction, .target = 1};

/// A room with a message, and two devices of ada.
struct Party : HubFixture {
    explicit Party(Limits l = {}) : HubFixture(l) {
        fill(ada, 1);
        for (std::uint64_t connection = 1; connection <= 3; ++connection) (void)take(connection);
    }
    Member& ada = join(1, "ada");
    Member& phone = join(2, "ada");
    Member& bob = join(3, "bob");
};

}  // namespace

TEST_CASE("a hub stores reactions that change something, and no others", "[server]") {
    Party chat;
    CHECK(chat.acted(chat.ada, takes, "+1") == Errc::no_change);
    CHECK(chat.acted(chat.ada, adds, "+1") == Errc{});
    CHECK(chat.acted(chat.ada, adds, "+1") == Errc::no_change);
    CHECK(chat.acted(chat.phone, adds, "+1") == Errc::no_change);
    CHECK(chat.acted(chat.bob, adds, "+1") == Errc{});
    CHECK(chat.acted(chat.phone, takes, "+1") == Errc{});
    CHECK(chat.acted(chat.ada, takes, "+1") == Errc::no_change);
    CHECK(chat.acted(chat.ada, adds, "+1") == Errc{});
    CHECK(chat.log->head("#lobby").head == 5);
}

TEST_CASE("a hub stores so many reactions on a message", "[server]") {
    Party chat{{.reactions_per_message_max = 1000, .reactions_by_account_max = 1000}};
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(chat.acted(i % 2 == 0 ? chat.ada : chat.bob, adds, std::to_string(i)) == Errc{});
    }
    CHECK(chat.acted(chat.ada, adds, "x") == Errc::too_many_reactions);
    CHECK(chat.acted(chat.bob, adds, "1") == Errc::no_change);
    CHECK(chat.acted(chat.bob, takes, "1") == Errc{});
    CHECK(chat.acted(chat.bob, adds, "1") == Errc::too_many_reactions);
    chat.fill(chat.ada, 1);
    CHECK(chat.acted(chat.ada, {.kind = Act::Kind::reaction, .target = 1003}, "x") == Errc{});
}

TEST_CASE("nobody uses up the reactions of others on a message", "[server]") {
    Party chat{{.reactions_per_message_max = 1000, .reactions_by_account_max = 3}};
    for (const char* text : {"1", "2", "3"}) REQUIRE(chat.acted(chat.ada, adds, text) == Errc{});
    CHECK(chat.acted(chat.phone, adds, "4") == Errc::too_many_reactions);
    CHECK(chat.acted(chat.ada, takes, "3") == Errc{});
    CHECK(chat.acted(chat.ada, adds, "3") == Errc::too_many_reactions);
    CHECK(chat.acted(chat.bob, adds, "4") == Errc{});
}

TEST_CASE("who reacts is not heard again until that is stored", "[server]") {
    Party chat;
    chat.act(chat.ada, adds, "+1");
    CHECK(chat.hub.is_busy(chat.ada));
    CHECK(chat.hub.is_busy(chat.phone));
    CHECK_FALSE(chat.hub.is_busy(chat.bob));
    chat.act(chat.bob, adds, "+1");
    REQUIRE(chat.hub.settle() == Errc{});
    for (const Member* member : {&chat.ada, &chat.phone, &chat.bob}) {
        CHECK_FALSE(chat.hub.is_busy(*member));
    }
    SECTION("also if it was there already under that id") {
        chat.act(chat.bob, adds, "2", 7);
        REQUIRE(chat.hub.settle() == Errc{});
        REQUIRE(chat.acted(chat.bob, takes, "2") == Errc{});
        chat.act(chat.bob, adds, "2", 7);
        CHECK(chat.hub.is_busy(chat.bob));
        REQUIRE(chat.hub.settle() == Errc{});
        CHECK_FALSE(chat.hub.is_busy(chat.bob));
        CHECK(chat.acted(chat.bob, takes, "2") == Errc::no_change);
        CHECK(chat.acted(chat.bob, adds, "2") == Errc{});
    }
    SECTION("but is heard if it was refused") {
        chat.act(chat.ada, adds, "+1");
        CHECK_FALSE(chat.hub.is_busy(chat.ada));
    }
    SECTION("and need not be there to hear it") {
        chat.act(chat.ada, takes, "+1");
        chat.hub.leave(chat.ada);
        CHECK(chat.hub.is_busy(chat.phone));
        REQUIRE(chat.hub.settle() == Errc{});
        CHECK_FALSE(chat.hub.is_busy(chat.phone));
        CHECK(chat.acted(chat.phone, takes, "+1") == Errc::no_change);
    }
}

TEST_CASE("a reaction that is sent again is answered as the first time", "[server]") {
    Party chat;
    chat.act(chat.ada, adds, "+1", 7);
    REQUIRE(chat.hub.settle() == Errc{});
    const auto first = chat.take<wire::Ack>(1).at(0);
    chat.act(chat.ada, adds, "+1", 7);
    REQUIRE(chat.hub.settle() == Errc{});
    CHECK(chat.take<wire::Ack>(1).at(0).offset == first.offset);
    CHECK(chat.acted(chat.ada, adds, "+1") == Errc::no_change);
    chat.act(chat.ada, adds, "+2", 7);
    REQUIRE(chat.hub.settle() == Errc{});
    CHECK(chat.take<wire::Error>(1).at(0).code == wire_code(Errc::conflict));
    CHECK(chat.log->head("#lobby").head == 2);
}
