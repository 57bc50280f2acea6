#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

Limits small_windows() {
    return {.room_log_records_max = 100,
            .room_recent_frames_max = 10,
            .stream_backlog_bytes_max = 4096,
            .outbox_bytes_max = 2'000'000,
            .events_max = 20,
            .stream_receive_window = 8192,
            .connection_receive_window = 32'768};
}

/// `count` messages of a kilobyte, each seen by the author before the next.
void talk(World& world, Chatter& author, int count) {
    for (int i = 0; i < count; ++i) {
        REQUIRE(author.client.publish("#lobby", std::string(1000, 'x')));
        world.run();
    }
}

/// The offsets that a person saw are without a hole, but where a Gap says so.
Offset check_view(const Chatter& person) {
    Offset next = person.last<RoomJoined>().next;
    for (const ClientEvent& event : person.events) {
        if (const auto* gap = std::get_if<RoomGap>(&event)) {
            CHECK(gap->first == next);
            next = gap->last + 1;
        } else if (const auto* message = std::get_if<RoomMessage>(&event)) {
            CHECK(message->offset == next);
            next = message->offset + 1;
        }
    }
    return next;
}

}  // namespace

TEST_CASE("a client that stops reading", "[sim]") {
    World world{{.seed = 15, .limits = small_windows()}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    Chatter& slow = world.add_in_room("slow");
    slow.reading = false;

    SECTION("costs the others nothing") {
        talk(world, ada, 300);
        CHECK(ada.texts().size() == 300);
        CHECK(bob.texts().size() == 300);
        CHECK(ada.count<Acked>() == 300);
        CHECK(slow.online());
    }
    SECTION("holds back a bounded backlog at the server") {
        talk(world, ada, 300);
        // Its stream is the first after control; its connection the third of the server.
        const Backlog backlog = world.server.transport().backlog(ConnectionId{3}, StreamId{4});
        CHECK(backlog.bytes > 0);
        CHECK(backlog.bytes < 4096 + 2048);
    }
    SECTION("gets everything when it reads again, while the log holds it") {
        talk(world, ada, 60);
        slow.reading = true;
        world.run();
        CHECK(slow.count<RoomGap>() == 0);
        CHECK(slow.texts().size() == 60);
        CHECK(check_view(slow) == 61);
    }
    SECTION("is told what is gone, and gets the rest") {
        talk(world, ada, 300);
        slow.reading = true;
        world.run();
        CHECK(slow.count<RoomGap>() == 1);
        CHECK(check_view(slow) == 301);
        talk(world, ada, 5);
        CHECK(check_view(slow) == 306);
    }
    SECTION("is told who is there instead of who came and went") {
        talk(world, ada, 60);
        for (int i = 0; i < 20; ++i) {
            Chatter& guest = world.add_in_room("guest" + std::to_string(i));
            if (i % 2 == 0) guest.client.close();
        }
        world.run();
        slow.reading = true;
        world.run();
        REQUIRE(slow.count<MemberList>() == 1);
        CHECK(slow.last<MemberList>().request == 0);
        const std::vector<RoomPerson> people = slow.last<MemberList>().people;
        CHECK(people.size() == 3 + 20);
        CHECK(std::ranges::count_if(people, &RoomPerson::present) == 3 + 10);
        CHECK(slow.count<PresenceChanged>() < 20);
        CHECK(check_view(slow) == 61);
    }
    SECTION("may vanish") {
        talk(world, ada, 50);
        world.vanish(slow);
        world.run_for(std::chrono::seconds{61});
        CHECK(bob.last<PresenceChanged>().user == "slow");
        talk(world, ada, 1);
    }
}

TEST_CASE("a peer that asks but does not read the answers is not served without end", "[sim]") {
    World world{{.seed = 16,
                 .limits = {.stream_backlog_bytes_max = 4096,
                            .replies_max = 8,
                            .stream_receive_window = 64 * 1024}}};
    for (int i = 0; i < 50; ++i) world.add_in_room("a-rather-long-user-name-" + std::to_string(i));
    ScriptedPeer peer = world.add_scripted();
    (void)peer.log_in("greedy");
    const StreamId room = peer.join("#lobby");
    peer.stop_reading();

    // 4 000 requests of 4 bytes, each with an answer of 1 600: within one window of ours.
    Buffer requests;
    for (int i = 0; i < 4000; ++i) append(requests, encode(wire::MembersRequest{2, ""}));
    peer.send_bytes(room, Bytes{requests}, false);
    const std::size_t waiting = peer.transport().backlog(peer.connection(), room).bytes;
    const auto built = [&] { return world.server.answers_waiting(); };
    CHECK(built() <= 8 + 8);

    // What it asked is answered as far as it reads.
    peer.start_reading();
    std::size_t answers = 0;
    while (peer.next_frame(room)) ++answers;
    CHECK(answers >= 4000);
    CHECK(built() == 0);
    CHECK(waiting == 0);
    CHECK_FALSE(peer.closed());
}

TEST_CASE("a client that does not read private messages stays, and gets them when it reads",
          "[sim]") {
    Limits limits = small_windows();
    limits.control_backlog_bytes_max = 16 * 1024;
    World world{{.seed = 17, .limits = limits}};
    Chatter& ada = world.add_online("ada");
    Chatter& slow = world.add_online("slow");
    slow.reading = false;
    for (int i = 0; i < 100; ++i) {
        REQUIRE(ada.client.tell("slow", std::string(1000, 'x')));
        world.run();
    }
    CHECK(slow.online());
    CHECK(ada.count<Acked>() == 100);
    slow.reading = true;
    world.run();
    CHECK(slow.online());
    CHECK(slow.count<PrivateMessage>() == 100);
    CHECK(ada.count<PrivateMessage>() == 100);
}
