#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "unit/session/client_session_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("a client session logs in", "[session]") {
    ClientFixture client;

    SECTION("with Hello and LoginBegin in one flight") {
        client.connect();
        CHECK(client.sent() ==
              std::vector<std::string>{
                  "02 06 00 00 00 02 7b 7d",
                  "06 14 01 4d dd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 aa"});
        CHECK(client.session.state() == State::negotiating);
    }

    SECTION("and is online when the server has proved itself, not before") {
        client.negotiate();
        CHECK(client.session.state() == State::authenticating);
        CHECK(client.receive_hex(control, "0c 05 03616461 00") == Errc{});
        CHECK(client.session.state() == State::authenticating);
        const auto login = client.session.poll_login();
        REQUIRE(login);
        CHECK(login->final);
        CHECK(client.events().empty());

        client.session.login_complete();
        const auto online = client.event<Online>();
        CHECK(online.user == "ada");
        CHECK(online.limits.message_bytes_max == 100);
        CHECK(client.session.state() == State::ready);
        client.session.login_complete();
        CHECK(client.events().empty());
    }

    SECTION("passing challenges on") {
        client.negotiate();
        (void)client.sent();
        CHECK(client.receive_hex(control, "08 02 01 ff") == Errc{});
        const auto login = client.session.poll_login();
        REQUIRE(login);
        CHECK_FALSE(login->final);
        CHECK(to_hex(login->data) == "ff");
        client.session.login_respond(hex("ee"));
        CHECK(client.sent() == std::vector<std::string>{"0a 02 01 ee"});
    }

    SECTION("never as somebody with an impossible name") {
        client.negotiate();
        CHECK(client.receive(control, wire::LoginDone{"a\x1b[2J", {}}) == Errc::malformed_frame);
        CHECK(client.receive(control, wire::LoginDone{"", {}}) == Errc::malformed_frame);
    }

    SECTION("in a version that it asked for") {
        client.connect();
        CHECK(client.receive_hex(control, "04 08 01 00 00 00 00 02 7b7d") ==
              Errc::version_mismatch);
    }
}

TEST_CASE("a client session closes on frames out of order", "[session]") {
    ClientFixture client;

    SECTION("before it is connected") {
        CHECK(client.receive(control, ClientFixture::welcome()) == Errc::unexpected_frame);
    }
    SECTION("LoginDone before Welcome") {
        client.connect();
        CHECK(client.receive(control, wire::LoginDone{"ada", {}}) == Errc::unexpected_frame);
    }
    SECTION("two Welcomes") {
        client.negotiate();
        CHECK(client.receive(control, ClientFixture::welcome()) == Errc::unexpected_frame);
    }
    SECTION("login frames after the login") {
        client.go_online();
        CHECK(client.receive(control, wire::LoginDone{"eve", {}}) == Errc::unexpected_frame);
        CHECK(client.receive(control, wire::LoginChallenge{}) == Errc::unexpected_frame);
    }
    SECTION("frames that only clients send") {
        client.join_lobby();
        CHECK(client.receive(control, wire::Hello{0, 0, {}, "{}"}) == Errc::unexpected_frame);
        CHECK(client.receive(control, wire::Tell{1, {}, "ada", "hi", "{}"}) ==
              Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Publish{1, {}, "hi", "{}"}) ==
              Errc::unexpected_frame);
    }
    SECTION("frames of rooms on the control stream, and the other way round") {
        client.join_lobby();
        CHECK(client.receive(control, ClientFixture::message(1)) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Goaway{}) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Told{}) == Errc::unexpected_frame);
    }
    SECTION("a stream that nobody opened") {
        client.join_lobby();
        CHECK(client.receive(StreamId{8}, ClientFixture::message(1)) == Errc::unexpected_frame);
    }
    SECTION("a frame of an unknown even type, but not of an odd one") {
        client.join_lobby();
        CHECK(client.receive_hex(control, "4035 02 ffff") == Errc{});
        CHECK(client.receive_hex(room_stream, "35 00") == Errc{});
        CHECK(client.receive_hex(room_stream, "32 00") == Errc::unknown_frame);
        CHECK(client.events().empty());
    }
    SECTION("the end of the control stream") {
        client.go_online();
        CHECK(client.session.handle_stream_end(control, true) == Errc::unexpected_frame);
    }
}

TEST_CASE("a client session drops everything once it is closing", "[session]") {
    ClientFixture client;
    client.join_lobby();
    client.session.handle_close(GENERATE(Input::close_asked, Input::failed));
    CHECK(client.session.state() == State::draining);
    CHECK(client.receive(room_stream, ClientFixture::message(99)) == Errc{});
    CHECK(client.receive_hex(control, "32 00") == Errc{});
    CHECK(client.session.handle_stream_end(control, false) == Errc{});
    CHECK(client.events().empty());
    CHECK(client.session.request_members("#lobby", "").error() == Errc::not_ready);
    CHECK(client.sent().empty());

    client.session.handle_disconnected();
    client.session.end({.errc = Errc::closed});
    (void)client.event<Offline>();
    client.session.handle_disconnected();
    CHECK(client.events().empty());  // Offline is the last one
}

TEST_CASE("a client session takes nothing more", "[session]") {
    ClientFixture client;
    client.join_lobby();

    SECTION("once it was asked to close") { client.session.handle_close(Input::close_asked); }
    SECTION("once it ended for good") {
        client.session.handle_disconnected();
        client.session.end({.errc = Errc::kicked});
        CHECK(client.event<Offline>().reason.errc == Errc::kicked);
    }
    CHECK(client.join_error("#other") == Errc::not_ready);
    CHECK(client.session.leave("#lobby") == Errc::not_ready);
    CHECK(client.session.publish("#lobby", {}, "hi", "{}").error() == Errc::not_ready);
    CHECK(client.session.tell("bob", {}, "hi", "{}").error() == Errc::not_ready);
    CHECK(client.session.request_members("#lobby", "").error() == Errc::not_ready);
    CHECK(client.session.unanswered_requests() == 0);
}

TEST_CASE("a client session that fails before it is connected drains", "[session]") {
    ClientFixture client;
    client.session.handle_close(Input::failed);
    CHECK(client.session.state() == State::draining);
    client.session.handle_disconnected();
    client.session.end({.errc = Errc::unreachable});
    CHECK(client.event<Offline>().reason.errc == Errc::unreachable);
}

TEST_CASE("a client session believes no server that", "[session]") {
    ClientFixture client;
    client.join_lobby(10);

    SECTION("repeats an offset") {
        CHECK(client.receive(room_stream, ClientFixture::message(11)) == Errc{});
        CHECK(client.receive(room_stream, ClientFixture::message(11)) == Errc::unexpected_frame);
    }
    SECTION("skips an offset") {
        CHECK(client.receive(room_stream, ClientFixture::message(12)) == Errc::unexpected_frame);
    }
    SECTION("goes back") {
        CHECK(client.receive(room_stream, ClientFixture::message(10)) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, ClientFixture::message(0)) == Errc::unexpected_frame);
    }
    SECTION("sends a gap that begins elsewhere, or ends before it begins") {
        CHECK(client.receive(room_stream, wire::Gap{12, 13}) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Gap{10, 13}) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Gap{11, 10}) == Errc::unexpected_frame);
    }
    SECTION("sends texts with control characters or broken UTF-8") {
        for (const char* bad : {"\x1b[31m", "\xff", "\xc3", "\xed\xa0\x80", "\x7f", "\xc2\x9b"}) {
            wire::Event event = ClientFixture::message(11, bad);
            CHECK(client.receive(room_stream, event) == Errc::malformed_frame);
            event = ClientFixture::message(11);
            event.attributes = bad;
            CHECK(client.receive(room_stream, event) == Errc::malformed_frame);
            event = ClientFixture::message(11);
            event.from = bad;
            CHECK(client.receive(room_stream, event) == Errc::malformed_frame);
            event = ClientFixture::message(11);
            event.act.subject = bad;
            CHECK(client.receive(room_stream, event) == Errc::malformed_frame);
            wire::Told told{epoch, 1, {}, {}, "bob", "ada", bad, "{}"};
            CHECK(client.receive(control, told) == Errc::malformed_frame);
            told = {epoch, 1, {}, {}, "bob", bad, "hi", "{}"};
            CHECK(client.receive(control, told) == Errc::malformed_frame);
            CHECK(client.receive(control, wire::Goaway{20, 1, bad}) == Errc::malformed_frame);
            CHECK(client.receive(control, wire::Marker{bad, "bob", 1}) == Errc::malformed_frame);
            CHECK(client.receive(control, wire::Marker{"#a", bad, 1}) == Errc::malformed_frame);
            CHECK(client.receive(control, wire::Error{1, 64, 4, 0, bad}) == Errc::malformed_frame);
            CHECK(client.receive(room_stream, wire::Error{0, 64, 4, 0, bad}) ==
                  Errc::malformed_frame);
            CHECK(client.receive(room_stream, wire::Presence{bad, true, {}}) ==
                  Errc::malformed_frame);
            CHECK(
                client.receive(room_stream, wire::Members{0, {{bad, Role::member, true}}, true}) ==
                Errc::malformed_frame);
        }
        CHECK(client.events().empty());
    }
    SECTION("answers what was not asked, or not there") {
        CHECK(client.receive(control, wire::Ack{}) == Errc::unexpected_frame);
        CHECK(client.receive(control, wire::Error{9, 64, 4, 0, ""}) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Members{9, {}, true}) == Errc::unexpected_frame);
        const auto publish = client.session.publish("#lobby", {}, "hi", "{}");
        const auto members = client.session.request_members("#lobby", "");
        REQUIRE(publish);
        REQUIRE(members);
        CHECK(client.receive(control, wire::Ack{*publish}) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Ack{*members}) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Members{*publish, {}, true}) ==
              Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Ack{*publish}) == Errc{});
        CHECK(client.receive(room_stream, wire::Ack{*publish}) == Errc::unexpected_frame);
    }
    SECTION("says Joined twice") {
        CHECK(client.receive(room_stream, ClientFixture::joined(1, 10)) == Errc::unexpected_frame);
    }
    SECTION("ends a stream inside a frame") {
        CHECK(client.session.handle_stream_end(room_stream, false) == Errc::malformed_frame);
    }
}

TEST_CASE("a client session takes Joined only as an answer", "[session]") {
    ClientFixture client;
    client.go_online();
    const RequestId request = *client.join("#Lobby", Position::last(5));
    CHECK(client.sent() == std::vector<std::string>{"20 0a 01 06 23 4c 6f 62 62 79 01 05"});

    SECTION("for the room that was asked for, in whatever case") {
        CHECK(client.receive(room_stream, ClientFixture::joined(request, 3)) == Errc{});
        CHECK(client.event<RoomJoined>().room == "#lobby");
        CHECK(client.session.unanswered_requests() == 0);
    }
    SECTION("not for another room") {
        wire::Joined other = ClientFixture::joined(request, 3);
        other.room = "#other";
        CHECK(client.receive(room_stream, other) == Errc::malformed_frame);
    }
    SECTION("not with another number") {
        CHECK(client.receive(room_stream, ClientFixture::joined(request + 1, 3)) ==
              Errc::unexpected_frame);
    }
    SECTION("not with a place outside the log") {
        wire::Joined lie = ClientFixture::joined(request, 3);
        lie.next = 0;
        CHECK(client.receive(room_stream, lie) == Errc::malformed_frame);
        lie.next = 5;
        CHECK(client.receive(room_stream, lie) == Errc::malformed_frame);
    }
    SECTION("before any event") {
        CHECK(client.receive(room_stream, ClientFixture::message(1)) == Errc::unexpected_frame);
        CHECK(client.receive(room_stream, wire::Gap{1, 2}) == Errc::unexpected_frame);
    }
}
