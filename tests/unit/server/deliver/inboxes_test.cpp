#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

// What people are told while they are away, and the rooms that they share.

namespace {

using Texts = std::vector<std::string>;

/// Ada is here; Bob and Carl have accounts, and are away.
struct Absence : HubFixture {
    explicit Absence(Limits l = {}) : HubFixture(l) {
        accounts.names = {"Bob", "carl"};
        log_in(1, "ada");
    }
    void say(std::string to, std::string text, std::uint64_t from = 1) {
        REQUIRE(tell(from, std::move(to), ++number, std::move(text)) == Errc{});
        REQUIRE(hub.settle() == Errc{});
    }
    Texts told(std::uint64_t connection) {
        Texts texts;
        for (const wire::Told& m : control<wire::Told>(connection)) texts.push_back(m.text);
        return texts;
    }
    unsigned number = 0;
};

}  // namespace

TEST_CASE("who was away is told at the next login what was said meanwhile", "[server]") {
    Absence chat;
    chat.say("bob", "one");
    chat.say("BOB", "two");
    chat.say("carl", "not for bob");
    (void)chat.control();
    chat.log_in(2, "bob");

    SECTION("in order, with their place, under the spelling of the account") {
        const auto all = chat.control<wire::Told>(2);
        REQUIRE(all.size() == 2);
        CHECK(all[0].text == "one");
        CHECK(all[0].offset == 1);
        CHECK(all[0].from == "ada");
        CHECK(all[0].to == "Bob");
        CHECK(all[1].text == "two");
        CHECK(all[1].offset == 2);
        CHECK(chat.control().empty());
    }
    SECTION("at each login, until it is read") {
        CHECK(chat.told(2) == Texts{"one", "two"});
        chat.mark(2, "@ada", 1, false);
        chat.log_in(3, "bob");
        CHECK(chat.told(3) == Texts{"two"});
        chat.mark(3, "@ADA", 2, false);
        chat.log_in(4, "bob");
        CHECK(chat.told(4).empty());
    }
    SECTION("and what is said from then on, behind it") {
        chat.say("bob", "three");
        CHECK(chat.told(2) == Texts{"one", "two", "three"});
        chat.say("bob", "four");
        CHECK(chat.told(2) == Texts{"four"});
    }
    SECTION("also after a restart") {
        REQUIRE(chat.hub.settle() == Errc{});
        HubFixture next{chat.config, chat.log};
        next.log_in(2, "bob");
        const auto all = next.control<wire::Told>(2);
        REQUIRE(all.size() == 2);
        CHECK(all[1].to == "Bob");
    }
    SECTION("but not what was deleted, nor what an edit took back") {
        Member& ada = chat.join(5, "ada", {}, "@bob");
        REQUIRE(chat.acted(ada, {.kind = Act::Kind::deletion, .target = 1}) == Errc{});
        REQUIRE(chat.acted(ada, {.kind = Act::Kind::edit, .target = 2}, "2") == Errc{});
        chat.log_in(3, "bob");
        CHECK(chat.told(3) == Texts{"2"});
    }
}

TEST_CASE("who tells must know an account that exists", "[server]") {
    Absence chat;
    CHECK(chat.tell(1, "eve", 1) == Errc::no_such_user);
    CHECK(chat.join_error(1, "@eve") == Errc::no_such_user);
    CHECK(chat.join_error(1, "@bob") == Errc{});
    CHECK(chat.join_error(1, "@b b") == Errc::invalid_name);
    CHECK(chat.tell(1, "ada", 1) == Errc{});
    CHECK(chat.log->rooms()->size() == 4);
}

TEST_CASE("a slow reader of what it was told costs a cursor", "[server]") {
    Absence chat{{.catch_up_records_max = 2}};
    for (int i = 1; i <= 5; ++i) chat.say("bob", std::to_string(i));
    chat.log_in(3, "carl");
    chat.say("bob", "from carl", 3);
    (void)chat.control();
    chat.log_in(2, "bob");
    Texts texts;
    const auto write_one = [&](ConnectionId connection, const Bytes& frame) {
        if (connection != ConnectionId{2}) return true;  // who tells gets an Ack
        texts.push_back(std::get<wire::Told>(HubFixture::read(frame)).text);
        return false;  // the stream is full now
    };
    const auto send_one = [&] { chat.hub.control().send(write_one, [](ConnectionId) {}); };
    send_one();
    send_one();
    CHECK(texts == Texts{"1"});  // until it is writable again
    chat.say("bob", "6");
    send_one();
    CHECK(texts == Texts{"1"});
    for (int i = 0; i < 20; ++i) {
        chat.hub.control().handle_writable(ConnectionId{2});
        send_one();
    }
    CHECK(texts == Texts{"1", "2", "3", "4", "5", "6", "from carl"});
    chat.say("bob", "7");
    CHECK(chat.told(2) == Texts{"7"});
    chat.hub.control().handle_writable(ConnectionId{9});
    CHECK(chat.control().empty());
}

TEST_CASE("two people have a room that they can join", "[server]") {
    Absence chat;
    chat.say("bob", "one");
    chat.log_in(2, "Bob");
    chat.log_in(3, "bob");
    chat.log_in(4, "carl");
    (void)chat.control();
    Member& ada = chat.join(1, "ada", Position::last(10), "@bob");
    chat.join(2, "Bob", Position::last(10), "@ADA");

    SECTION("which each calls by the name of the other") {
        CHECK(chat.take<wire::Joined>(1).at(0).room == "@Bob");
        const auto joined = chat.take<wire::Joined>(2).at(0);
        CHECK(joined.room == "@ada");
        CHECK(joined.access == RoomAccess::invitation);
        CHECK(joined.role == Role::member);
    }
    SECTION("whose messages come there, and to the devices that have not joined as before") {
        chat.take(1);
        chat.take(2);
        chat.say("bob", "two");
        REQUIRE(chat.acted(ada, {}, "three") == Errc{});
        Texts texts;
        for (const auto& [connection, message] : chat.control()) {
            if (std::holds_alternative<wire::Ack>(message)) continue;
            CHECK(connection == 3);
            texts.push_back(std::get<wire::Told>(message).text);
        }
        CHECK(texts == Texts{"two", "three"});
        CHECK(chat.offsets(2) == std::vector<Offset>{2, 3});
    }
    SECTION("and nobody else") {
        CHECK(chat.join_error(4, "@ada,@bob") == Errc::invalid_name);
        CHECK(chat.join_error(4, "@ada") == Errc{});  // that is another one
        CHECK(chat.take<wire::Joined>(4).at(0).head == 0);
    }
    SECTION("and cannot leave for good") {
        CHECK(chat.acted(ada, HubFixture::role("ada", Role::none)) == Errc::forbidden);
        CHECK(chat.acted(ada, {.kind = Act::Kind::topic}, "x") == Errc::forbidden);
        CHECK(chat.acted(ada, {.kind = Act::Kind::reaction, .target = 1}, "+1") == Errc{});
    }
}

TEST_CASE("a pair's room that goes ends for who is in it", "[server]") {
    Absence chat{{.private_rooms_max = 1}};
    Member& ada = chat.join(1, "ada", {}, "@bob");
    chat.publish(ada, "under way");
    chat.log_in(2, "ada");
    REQUIRE(chat.tell(2, "carl", 9) == Errc{});
    const auto endings = chat.endings();
    REQUIRE(endings.size() == 1);
    CHECK(from_wire_code(std::get<wire::Error>(endings[0].second.back()).code) ==
          Errc::no_such_room);
    REQUIRE(chat.hub.settle() == Errc{});
    (void)chat.control();
    chat.log_in(3, "bob");
    CHECK(chat.control().empty());
    chat.join(3, "bob", {}, "@ada");
    CHECK(chat.take<wire::Joined>(3).at(0).head == 0);
}

TEST_CASE("somebody's haste costs others none of their private rooms", "[server]") {
    Absence chat{{.private_rooms_max = 20}};
    chat.accounts.names.insert("mal");
    for (int i = 0; i < 60; ++i) chat.accounts.names.insert("user" + std::to_string(i));
    chat.say("bob", "precious");
    chat.log_in(2, "bob");
    chat.mark(2, "@ada", 1);
    chat.log_in(3, "mal");
    for (int i = 0; i < 60; ++i) chat.say("user" + std::to_string(i), "hi", 3);
    CHECK(chat.log->rooms()->size() == 2 + 20);
    CHECK(chat.log->head("@ada,@bob").head == 1);
    // Nor after a restart, where makers are known by what is stored.
    HubFixture again{chat.config, chat.log};
    again.accounts.names = chat.accounts.names;
    again.log_in(3, "mal");
    REQUIRE(again.tell(3, "user0", 900) == Errc{});
    REQUIRE(again.hub.settle() == Errc{});
    CHECK(chat.log->head("@ada,@bob").head == 1);
}
