#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/session/client_session_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("a client session reports what happens in its rooms", "[session]") {
    ClientFixture client;
    client.join_lobby(2);

    SECTION("messages with their place") {
        CHECK(client.receive(room_stream, ClientFixture::message(3, "hello")) == Errc{});
        const auto message = client.event<RoomMessage>();
        CHECK(message.room == "#lobby");
        CHECK(message.epoch == epoch);
        CHECK(message.offset == 3);
        CHECK(message.from == "bob");
        CHECK(message.text == "hello");
    }
    SECTION("gaps, and goes on behind them") {
        CHECK(client.receive(room_stream, wire::Gap{3, 7}) == Errc{});
        const auto gap = client.event<RoomGap>();
        CHECK(gap.first == 3);
        CHECK(gap.last == 7);
        CHECK(client.receive(room_stream, ClientFixture::message(7)) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, ClientFixture::message(8)) == Errc{});
    }
    SECTION("who comes and goes, and who is there") {
        const std::vector<RoomPerson> people{{"ada", Role::owner, true},
                                             {"bob", Role::muted, false}};
        CHECK(client.receive(room_stream, wire::Presence{"bob", false, {}}) == Errc{});
        CHECK_FALSE(client.event<PresenceChanged>().present);
        CHECK(client.receive(room_stream, wire::Members{0, people, true}) == Errc{});
        CHECK(client.event<MemberList>().people == people);
    }
    SECTION("acks and refusals of what was asked there") {
        const MessageId id{{std::byte{5}}};
        const auto first = client.session.publish("#LOBBY", id, "hi", "{}");
        const auto second = client.session.publish("#lobby", id, "ho", "{}");
        REQUIRE(first);
        REQUIRE(second);
        CHECK(client.receive(room_stream, wire::Ack{*first, epoch, 3, Durability::fsync, {}}) ==
              Errc{});
        const auto acked = client.event<Acked>();
        CHECK(acked.request == *first);
        CHECK(acked.id == id);
        CHECK(acked.offset == 3);
        CHECK(acked.durability == Durability::fsync);
        CHECK(client.receive(room_stream, wire::Error{*second, 73, 4, 1500, "no"}) == Errc{});
        const auto refused = client.event<Refused>();
        CHECK(refused.errc == Errc::conflict);
        CHECK(refused.retry_after == std::chrono::milliseconds{1500});
        CHECK(client.session.unanswered_requests() == 0);
    }
    SECTION("why the server ended the membership") {
        CHECK(client.receive(room_stream, wire::Error{0, 75, 4, 0, "banned"}) == Errc{});
        CHECK(client.events().empty());
        CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
        const auto left = client.event<RoomLeft>();
        CHECK(left.errc == Errc::forbidden);
        CHECK(left.text == "banned");
        CHECK(client.sent() == std::vector<std::string>{" fin"});
        CHECK(client.join("#lobby"));
    }
}

TEST_CASE("a client session that leaves a room", "[session]") {
    ClientFixture client;
    client.join_lobby();
    const auto asked = client.session.publish("#lobby", {}, "hi", "{}");
    const auto answered = client.session.publish("#lobby", {}, "ho", "{}");
    (void)client.sent();
    REQUIRE(client.session.leave("#lobby") == Errc{});
    CHECK(client.sent() == std::vector<std::string>{" fin"});

    SECTION("drops what was under way, but takes answers") {
        CHECK(client.receive(room_stream, ClientFixture::message(1)) == Errc{});
        CHECK(client.receive(room_stream, wire::Presence{"bob", true, {}}) == Errc{});
        CHECK(client.receive(room_stream, wire::Ack{*answered}) == Errc{});
        CHECK(client.event<Acked>().request == *answered);
    }
    SECTION("is out when the server agrees, and owes nobody an answer then") {
        CHECK(client.receive(room_stream, wire::Ack{*answered}) == Errc{});
        CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
        const std::vector<ClientEvent> events = client.events();
        REQUIRE(events.size() == 3);
        CHECK(std::get<Refused>(events[1]).request == *asked);
        CHECK(std::get<Refused>(events[1]).errc == Errc::not_in_room);
        CHECK(std::get<RoomLeft>(events[2]).errc == Errc::closed);
        CHECK(client.session.unanswered_requests() == 0);
        CHECK(client.sent().empty());
    }
    SECTION("cannot ask anything there, nor come back before it is out") {
        CHECK(client.session.leave("#lobby") == Errc::not_in_room);
        CHECK(client.session.publish("#lobby", {}, "hi", "{}").error() == Errc::not_in_room);
        CHECK(client.session.request_members("#lobby", "").error() == Errc::not_in_room);
        CHECK(client.join_error("#lobby") == Errc::already_joined);
        CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
        CHECK(client.join("#lobby"));
    }
}

TEST_CASE("a client session whose join is refused", "[session]") {
    ClientFixture client;
    client.go_online();
    const RequestId join = *client.join("#lobby");
    const auto hopeful = client.session.publish("#lobby", {}, "hi", "{}");
    REQUIRE(hopeful);
    CHECK(client.receive(room_stream, wire::Error{join, 67, 4, 0, "no such room"}) == Errc{});
    CHECK(client.event<Refused>().errc == Errc::no_such_room);
    CHECK(client.session.publish("#lobby", {}, "hi", "{}").error() == Errc::not_in_room);

    CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
    const auto refused = client.event<Refused>();  // and no RoomLeft: it never was in the room
    CHECK(refused.request == *hopeful);
    CHECK(refused.errc == Errc::not_in_room);
    CHECK(client.session.unanswered_requests() == 0);
    CHECK(client.join("#lobby"));
}

TEST_CASE("a client session refuses by itself", "[session]") {
    ClientFixture client{{.outbox_messages_max = 4, .outbox_bytes_max = 150}};
    client.join_lobby();

    SECTION("names that cannot be") {
        CHECK(client.join_error("lobby") == Errc::invalid_name);
        CHECK(client.session.tell("no body", {}, "hi", "{}").error() == Errc::invalid_name);
        CHECK(client.session.request_members("#lobby", "\n").error() == Errc::invalid_name);
    }
    SECTION("texts that the server would refuse") {
        const auto publish = [&](std::string text, std::string attributes) {
            return to_errc(client.session.publish("#lobby", {}, text, attributes).error());
        };
        CHECK(publish(std::string(101, 'a'), "{}") == Errc::message_too_long);
        CHECK(publish("a", std::string(51, ' ')) == Errc::message_too_long);
        CHECK(publish("", "{}") == Errc::invalid_text);
        CHECK(publish("\x1b", "{}") == Errc::invalid_text);
        CHECK(publish("\xff", "{}") == Errc::invalid_text);
        CHECK(client.session.publish("#lobby", {}, std::string(100, 'a'), "{}"));
        CHECK(client.sent().size() == 1);
    }
    SECTION("rooms it is not in, or is in already, or too many of them") {
        CHECK(client.session.publish("#other", {}, "hi", "{}").error() == Errc::not_in_room);
        CHECK(client.session.leave("#other") == Errc::not_in_room);
        CHECK(client.join_error("#LOBBY") == Errc::already_joined);
        CHECK(client.join("#b"));
        CHECK(client.join("#c"));
        CHECK(client.join_error("#d") == Errc::too_many_rooms);
    }
    SECTION("positions that have no place on the wire") {
        CHECK(client.join_error("#other", Position::after(epoch, varint_max + 1)) ==
              Errc::invalid_request);
        CHECK(client.join_error("#other", Position::last(~std::uint64_t{0})) ==
              Errc::invalid_request);
        CHECK(client.join("#other", Position::after(epoch, varint_max)));
        CHECK(client.sent().size() == 1);
    }
    SECTION("more than it may leave unanswered") {
        for (int i = 0; i < 4; ++i) CHECK(client.session.publish("#lobby", {}, "hi", "{}"));
        CHECK(client.session.publish("#lobby", {}, "hi", "{}").error() == Errc::queue_full);
        CHECK(client.session.tell("bob", {}, "hi", "{}").error() == Errc::queue_full);
        CHECK(client.session.request_members("#lobby", "").error() == Errc::queue_full);
        CHECK(client.join_error("#other") == Errc::queue_full);
        CHECK(client.session.unanswered_requests() == 4);
    }
    SECTION("more bytes than it may leave unanswered") {
        CHECK(client.session.publish("#lobby", {}, std::string(98, 'a'), "{}"));
        CHECK(client.session.publish("#lobby", {}, std::string(49, 'a'), "{}").error() ==
              Errc::queue_full);
        CHECK(client.session.publish("#lobby", {}, std::string(48, 'a'), "{}"));
    }
}

TEST_CASE("a client session on the control stream", "[session]") {
    ClientFixture client;
    client.go_online();

    SECTION("tells, and hears the answer") {
        const auto request = client.session.tell("bob", {}, "hi", "{}");
        REQUIRE(request);
        CHECK(client.receive(control, wire::Ack{*request, epoch, 9, {}, {}}) == Errc{});
        CHECK(client.event<Acked>().offset == 9);
    }
    SECTION("is told") {
        CHECK(client.receive(
                  control, wire::Told{epoch, 4, {}, {}, "bob", "ada", "psst", "{}", {}}) == Errc{});
        CHECK(client.event<PrivateMessage>().text == "psst");
    }
    SECTION("hears that the server goes away") {
        CHECK(client.receive(control, wire::Goaway{20, 3000, "bye"}) == Errc{});
        const auto away = client.event<GoingAway>();
        CHECK(away.errc == Errc::server_shutdown);
        CHECK(away.grace == std::chrono::seconds{3});
        CHECK(client.session.state() == State::ready);
    }
    SECTION("takes an error about no request as the reason of the end that follows") {
        CHECK(client.receive(control, wire::Error{0, 23, 1, 0, "sorry"}) == Errc{});
        CHECK(client.session.state() == State::ready);
    }
}
