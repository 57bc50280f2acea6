#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/session/client_rooms.hpp"
#include "quicchat/wire/varint.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

constexpr Epoch epoch{7};
constexpr StreamId stream{4};

/// A room whose join is on its way.
ClientRoom joining(Position position) {
    ClientRooms rooms;
    rooms.add("#lobby", position);
    rooms.begin_join(*rooms.find("#lobby"), stream, 1);
    return *rooms.find("#lobby");
}

wire::Joined joined(Offset head, Offset next, bool recovered, Epoch e = epoch) {
    return {1, "#lobby", e, head, next, recovered};
}

}  // namespace

TEST_CASE("a client's room asks for its place", "[session]") {
    std::optional<RoomGap> gap;

    SECTION("as the application wants, the first time") {
        CHECK(joining(Position::last(5)).position() == Position::last(5));
        CHECK(joining(Position::from_now()).position() == Position::from_now());
        CHECK(joining(Position::after(epoch, 3)).position() == Position::after(epoch, 3));
    }
    SECTION("after what it has, once it is in") {
        ClientRoom room = joining(Position::last(5));
        CHECK(room.handle_joined(joined(9, 5, false), gap) == Errc{});
        CHECK_FALSE(gap);
        CHECK(room.position() == Position::after(epoch, 4));
        CHECK(room.handle_event(5) == Errc{});
        CHECK(room.position() == Position::after(epoch, 5));
        CHECK(room.handle_gap({6, 8}) == Errc{});
        CHECK(room.position() == Position::after(epoch, 8));
    }
    SECTION("after nothing in an empty room, so that the first message is not lost") {
        ClientRoom room = joining(Position::from_now());
        CHECK(room.handle_joined(joined(0, 1, false), gap) == Errc{});
        CHECK(room.position() == Position::after(epoch, 0));
    }
    SECTION("as before, if the answer never came") {
        ClientRoom room = joining(Position::last(5));
        room.stage = ClientRoom::Stage::waiting;
        CHECK(room.position() == Position::last(5));
    }
}

TEST_CASE("a client's room that goes on", "[session]") {
    ClientRoom room = joining(Position::after(epoch, 10));
    std::optional<RoomGap> gap;

    SECTION("has no gap if everything follows") {
        CHECK(room.handle_joined(joined(15, 11, true), gap) == Errc{});
        CHECK_FALSE(gap);
        CHECK(room.handle_event(11) == Errc{});
    }
    SECTION("has no gap if there is nothing new") {
        CHECK(room.handle_joined(joined(10, 11, true), gap) == Errc{});
        CHECK_FALSE(gap);
    }
    SECTION("has a gap for what the log does not hold any more") {
        CHECK(room.handle_joined(joined(15, 16, false), gap) == Errc{});
        REQUIRE(gap);
        CHECK(gap->cause == RoomGap::Cause::retention);
        CHECK(gap->room == "#lobby");
        CHECK(gap->epoch == epoch);
        CHECK(gap->first == 11);
        CHECK(gap->last == 15);
        CHECK(room.handle_event(16) == Errc{});
    }
    SECTION("has a gap for a log that was begun anew") {
        CHECK(room.handle_joined(joined(3, 4, false, Epoch{8}), gap) == Errc{});
        REQUIRE(gap);
        CHECK(gap->cause == RoomGap::Cause::new_epoch);
        CHECK(gap->epoch == Epoch{8});
        CHECK(gap->first == 1);
        CHECK(gap->last == 3);
        CHECK(room.position() == Position::after(Epoch{8}, 3));
    }
    SECTION("has a gap without records for a log that was begun anew and is empty") {
        CHECK(room.handle_joined(joined(0, 1, false, Epoch{8}), gap) == Errc{});
        REQUIRE(gap);
        CHECK(gap->cause == RoomGap::Cause::new_epoch);
        CHECK(gap->first > gap->last);
    }
    SECTION("has a gap for a log that was set back") {
        CHECK(room.handle_joined(joined(7, 8, false), gap) == Errc{});
        REQUIRE(gap);
        CHECK(gap->cause == RoomGap::Cause::rolled_back);
        CHECK(gap->first == 8);
        CHECK(gap->last == 10);
        CHECK(room.handle_event(8) == Errc{});
    }
}

TEST_CASE("a client's room believes no Joined", "[session]") {
    std::optional<RoomGap> gap;

    SECTION("that claims to recover what nobody asked for") {
        const Position position = GENERATE(Position::from_now(), Position::last(3));
        ClientRoom room = joining(position);
        CHECK(room.handle_joined(joined(10, 11, true), gap) == Errc::unexpected_frame);
    }
    SECTION("that claims to recover and begins elsewhere") {
        ClientRoom room = joining(Position::after(epoch, 10));
        CHECK(room.handle_joined(joined(15, 12, true), gap) == Errc::unexpected_frame);
        CHECK(room.handle_joined(joined(15, 10, true), gap) == Errc::unexpected_frame);
        CHECK(room.handle_joined(joined(15, 16, true), gap) == Errc::unexpected_frame);
    }
    SECTION("that claims to recover in another log") {
        ClientRoom room = joining(Position::after(epoch, 10));
        CHECK(room.handle_joined(joined(15, 11, true, Epoch{8}), gap) == Errc::unexpected_frame);
    }
    SECTION("that does not recover, and hands over what was seen already, or a part") {
        ClientRoom room = joining(Position::after(epoch, 10));
        CHECK(room.handle_joined(joined(15, 5, false), gap) == Errc::unexpected_frame);
        CHECK(room.handle_joined(joined(15, 13, false), gap) == Errc::unexpected_frame);
        CHECK(room.handle_joined(joined(15, 3, false, Epoch{8}), gap) == Errc::unexpected_frame);
    }
    SECTION("that comes twice, or for another request") {
        ClientRoom room = joining(Position::from_now());
        wire::Joined other = joined(10, 11, false);
        other.request = 2;
        CHECK(room.handle_joined(other, gap) == Errc::unexpected_frame);
        CHECK(room.handle_joined(joined(10, 11, false), gap) == Errc{});
        CHECK(room.handle_joined(joined(10, 11, false), gap) == Errc::unexpected_frame);
    }
    CHECK_FALSE(gap);
}

TEST_CASE("a client's room compares a heartbeat with what it has", "[session]") {
    ClientRoom room = joining(Position::from_now());
    CHECK(room.handle_heartbeat({0}) == Errc::unexpected_frame);  // not joined yet
    std::optional<RoomGap> gap;
    CHECK(room.handle_joined(joined(10, 11, false), gap) == Errc{});
    CHECK(room.handle_heartbeat({10}) == Errc{});
    CHECK(room.handle_heartbeat({11}) == Errc::events_missing);
    CHECK(room.handle_heartbeat({9}) == Errc::unexpected_frame);
    CHECK(room.handle_event(11) == Errc{});
    CHECK(room.handle_heartbeat({11}) == Errc{});
    CHECK(room.handle_heartbeat({varint_max}) == Errc::events_missing);
}

TEST_CASE("a client's rooms", "[session]") {
    using Stage = ClientRoom::Stage;
    ClientRooms rooms;
    rooms.add("#Lobby", Position::last(3));
    rooms.add("#b", {});

    SECTION("are found by name in any spelling, and by stream") {
        CHECK(rooms.contains("#lobby"));
        CHECK_FALSE(rooms.contains("#c"));
        ClientRoom* room = rooms.find("#LOBBY");
        REQUIRE(room != nullptr);
        CHECK(room->name == "#Lobby");
        CHECK(rooms.find(stream) == nullptr);
        rooms.begin_join(*room, stream, 1);
        CHECK(rooms.find(stream) == room);
        CHECK(rooms.size() == 2);
    }
    SECTION("wait for a stream, each once") {
        std::vector<std::string> waited;
        std::uint64_t next = 4;
        while (const ClientRoom* room = rooms.next_waiting()) {
            waited.push_back(room->name);
            rooms.begin_join(*rooms.find(room->name), StreamId{next += 4}, 1);
        }
        CHECK(waited == std::vector<std::string>{"#b", "#Lobby"});
        rooms.add("#c", {});
        REQUIRE(rooms.next_waiting() != nullptr);
        CHECK(rooms.next_waiting()->name == "#c");
        rooms.begin_join(*rooms.find("#c"), StreamId{next + 4}, 1);
        CHECK(rooms.next_waiting() == nullptr);
        CHECK(rooms.handle_disconnected().empty());
        REQUIRE(rooms.next_waiting() != nullptr);
        CHECK(rooms.next_waiting()->name == "#b");
    }
    SECTION("are forgotten with their stream") {
        rooms.begin_join(*rooms.find("#b"), stream, 1);
        rooms.erase(*rooms.find("#b"));
        CHECK_FALSE(rooms.contains("#b"));
        CHECK(rooms.find(stream) == nullptr);
    }
    SECTION("wait for the next connection, but for those that we leave or may not enter") {
        rooms.add("#left", {});
        rooms.add("#refused", {});
        rooms.find("#b")->stage = Stage::joined;
        rooms.begin_join(*rooms.find("#lobby"), stream, 1);
        rooms.find("#lobby")->end = Errc::forbidden;
        rooms.begin_join(*rooms.find("#left"), StreamId{8}, 2);
        rooms.find("#left")->stage = Stage::leaving;
        rooms.find("#refused")->stage = Stage::refused;

        const std::vector<ClientRoom> left = rooms.handle_disconnected();
        REQUIRE(left.size() == 2);
        CHECK(left[0].name == "#left");
        CHECK(left[1].name == "#refused");
        CHECK(rooms.size() == 2);
        for (const char* name : {"#b", "#lobby"}) {
            CHECK(rooms.find(name)->stage == Stage::waiting);
            CHECK_FALSE(rooms.find(name)->stream);
            CHECK(rooms.find(name)->end == Errc::closed);
        }
        CHECK(rooms.find(stream) == nullptr);
        CHECK(rooms.find(StreamId{8}) == nullptr);
    }
}
