#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

using Persons = std::vector<RoomPerson>;

RoomPerson present(std::string user) { return {std::move(user), Role::member, true, {}}; }

}  // namespace

TEST_CASE("a hub announces who comes and goes", "[server]") {
    HubFixture chat{{.presence_members_max = 3, .replies_max = 2}};
    Member& ada = chat.join(1, "ada");
    chat.take(1);

    SECTION("to the others, not to themselves") {
        Member& bob = chat.join(2, "bob");
        CHECK(chat.take<wire::Presence>(1) == std::vector{wire::Presence{"bob", true, {}}});
        CHECK(chat.take<wire::Presence>(2).empty());
        chat.hub.leave(bob);
        CHECK(chat.take<wire::Presence>(1) == std::vector{wire::Presence{"bob", false, {}}});
    }
    SECTION("with the first device and the last one") {
        chat.join(2, "bob");
        chat.take(1);
        Member& more = chat.join(3, "bob");
        CHECK(chat.take<wire::Presence>(1).empty());
        chat.hub.leave(more);
        CHECK(chat.take<wire::Presence>(1).empty());
    }
    SECTION("not in large rooms") {
        chat.join(2, "bob");
        chat.join(3, "carl");
        CHECK(chat.take<wire::Presence>(1).size() == 2);
        Member& dora = chat.join(4, "dora");
        CHECK(chat.take<wire::Presence>(1).empty());
        chat.hub.leave(dora);
        CHECK(chat.take<wire::Presence>(1).size() == 1);
    }
    SECTION("to a stalled member each as it is when it can be served again") {
        chat.hub.fan_out().stall(ada);
        Member& bob = chat.join(2, "bob");
        chat.join(3, "carl");
        chat.hub.leave(bob);
        CHECK(ada.replies.empty());
        chat.hub.fan_out().handle_writable(ada);
        const auto messages = chat.take(1);
        REQUIRE(messages.size() == 2);
        for (const Message& message : messages) {
            const auto& p = std::get<wire::Presence>(message);
            CHECK(p.present == (p.user == "carl"));
        }
    }
    SECTION("behind the answers that wait") {
        chat.hub.fan_out().reply(ada, encode_refusal(1, Errc::forbidden));
        chat.hub.fan_out().reply(ada, encode_refusal(2, Errc::forbidden));
        chat.join(2, "bob");
        const auto messages = chat.take(1);
        REQUIRE(messages.size() == 3);
        CHECK(std::get<wire::Presence>(messages[2]).user == "bob");
    }
}

TEST_CASE("a hub lists members by pages", "[server]") {
    HubFixture chat{{.members_per_page_max = 2}};
    Member& ada = chat.join(1, "ada");
    chat.join(2, "bob");
    chat.join(3, "carl");
    chat.take(1);
    chat.hub.request_members(ada, {8, ""});
    chat.hub.request_members(ada, {9, "bob"});
    CHECK(chat.take<wire::Members>(1) ==
          std::vector{wire::Members{8, {present("ada"), present("bob")}, false},
                      wire::Members{9, {present("carl")}, true}});
}

TEST_CASE("a hub carries messages between two people", "[server]") {
    HubFixture chat{{.private_rooms_max = 2, .private_log_records_max = 2}};
    chat.log_in(1, "ada");
    chat.log_in(2, "ada");
    chat.log_in(3, "bob");
    chat.log_in(4, "carl");
    const auto tell = [&](std::string to, unsigned number, std::string text = "psst",
                          std::uint64_t from = 1) {
        const Errc errc = chat.tell(from, std::move(to), number, std::move(text));
        REQUIRE(chat.hub.settle() == Errc{});
        return errc;
    };
    const auto told_to = [&] {
        std::vector<std::uint64_t> connections;
        for (const auto& [connection, message] : chat.control()) {
            if (std::holds_alternative<wire::Told>(message)) connections.push_back(connection);
        }
        return connections;
    };

    SECTION("to all devices of both, and nobody else") {
        CHECK(tell("BOB", 1) == Errc{});
        const auto frames = chat.control();
        REQUIRE(frames.size() == 4);
        CHECK(frames[0].first == 1);
        CHECK(std::get<wire::Ack>(frames[0].second).request == 1);
        CHECK(std::get<wire::Ack>(frames[0].second).offset == 1);
        for (std::size_t i = 1; i < 4; ++i) {
            CHECK(frames[i].first == i);
            const auto& told = std::get<wire::Told>(frames[i].second);
            CHECK(told.from == "ada");
            CHECK(told.text == "psst");
            CHECK(told.offset == 1);
        }
    }
    SECTION("to oneself once per device") {
        CHECK(tell("Ada", 1) == Errc{});
        CHECK(told_to() == std::vector<std::uint64_t>{1, 2});
    }
    SECTION("not to somebody who has no account, or cannot have one") {
        CHECK(tell("eve", 1) == Errc::no_such_user);
        CHECK(tell("no body", 1) == Errc::invalid_name);
        CHECK(tell("#lobby", 1) == Errc::invalid_name);
        chat.disconnect(3);
        CHECK(tell("bob", 1) == Errc::no_such_user);
        CHECK(chat.control().empty());
    }
    SECTION("once, however often it is sent") {
        CHECK(tell("bob", 1) == Errc{});
        (void)chat.control();
        CHECK(tell("bob", 1) == Errc{});
        const auto frames = chat.control();
        REQUIRE(frames.size() == 1);
        CHECK(std::get<wire::Ack>(frames[0].second).offset == 1);
        CHECK(tell("bob", 1, "other") == Errc{});
        const auto refused = chat.control();
        REQUIRE(refused.size() == 1);
        CHECK(from_wire_code(std::get<wire::Error>(refused[0].second).code) == Errc::conflict);
    }
    SECTION("in a log that both directions share") {
        CHECK(tell("bob", 1) == Errc{});
        CHECK(tell("ada", 2, "hi", 3) == Errc{});
        const auto frames = chat.control();
        CHECK(std::get<wire::Told>(frames.back().second).offset == 2);
    }
    SECTION("and forgets the pair that was quiet for longest") {
        const auto epoch_of = [&](std::string to, unsigned number) {
            REQUIRE(tell(std::move(to), number) == Errc{});
            return std::get<wire::Ack>(chat.control().at(0).second).epoch;
        };
        const Epoch bob = epoch_of("bob", 1);
        const Epoch carl = epoch_of("carl", 2);
        CHECK(epoch_of("bob", 3) == bob);
        epoch_of("ada", 4);  // a third pair: ada and carl must go
        CHECK(epoch_of("bob", 5) == bob);
        CHECK(epoch_of("carl", 6) != carl);
    }
}

TEST_CASE("a room does not fill up with those who have left", "[server]") {
    HubFixture chat{{.members_max = 3}};
    for (std::uint64_t i = 1; i <= 6; ++i) {
        const std::string user = "user" + std::to_string(i);
        Member& member = chat.join(i, user);
        chat.publish(member, "hi");
        REQUIRE(chat.hub.settle() == Errc{});
        chat.mark(i, "#lobby", i);
        REQUIRE(chat.acted(member, HubFixture::role(user, Role::none)) == Errc{});
        (void)chat.endings();
    }
    HubFixture next{chat.config, chat.log};  // nor after a restart
    next.join(9, "late");
}
