#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/session/client_session_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;
using Kind = Act::Kind;

// What a client session does about acts, rooms and read markers.

namespace {

/// The markers that go to the server, "#a 3" or "#a 3 shared".
std::vector<std::string> markers(ClientFixture& client) {
    std::vector<std::string> all;
    for (const wire::MarkRead& m : client.sent_of<wire::MarkRead>()) {
        all.push_back(m.room + " " + std::to_string(m.offset) + (m.shared ? " shared" : ""));
    }
    return all;
}

using Said = std::vector<std::string>;

}  // namespace

TEST_CASE("a client session reports what happens to messages", "[session]") {
    ClientFixture client;
    client.join_lobby(2);

    SECTION("a reply, and a text that was changed since") {
        wire::Event event = ClientFixture::message(3, "hello");
        event.act.target = 1;
        event.changed_by = 7;
        CHECK(client.receive(room_stream, event) == Errc{});
        const auto message = client.event<RoomMessage>();
        CHECK(message.reply_to == 1);
        CHECK(message.changed_by == 7);
        CHECK_FALSE(message.deleted);
    }
    SECTION("what is left of a message that was deleted") {
        wire::Event event = ClientFixture::message(3, "");
        event.act.kind = Kind::tombstone;
        event.changed_by = 4;
        CHECK(client.receive(room_stream, event) == Errc{});
        const auto message = client.event<RoomMessage>();
        CHECK(message.deleted);
        CHECK(message.text.empty());
        CHECK(message.changed_by == 4);
    }
    SECTION("everything else as an act, in its place") {
        Offset offset = 3;
        for (const Kind kind : {Kind::edit, Kind::deletion, Kind::reaction, Kind::unreaction,
                                Kind::topic, Kind::role, Kind::access, Kind::creation}) {
            wire::Event event = ClientFixture::message(offset, "text");
            const bool has_value = kind >= Kind::role;
            event.act = {.kind = kind, .target = 1, .subject = "carl"};
            event.act.value = has_value ? 2 : 0;
            CHECK(client.receive(room_stream, event) == Errc{});
            const auto act = client.event<RoomAct>();
            CHECK(act.room == "#lobby");
            CHECK(act.offset == offset++);
            CHECK(act.act == event.act);
            CHECK(act.text == "text");
        }
        CHECK(client.receive(room_stream, ClientFixture::message(3)) == Errc::unexpected_frame);
    }
    SECTION("what it is in the room, and what the room is about") {
        client.open_rooms();
        const RequestId request = *client.join("#den");
        const wire::Joined joined{request, "#den", epoch,           5,
                                  6,       false,  Role::moderator, RoomAccess::invitation,
                                  4,       "cats"};
        CHECK(client.receive(StreamId{8}, joined) == Errc{});
        const auto event = client.event<RoomJoined>();
        CHECK(event.role == Role::moderator);
        CHECK(event.access == RoomAccess::invitation);
        CHECK(event.marker == 4);
        CHECK(event.topic == "cats");
    }
}

TEST_CASE("a client session sends acts, and nothing that the server would refuse", "[session]") {
    ClientFixture client;
    client.join_lobby(2);
    const auto publish = [&](const Act& act, std::string text) {
        const auto request = client.session.publish("#lobby", {}, std::move(text), "{}", act);
        return request ? Errc{} : to_errc(request.error());
    };
    const Act edit{.kind = Kind::edit, .target = 1};
    CHECK(publish(edit, "new") == Errc{});
    const auto sent = client.sent_of<wire::Publish>();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].act == edit);
    CHECK(publish(edit, "") == Errc::invalid_text);
    CHECK(publish({.kind = Kind::edit}, "new") == Errc::invalid_request);
    CHECK(publish({.kind = Kind::tombstone}, "") == Errc::invalid_request);
    CHECK(publish({.kind = Kind::role, .subject = "a b"}, "") == Errc::invalid_name);

    SECTION("also again, the same, on the next connection") {
        client.come_back();
        const auto again = client.sent_of<wire::Publish>();
        REQUIRE(again.size() == 1);
        CHECK(again[0] == sent[0]);
    }
}

TEST_CASE("a client session makes rooms", "[session]") {
    ClientFixture client;
    client.go_online();
    const MessageId id{{std::byte{5}}};
    const auto create = [&](std::string room, std::string topic = {},
                            RoomAccess access = RoomAccess::everybody) {
        return client.session.create_room(std::move(room), id, access, std::move(topic));
    };
    const auto request = create("#den", "cats", RoomAccess::invitation);
    REQUIRE(request);
    const wire::CreateRoom expected{*request, id, "#den", RoomAccess::invitation, "cats"};
    CHECK(client.sent_of<wire::CreateRoom>() == std::vector{expected});

    SECTION("and hears what comes of it") {
        CHECK(client.receive(control, wire::Ack{*request, epoch, 1, {}, {}}) == Errc{});
        CHECK(client.event<Acked>().id == id);
        CHECK(client.session.unanswered_requests() == 0);
    }
    SECTION("or why not") {
        CHECK(client.receive(control, wire::Error{*request, 81, 4, 0, "no"}) == Errc{});
        CHECK(client.event<Refused>().errc == Errc::room_exists);
    }
    SECTION("asking again on the next connection") {
        client.come_back();
        CHECK(client.sent_of<wire::CreateRoom>() == std::vector{expected});
    }
    SECTION("of no other form") {
        CHECK(create("den").error() == Errc::invalid_name);
        CHECK(create("@bob").error() == Errc::invalid_name);
        CHECK(create("#a", std::string(513, 'a')).error() == Errc::message_too_long);
        CHECK(create("#a", "\x1b").error() == Errc::invalid_text);
        CHECK(create("#a", "", RoomAccess::archived).error() == Errc::invalid_request);
    }
}

TEST_CASE("a client session lists rooms", "[session]") {
    ClientFixture client;
    CHECK(client.session.request_rooms("").error() == Errc::not_ready);
    client.go_online();
    CHECK(client.session.request_rooms("lobby").error() == Errc::invalid_name);
    const auto request = client.session.request_rooms("@bob");
    REQUIRE(request);
    CHECK(client.sent_of<wire::RoomsRequest>() ==
          std::vector{wire::RoomsRequest{*request, "@bob"}});
    const std::vector<RoomSummary> rooms{
        {"@carl", "", RoomAccess::invitation, Role::member, 3, 2, 1}};

    SECTION("and reports what it is told") {
        CHECK(client.receive(control, wire::Rooms{*request, rooms, false}) == Errc{});
        const auto list = client.event<RoomList>();
        CHECK(list.request == *request);
        CHECK(list.rooms == rooms);
        CHECK_FALSE(list.complete);
        CHECK(client.receive(control, wire::Rooms{*request, rooms, true}) ==
              Errc::unexpected_frame);
    }
    SECTION("not what it did not ask for, or cannot show") {
        CHECK(client.receive(control, wire::Rooms{9, rooms, true}) == Errc::unexpected_frame);
        CHECK(client.receive(control, wire::Rooms{*request, {{"x", ""}}, true}) ==
              Errc::malformed_frame);
    }
    SECTION("and not again on the next connection: that is refused") {
        client.come_back();
        CHECK(client.sent_of<wire::RoomsRequest>().empty());
        bool refused = false;
        for (const ClientEvent& event : client.events()) {
            const auto* r = std::get_if<Refused>(&event);
            if (r != nullptr) refused = r->request == *request && r->errc == Errc::not_ready;
        }
        CHECK(refused);
    }
}

TEST_CASE("a client session says how far it has read", "[session]") {
    ClientFixture client;
    const auto told = [&](Offset offset, std::string from = "bob", Epoch log = epoch) {
        return client.receive(
            control, wire::Told{log, offset, {}, {}, std::move(from), "ada", "hi", "{}", {}});
    };

    SECTION("at once, or when it is online") {
        REQUIRE(client.session.join("#lobby", Position::after(epoch, 5)));
        CHECK(client.session.mark_read("#lobby", 3, false) == Errc{});
        client.negotiate();
        CHECK(markers(client).empty());
        client.log_in();
        CHECK(markers(client) == Said{"#lobby 3"});
        CHECK(client.session.mark_read("#LOBBY", 4, true) == Errc{});
        CHECK(markers(client) == Said{"#LOBBY 4 shared"});
        CHECK(client.session.mark_read("#lobby", 2, true) == Errc{});
        CHECK(markers(client).empty());
        CHECK(client.session.mark_read("a", 2, true) == Errc::invalid_name);
        CHECK(client.session.mark_read("#lobby", varint_max + 1, true) == Errc::invalid_request);
    }
    SECTION("of rooms that it is in, and of what it was told") {
        client.go_online();
        CHECK(client.session.mark_read("#other", 1, false) == Errc::not_in_room);
        CHECK(client.session.mark_read("@bob", 1, false) == Errc::not_in_room);
        CHECK(told(4) == Errc{});
        CHECK(client.session.mark_read("@Bob", 4, true) == Errc{});
        CHECK(markers(client) == Said{"@Bob 4 shared"});
    }
    SECTION("again on each connection, because nobody answers") {
        client.join_lobby(5);
        (void)client.sent();
        REQUIRE(client.session.mark_read("#lobby", 3, true) == Errc{});
        CHECK(markers(client).size() == 1);
        client.come_back();
        CHECK(markers(client) == Said{"#lobby 3 shared"});
    }
    SECTION("of what it was told, once the application has taken that") {
        client.go_online();
        CHECK(told(1) == Errc{});
        CHECK(told(2) == Errc{});
        client.session.send_markers();
        CHECK(markers(client).empty());
        CHECK(client.session.poll_event());
        client.session.send_markers();
        CHECK(markers(client) == Said{"@bob 1"});
        CHECK(client.events().size() == 1);
        client.session.send_markers();
        CHECK(markers(client) == Said{"@bob 2"});
    }
    SECTION("and takes what it is told again for no news") {
        client.go_online();
        CHECK(told(1) == Errc{});
        CHECK(told(2) == Errc{});
        CHECK(told(1, "carl") == Errc{});
        CHECK(client.events().size() == 3);
        client.come_back();
        (void)client.events();
        CHECK(told(1) == Errc{});
        CHECK(told(2) == Errc{});
        CHECK(told(3) == Errc{});
        CHECK(client.event<PrivateMessage>().offset == 3);
    }
    SECTION("and hears of others") {
        client.go_online();
        CHECK(client.receive(control, wire::Marker{"@bob", "bob", 5}) == Errc{});
        const auto moved = client.event<MarkerMoved>();
        CHECK(moved.room == "@bob");
        CHECK(moved.user == "bob");
        CHECK(moved.offset == 5);
    }
    SECTION("nothing of a log that is gone") {
        client.join_lobby(5);
        REQUIRE(client.session.mark_read("#lobby", 5, false) == Errc{});
        (void)client.sent();
        client.come_back();
        const RequestId number = client.sent_of<wire::Join>().at(0).request;
        CHECK(client.receive(room_stream, wire::Joined{number, "#lobby", Epoch{8}, 2, 3, false}) ==
              Errc{});
        client.session.send_markers();
        (void)client.sent();
        REQUIRE(client.session.mark_read("#lobby", 1, false) == Errc{});
        CHECK(markers(client) == Said{"#lobby 1"});
    }
}

TEST_CASE("a client session believes no role and no access that there is not", "[session]") {
    ClientFixture client;
    client.join_lobby(5);
    const auto receive = [&](Act act) {
        return client.receive(room_stream, wire::Event{6, {}, {}, "bob", "", "{}", std::move(act)});
    };
    CHECK(receive({.kind = Kind::role, .subject = "ada", .value = 6}) == Errc::malformed_frame);
    CHECK(receive({.kind = Kind::access, .value = 3}) == Errc::malformed_frame);
    CHECK(receive({.kind = Kind::topic, .value = 1}) == Errc::malformed_frame);
    CHECK(receive({.kind = Kind::role, .subject = "ada", .value = 5}) == Errc{});
}
