#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

template <class M>
const M& as(const Message& message) {
    REQUIRE(std::holds_alternative<M>(message));
    return std::get<M>(message);
}

using Offsets = std::vector<Offset>;

}  // namespace

TEST_CASE("a hub opens rooms", "[server]") {
    HubFixture chat{{.rooms_max = 3}};
    CHECK(chat.hub.add_room("lobby") == Errc::invalid_name);
    CHECK(chat.hub.add_room("#three") == Errc{});
    CHECK(chat.hub.add_room("#four") == Errc::too_many_rooms);
}

TEST_CASE("a hub takes people into rooms", "[server]") {
    HubFixture chat{{.members_max = 2}};

    SECTION("under the room's own spelling") {
        chat.join(1, "ada", {}, "#LoBBy");
        const auto joined = chat.take<wire::Joined>(1);
        REQUIRE(joined.size() == 1);
        CHECK(joined[0].room == "#lobby");
        CHECK(joined[0].request == 1);
        CHECK(joined[0].head == 0);
        CHECK(joined[0].next == 1);
    }
    SECTION("but not into rooms that are not there, or full") {
        for (const std::uint64_t connection : {1, 2, 3}) chat.log_in(connection, "x");
        CHECK(chat.join_error(1, "lobby") == Errc::invalid_name);
        CHECK(chat.join_error(1, "#nowhere") == Errc::no_such_room);
        CHECK(chat.join_error(1, "@ada,@bob") == Errc::invalid_name);
        CHECK(chat.join_error(1, "#lobby") == Errc{});
        CHECK(chat.join_error(2, "#lobby") == Errc{});
        CHECK(chat.join_error(3, "#lobby") == Errc::room_full);
    }
}

TEST_CASE("a hub publishes", "[server]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    chat.join(2, "bob");
    chat.take(1);
    chat.take(2);

    SECTION("nothing before it is committed") {
        chat.publish(ada, "hello");
        CHECK(chat.hub.appends_under_way() == 1);
        CHECK(chat.take(1).empty());
        CHECK(chat.take(2).empty());
        CHECK(chat.hub.settle() == Errc{});
        CHECK(chat.hub.appends_under_way() == 0);
        CHECK(chat.take(1).size() == 2);
        CHECK(chat.take(2).size() == 1);
    }
    SECTION("to every member, with an ack for the publisher") {
        chat.publish(ada, "hello", 77);
        REQUIRE(chat.hub.settle() == Errc{});
        const auto to_ada = chat.take(1);
        REQUIRE(to_ada.size() == 2);
        CHECK(as<wire::Ack>(to_ada[0]).request == 77);
        CHECK(as<wire::Ack>(to_ada[0]).offset == 1);
        CHECK(as<wire::Event>(to_ada[1]).offset == 1);
        const auto to_bob = chat.take(2);
        REQUIRE(to_bob.size() == 1);
        const auto& event = as<wire::Event>(to_bob[0]);
        CHECK(event.from == "ada");
        CHECK(event.text == "hello");
        CHECK(event.id == HubFixture::id(77));
    }
    SECTION("the same bytes to all, in shared memory") {
        chat.publish(ada, "hello");
        REQUIRE(chat.hub.settle() == Errc{});
        chat.serve();
        CHECK(chat.frames[ConnectionId{1}][1].data() == chat.frames[ConnectionId{2}][0].data());
    }
    SECTION("a message sent again once, and acks it each time") {
        chat.publish(ada, "hello", 5);
        chat.publish(ada, "world", 6);
        chat.publish(ada, "hello", 5);
        REQUIRE(chat.hub.settle() == Errc{});
        const auto acks = chat.take<wire::Ack>(1);
        REQUIRE(acks.size() == 3);
        CHECK(acks[2].offset == 1);
        CHECK(chat.offsets(2) == Offsets{1, 2});
    }
    SECTION("nothing under an id that was used for something else") {
        chat.publish(ada, "hello", 5);
        chat.publish(ada, "other", 5);
        REQUIRE(chat.hub.settle() == Errc{});
        const auto to_ada = chat.take(1);
        REQUIRE(to_ada.size() == 3);
        CHECK(from_wire_code(as<wire::Error>(to_ada[1]).code) == Errc::conflict);
        CHECK(as<wire::Error>(to_ada[1]).request == 5);
        CHECK(chat.offsets(2) == Offsets{1});
    }
    SECTION("for those who left before the commit, without an answer") {
        chat.publish(ada, "bye");
        chat.hub.leave(ada);
        REQUIRE(chat.hub.settle() == Errc{});
        CHECK(chat.take(1).empty());
        CHECK(chat.offsets(2) == Offsets{1});
    }
    SECTION("to its own room only") {
        Member& carl = chat.join(3, "carl", {}, "#quiet");
        chat.take(3);
        chat.fill(ada, 1);
        chat.fill(carl, 1);
        CHECK(chat.offsets(3) == Offsets{1});
        CHECK(chat.offsets(2) == Offsets{1});
    }
}

TEST_CASE("a hub lets members begin where they want", "[server]") {
    HubFixture chat{{.room_log_records_max = 10,
                     .room_recent_frames_max = 3,
                     .history_records_max = 8,
                     .catch_up_records_max = 2}};
    Member& ada = chat.join(1, "ada");
    const Epoch epoch = chat.take<wire::Joined>(1).at(0).epoch;
    chat.fill(ada, 15);  // the log holds 6 to 15

    const auto join_at = [&](Position position) {
        chat.join(2, "bob", position);
        const auto messages = chat.take(2);
        Offsets offsets;
        for (std::size_t i = 1; i < messages.size(); ++i) {
            if (const auto* event = std::get_if<wire::Event>(&messages[i])) {
                offsets.push_back(event->offset);
            }
        }
        return std::pair{as<wire::Joined>(messages.at(0)), offsets};
    };

    SECTION("from now") {
        const auto [joined, offsets] = join_at(Position::from_now());
        CHECK(joined.head == 15);
        CHECK(joined.next == 16);
        CHECK_FALSE(joined.recovered);
        CHECK(offsets.empty());
    }
    SECTION("with the last few: recent frames, and older ones from the log") {
        const auto [joined, offsets] = join_at(Position::last(5));
        CHECK(joined.next == 11);
        CHECK_FALSE(joined.recovered);
        CHECK(offsets == Offsets{11, 12, 13, 14, 15});
    }
    SECTION("with the last none") { CHECK(join_at(Position::last(0)).first.next == 16); }
    SECTION("with at most so many as the limits allow") {
        CHECK(join_at(Position::last(varint_max)).second.size() == 8);
    }
    SECTION("after an offset that is still there: recovered, without a hole") {
        const auto [joined, offsets] = join_at(Position::after(epoch, 5));
        CHECK(joined.recovered);
        CHECK(joined.next == 6);
        CHECK(offsets == Offsets{6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
    }
    SECTION("after the newest: recovered, nothing to send") {
        const auto [joined, offsets] = join_at(Position::after(epoch, 15));
        CHECK(joined.recovered);
        CHECK(joined.next == 16);
        CHECK(offsets.empty());
    }
    SECTION("not after an offset whose successor is gone") {
        const auto [joined, offsets] = join_at(Position::after(epoch, 4));
        CHECK_FALSE(joined.recovered);
        CHECK(joined.next == 16);
        CHECK(offsets.empty());
    }
    SECTION("not after an offset of another epoch, or of the future") {
        CHECK_FALSE(join_at(Position::after(Epoch{1}, 15)).first.recovered);
    }
    SECTION("not after an offset of the future") {
        const auto [joined, offsets] = join_at(Position::after(epoch, 16));
        CHECK_FALSE(joined.recovered);
        CHECK(joined.next == 16);
    }
    SECTION("with more than there is") {
        HubFixture young;
        Member& first = young.join(1, "ada");
        young.fill(first, 2);
        young.join(2, "bob", Position::last(100));
        const auto messages = young.take(2);
        CHECK(as<wire::Joined>(messages.at(0)).next == 1);
        CHECK(messages.size() == 3);
    }
}

TEST_CASE("a hub lets a slow member catch up from the log", "[server]") {
    HubFixture chat{
        {.room_log_records_max = 10, .room_recent_frames_max = 3, .catch_up_records_max = 2}};
    Member& ada = chat.join(1, "ada");
    Member& slow = chat.join(2, "slow");
    chat.take(1);
    chat.take(2);

    SECTION("with everything, while the log holds it") {
        chat.hub.fan_out().stall(slow);
        chat.fill(ada, 10);
        CHECK(chat.take(2).empty());
        CHECK(slow.replies.empty());  // it costs a cursor, not a queue
        CHECK(chat.offsets(1).size() == 10);
        chat.hub.fan_out().handle_writable(slow);
        CHECK(chat.offsets(2) == Offsets{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    }
    SECTION("with a gap that names what is gone") {
        chat.fill(ada, 2);
        CHECK(chat.offsets(2) == Offsets{1, 2});
        chat.hub.fan_out().stall(slow);
        chat.fill(ada, 20);
        chat.hub.fan_out().handle_writable(slow);
        const auto messages = chat.take(2);
        REQUIRE(messages.size() == 11);
        CHECK(as<wire::Gap>(messages[0]) == wire::Gap{3, 12});
        CHECK(as<wire::Event>(messages[1]).offset == 13);
        CHECK(as<wire::Event>(messages[10]).offset == 22);
    }
    SECTION("stalled at any frame") {
        chat.hub.fan_out().stall(slow);
        chat.fill(ada, 10);
        Offsets seen;
        for (int turn = 0; turn < 100; ++turn) {
            chat.hub.fan_out().handle_writable(slow);
            Member* member = chat.hub.fan_out().poll_waiting();
            while (member != nullptr && member != &slow) {
                while (chat.hub.next_frames(*member)) {
                }
                member = chat.hub.fan_out().poll_waiting();
            }
            if (const auto next = chat.hub.next_frames(slow)) {
                for (const Bytes& frame : split_frames(*next)) {
                    seen.push_back(as<wire::Event>(chat.read(frame)).offset);
                }
            }
            chat.hub.fan_out().stall(slow);
        }
        CHECK(seen == Offsets{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    }
    SECTION("while new messages arrive and old ones vanish") {
        chat.hub.fan_out().stall(slow);
        chat.fill(ada, 9);
        chat.hub.fan_out().handle_writable(slow);
        Offset next = 1;
        unsigned gaps = 0;
        for (int turn = 0; turn < 30; ++turn) {
            const auto frames = chat.hub.next_frames(slow);
            REQUIRE(frames);
            REQUIRE(split_frames(*frames).size() == 1);  // the log is read one by one
            const Message message = chat.read(*frames);
            if (const auto* gap = std::get_if<wire::Gap>(&message)) {
                CHECK(gap->first == next);
                next = gap->last + 1;
                ++gaps;
            } else {
                CHECK(as<wire::Event>(message).offset == next++);
            }
            chat.fill(ada, 2);  // twice as fast as the reader
        }
        CHECK(gaps > 0);
    }
    SECTION("and forgets it at once when it leaves") {
        chat.hub.fan_out().stall(slow);
        chat.fill(ada, 5);
        chat.hub.fan_out().handle_writable(slow);
        chat.hub.leave(slow);
        CHECK(chat.offsets(1).size() == 5);
        CHECK(chat.take(2).empty());
    }
}
