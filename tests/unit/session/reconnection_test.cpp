#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "unit/session/client_session_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

MessageId id(unsigned number) { return {{std::byte{1}, static_cast<std::byte>(number)}}; }

/// What happened after Reconnecting and Online.
std::vector<ClientEvent> events_after_online(ClientFixture& client) {
    std::vector<ClientEvent> all = client.events();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!std::holds_alternative<Online>(all[i])) continue;
        return {std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(i) + 1),
                std::make_move_iterator(all.end())};
    }
    FAIL("not online");
    return {};
}

}  // namespace

TEST_CASE("a client session that lost its connection", "[session]") {
    ClientFixture client;
    client.join_lobby(10);
    CHECK(client.receive(room_stream, ClientFixture::message(11)) == Errc{});
    (void)client.events();

    SECTION("says so, and is connecting again") {
        client.lose();
        const auto lost = client.event<Reconnecting>();
        CHECK(lost.reason.errc == Errc::transport_failed);
        CHECK(lost.delay == std::chrono::seconds{1});
        CHECK(lost.attempt == 1);
        CHECK(client.session.state() == State::connecting);
    }
    SECTION("goes on in its rooms after what it has, which answers no request") {
        client.come_back();
        const auto joins = client.sent_of<wire::Join>();
        REQUIRE(joins.size() == 1);
        CHECK(joins[0].room == "#lobby");
        CHECK(joins[0].position == Position::after(epoch, 11));
        (void)client.events();
        CHECK(client.receive(room_stream, wire::Joined{joins[0].request, "#lobby", epoch, 13, 12,
                                                       true}) == Errc{});
        const auto joined = client.event<RoomJoined>();
        CHECK(joined.request == 0);
        CHECK(joined.recovered);
        CHECK(client.session.unanswered_requests() == 0);
        CHECK(client.receive(room_stream, ClientFixture::message(12)) == Errc{});
    }
    SECTION("shows a gap behind RoomJoined, where not everything follows") {
        client.come_back();
        const RequestId number = client.sent_of<wire::Join>().at(0).request;
        (void)client.events();
        CHECK(client.receive(room_stream, wire::Joined{number, "#lobby", epoch, 20, 21, false}) ==
              Errc{});
        const auto events = client.events();
        REQUIRE(events.size() == 2);
        CHECK_FALSE(std::get<RoomJoined>(events[0]).recovered);
        CHECK(std::get<RoomGap>(events[1]).first == 12);
        CHECK(std::get<RoomGap>(events[1]).last == 20);
    }
    SECTION("sends what has no answer again: the same, in order, before anything later") {
        const auto a = client.session.publish("#lobby", id(1), "a", "{}");
        const auto b = client.session.publish("#lobby", id(2), "b", R"({"x":1})");
        const auto c = client.session.tell("bob", id(3), "c", "{}");
        CHECK(client.receive(room_stream, wire::Ack{*a, epoch, 12, {}, {}}) == Errc{});
        client.lose();
        const auto d = client.session.publish("#lobby", id(4), "d", "{}");
        REQUIRE(d);
        CHECK(client.sent().empty());
        CHECK(client.session.unanswered_requests() == 3);
        client.negotiate();
        client.log_in();
        client.open_rooms();
        const auto e = client.session.publish("#lobby", id(5), "e", "{}");

        std::vector<wire::Publish> published;
        std::vector<wire::Tell> told;
        bool joined = false;
        for (const auto& [stream, message] : client.sent_messages()) {
            if (std::holds_alternative<wire::Join>(message)) joined = true;
            if (const auto* m = std::get_if<wire::Publish>(&message)) {
                CHECK(joined);
                CHECK(stream == room_stream);
                published.push_back(*m);
            }
            if (const auto* m = std::get_if<wire::Tell>(&message)) told.push_back(*m);
        }
        REQUIRE(published.size() == 3);
        CHECK(published[0] == wire::Publish{*b, id(2), "b", R"({"x":1})"});
        CHECK(published[1] == wire::Publish{*d, id(4), "d", "{}"});
        CHECK(published[2] == wire::Publish{*e, id(5), "e", "{}"});
        REQUIRE(told.size() == 1);
        CHECK(told[0] == wire::Tell{*c, id(3), "bob", "c", "{}"});

        (void)client.events();
        CHECK(client.receive(room_stream, wire::Ack{*b, epoch, 13, {}, {}}) == Errc{});
        CHECK(client.event<Acked>().id == id(2));
        CHECK(client.receive(control, wire::Ack{*c, epoch, 1, {}, {}}) == Errc{});
        CHECK(client.event<Acked>().id == id(3));
    }
    SECTION("sends nothing of what the old connection did not take any more") {
        REQUIRE(client.session.publish("#lobby", id(1), "a", "{}"));
        client.lose();
        client.connect();
        CHECK(client.sent_messages().size() == 2);  // Hello and LoginBegin
    }
    SECTION("believes no answer to what it did not send again yet") {
        const auto tell = client.session.tell("bob", id(1), "a", "{}");
        client.lose();
        client.negotiate();
        client.log_in();
        const auto publish = client.session.publish("#lobby", id(2), "b", "{}");
        CHECK(client.receive(control, wire::Ack{*publish}) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Ack{*publish}) == Errc::unexpected_frame);
        CHECK(client.receive(control, wire::Ack{*tell}) == Errc{});
    }
    SECTION("refuses questions that have no answer, and takes none while it is offline") {
        const auto members = client.session.request_members("#lobby", "");
        REQUIRE(members);
        client.lose();
        const auto events = client.events();
        REQUIRE(events.size() == 2);
        CHECK(std::get<Refused>(events[0]).request == *members);
        CHECK(std::get<Refused>(events[0]).errc == Errc::not_ready);
        CHECK(client.session.request_members("#lobby", "").error() == Errc::not_ready);
        CHECK(client.session.unanswered_requests() == 0);
    }
    SECTION("forgets half a login") {
        client.lose();
        client.negotiate();
        CHECK(client.receive(control, wire::LoginDone{"ada", {}}) == Errc{});
        client.lose();
        CHECK_FALSE(client.session.poll_login());
    }
    SECTION("obeys the limits of the server that it finds") {
        client.lose();
        client.connect();
        CHECK(client.receive(control, wire::Welcome{0, {}, {3, 50, 3}, "{}"}) == Errc{});
        CHECK(client.session.publish("#lobby", {}, "four", "{}").error() == Errc::message_too_long);
    }
}

TEST_CASE("a client session whose join had no answer", "[session]") {
    ClientFixture client;
    client.go_online();
    const auto join = client.join("#lobby", Position::last(5));
    const auto hopeful = client.session.publish("#lobby", id(1), "hi", "{}");
    REQUIRE(hopeful);
    (void)client.sent();
    client.come_back();
    (void)client.events();

    SECTION("asks again, under the same number and for the same place") {
        const auto messages = client.sent_messages();
        REQUIRE(messages.size() == 4);
        CHECK(std::get<wire::Join>(messages[2].second) ==
              wire::Join{*join, "#lobby", Position::last(5)});
        CHECK(std::get<wire::Publish>(messages[3].second).request == *hopeful);
        CHECK(client.receive(room_stream, ClientFixture::joined(*join, 3)) == Errc{});
        CHECK(client.event<RoomJoined>().request == *join);
    }
    SECTION("may be refused then") {
        CHECK(client.receive(room_stream, wire::Error{*join, 67, 4, 0, "gone"}) == Errc{});
        CHECK(client.event<Refused>().request == *join);
        CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
        CHECK(client.event<Refused>().request == *hopeful);
    }
}

TEST_CASE("a client session that is offline takes requests", "[session]") {
    ClientFixture client;

    SECTION("before its first connection as well, and sends them when it is online") {
        const auto join = client.session.join("#lobby", {});
        const auto publish = client.session.publish("#LOBBY", id(1), "hi", "{}");
        const auto tell = client.session.tell("bob", id(2), "psst", "{}");
        REQUIRE(join);
        REQUIRE(publish);
        REQUIRE(tell);
        CHECK_FALSE(client.session.poll_join());
        client.negotiate();
        CHECK_FALSE(client.session.poll_join());
        CHECK(client.sent_messages().size() == 2);
        client.log_in();
        client.open_rooms();
        const auto messages = client.sent_messages();
        REQUIRE(messages.size() == 3);
        CHECK(std::get<wire::Tell>(messages[0].second).request == *tell);
        CHECK(std::get<wire::Join>(messages[1].second).request == *join);
        CHECK(std::get<wire::Publish>(messages[2].second).request == *publish);
    }
    SECTION("to leave a room, at once") {
        client.join_lobby();
        const auto publish = client.session.publish("#lobby", id(1), "hi", "{}");
        client.lose();
        (void)client.event<Reconnecting>();
        CHECK(client.session.leave("#LOBBY") == Errc{});
        const auto events = client.events();
        REQUIRE(events.size() == 2);
        CHECK(std::get<Refused>(events[0]).request == *publish);
        CHECK(std::get<Refused>(events[0]).errc == Errc::not_in_room);
        CHECK(std::get<RoomLeft>(events[1]).room == "#lobby");
        CHECK(client.session.leave("#lobby") == Errc::not_in_room);
        REQUIRE(client.session.join("#lobby", {}));
        REQUIRE(client.session.leave("#lobby") == Errc{});
        client.come_back();
        CHECK(client.sent_messages().size() == 2);
    }
}

TEST_CASE("a client session that was leaving when its connection was lost is out", "[session]") {
    ClientFixture client;
    client.join_lobby();
    const auto publish = client.session.publish("#lobby", id(1), "hi", "{}");
    REQUIRE(client.session.leave("#lobby") == Errc{});
    client.lose();
    const auto events = client.events();
    REQUIRE(events.size() == 3);
    CHECK(std::get<Refused>(events[0]).request == *publish);
    CHECK(std::get<RoomLeft>(events[1]).errc == Errc::closed);
    CHECK(std::holds_alternative<Reconnecting>(events[2]));
    client.come_back();
    CHECK(client.sent_of<wire::Join>().empty());
    CHECK(client.join("#lobby"));
}

TEST_CASE("a client session that leaves before it could go on in a room is out, and no more",
          "[session]") {
    ClientFixture client;
    client.join_lobby();
    client.come_back();
    (void)client.events();
    REQUIRE(client.session.leave("#lobby") == Errc{});
    CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
    CHECK(client.event<RoomLeft>().errc == Errc::closed);  // nobody asked to join again
}

TEST_CASE("a client session that may not go on in a room", "[session]") {
    ClientFixture client;
    client.join_lobby();
    const auto publish = client.session.publish("#lobby", id(1), "hi", "{}");
    client.come_back();
    const RequestId number = client.sent_of<wire::Join>().at(0).request;
    CHECK(events_after_online(client).empty());
    CHECK(client.receive(room_stream, wire::Error{number, 75, 4, 0, "banned"}) == Errc{});
    CHECK(client.events().empty());  // nobody asked

    SECTION("is out of it, and says why, after what waited is refused") {
        CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
        const auto events = client.events();
        REQUIRE(events.size() == 2);
        CHECK(std::get<Refused>(events[0]).request == *publish);
        CHECK(std::get<Refused>(events[0]).errc == Errc::not_in_room);
        CHECK(std::get<RoomLeft>(events[1]).errc == Errc::forbidden);
        CHECK(std::get<RoomLeft>(events[1]).text == "banned");
        CHECK(client.session.unanswered_requests() == 0);
        CHECK(client.join("#lobby"));
    }
    SECTION("believes no Joined after that") {
        CHECK(client.receive(room_stream, ClientFixture::joined(number, 0)) ==
              Errc::unexpected_frame);
    }
    SECTION("tries again if the connection is lost before the stream ends") {
        client.come_back();
        CHECK(client.sent_of<wire::Join>().size() == 1);
        (void)client.events();
        REQUIRE(client.session.leave("#lobby") == Errc{});
        CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
        CHECK(std::get<RoomLeft>(client.events().back()).errc == Errc::closed);
    }
}

TEST_CASE("a client session joins", "[session]") {
    ClientFixture client;
    REQUIRE(client.session.join("#lobby", {}));
    REQUIRE(client.session.publish("#lobby", id(1), "hi", "{}"));
    CHECK_FALSE(client.session.poll_join());  // not connected

    SECTION("with its login, if that takes one flight, but sends no message before its end") {
        client.connect(true);
        client.open_rooms();
        auto messages = client.sent_messages();
        REQUIRE(messages.size() == 3);
        CHECK(std::holds_alternative<wire::LoginBegin>(messages[1].second));
        CHECK(messages[2].first == room_stream);
        CHECK(std::holds_alternative<wire::Join>(messages[2].second));
        CHECK(client.receive(control, ClientFixture::welcome()) == Errc{});
        CHECK(client.sent().empty());
        client.log_in();
        messages = client.sent_messages();
        REQUIRE(messages.size() == 1);
        CHECK(std::holds_alternative<wire::Publish>(messages[0].second));
        CHECK(client.receive(room_stream, ClientFixture::joined(1, 0)) == Errc{});
    }
    SECTION("what is asked for meanwhile as well") {
        client.connect(true);
        client.open_rooms();
        CHECK(client.receive(control, ClientFixture::welcome()) == Errc{});
        REQUIRE(client.join("#b"));
        CHECK(client.sent_of<wire::Join>().size() == 2);
    }
    SECTION("only so many rooms with its login as every server takes, and the others after it") {
        ClientFixture busy{{.rooms_per_connection_max = 100, .outbox_messages_max = 100}};
        for (int i = 0; i < 100; ++i) REQUIRE(busy.session.join("#" + std::to_string(i), {}));
        busy.connect(true);
        busy.open_rooms();
        CHECK(busy.sent_of<wire::Join>().size() == early_joins_max);
        CHECK(busy.receive(control, ClientFixture::welcome()) == Errc{});
        busy.log_in();
        busy.open_rooms();
        CHECK(busy.sent_of<wire::Join>().size() == 100 - early_joins_max);
    }
    SECTION("after its login, if that takes more") {
        client.connect();
        CHECK_FALSE(client.session.poll_join());
        CHECK(client.receive(control, ClientFixture::welcome()) == Errc{});
        CHECK_FALSE(client.session.poll_join());
        client.log_in();
        CHECK(client.session.poll_join() == "#lobby");
    }
    SECTION("on each connection as that one's login says") {
        client.connect(true);
        CHECK(client.session.poll_join());
        client.lose();
        client.connect();
        CHECK_FALSE(client.session.poll_join());
    }
}

TEST_CASE("a client session looks at nothing of a room before it is ready", "[session]") {
    ClientFixture client;
    const auto join = client.session.join("#lobby", {});
    client.connect(true);
    client.open_rooms();
    if (GENERATE(false, true)) CHECK(client.receive(control, ClientFixture::welcome()) == Errc{});
    CHECK(client.receive(room_stream, ClientFixture::joined(*join, 0)) == Errc::unexpected_frame);
    CHECK(client.events().empty());
}

TEST_CASE("a client session hears a heartbeat", "[session]") {
    ClientFixture client;
    client.join_lobby(10);
    CHECK(client.receive(room_stream, wire::Heartbeat{10}) == Errc{});
    CHECK(client.receive(room_stream, wire::Heartbeat{11}) == Errc::events_missing);
    CHECK(client.receive(room_stream, wire::Heartbeat{9}) == Errc::unexpected_frame);
    CHECK(client.receive(control, wire::Heartbeat{10}) == Errc::unexpected_frame);
    REQUIRE(client.session.leave("#lobby") == Errc{});
    CHECK(client.receive(room_stream, wire::Heartbeat{11}) == Errc{});  // what we no longer follow
    CHECK(client.events().empty());
}

TEST_CASE("a client session hands on a token once", "[session]") {
    ClientFixture client;
    client.negotiate();
    CHECK(client.receive(control, wire::Token{7, hex("aabb")}) == Errc::unexpected_frame);
    client.log_in();
    (void)client.events();
    CHECK(client.receive(control, wire::Token{7, hex("aabb")}) == Errc{});
    CHECK(client.event<TokenRenewed>().generation == 7);
    const auto token = client.session.poll_token();
    REQUIRE(token);
    CHECK(to_hex(token->key) == "aa bb");
    CHECK_FALSE(client.session.poll_token());
}
