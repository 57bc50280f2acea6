#include <cstddef>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("all members of a room see the same messages in the same order, once", "[sim]") {
    INFO("seed=" << seed());
    World world{{.seed = seed()}};
    std::vector<Chatter*> people;
    for (int i = 0; i < 12; ++i) people.push_back(&world.add_in_room("user" + std::to_string(i)));

    // Everybody talks at once, in three waves that overlap on the wire.
    constexpr std::size_t messages = 12 * 3 * 4;
    for (int wave = 0; wave < 3; ++wave) {
        for (Chatter* person : people) {
            for (int i = 0; i < 4; ++i) {
                REQUIRE(
                    person->client.publish("#lobby", person->user + std::to_string(wave * 4 + i)));
            }
        }
        for (int i = 0; i < 5; ++i) {
            world.network.step();
            world.turn();
        }
    }
    world.run();

    const std::vector<RoomMessage> reference = people[0]->all<RoomMessage>();
    REQUIRE(reference.size() == messages);
    for (std::size_t i = 0; i < messages; ++i) CHECK(reference[i].offset == i + 1);
    for (Chatter* person : people) {
        const std::vector<RoomMessage> seen = person->all<RoomMessage>();
        REQUIRE(seen.size() == messages);
        for (std::size_t i = 0; i < messages; ++i) {
            REQUIRE(seen[i].offset == reference[i].offset);
            REQUIRE(seen[i].id == reference[i].id);
            REQUIRE(seen[i].text == reference[i].text);
            REQUIRE(seen[i].epoch == reference[i].epoch);
        }
        // Each author's own order is kept, and each ack names the place of its message.
        int next = 0;
        for (const RoomMessage& message : seen) {
            if (message.from != person->user) continue;
            CHECK(message.text == person->user + std::to_string(next++));
        }
        const std::vector<Acked> acks = person->all<Acked>();
        CHECK(acks.size() == 12);
        for (const Acked& ack : acks) {
            CHECK(seen[ack.offset - 1].id == ack.id);
            CHECK(seen[ack.offset - 1].from == person->user);
        }
        CHECK(person->client.unanswered_requests() == 0);
        CHECK(person->count<RoomGap>() == 0);
    }
}

TEST_CASE("a message that is sent again is stored once", "[sim]") {
    World world{{.seed = 5}};
    Chatter& ada = world.add_in_room("ada");
    const MessageId id{{std::byte{1}, std::byte{2}}};
    REQUIRE(ada.client.publish("#lobby", "hello", "{}", id));
    REQUIRE(ada.client.publish("#lobby", "hello", "{}", id));
    REQUIRE(ada.client.publish("#lobby", "other", "{}", id));
    world.run();
    CHECK(ada.texts() == std::vector<std::string>{"hello"});
    CHECK(ada.count<Acked>() == 2);
    CHECK(ada.all<Acked>()[1].offset == 1);
    CHECK(ada.last<Refused>().errc == Errc::conflict);

    // Also on a later connection of the same device; another one has ids of its own.
    const auto say_again = [&](std::optional<DeviceId> device) {
        Chatter& again = world.add("ada", {}, device);
        world.run();
        REQUIRE(again.client.join("#lobby"));
        REQUIRE(again.client.publish("#lobby", "hello", "{}", id));
        world.run();
        return again.last<Acked>().offset;
    };
    CHECK(say_again(ada.client.device()) == 1);
    CHECK(ada.texts().size() == 1);
    CHECK(say_again(std::nullopt) == 2);
    CHECK(ada.texts() == std::vector<std::string>{"hello", "hello"});
}

TEST_CASE("a client joins where it wants to begin", "[sim]") {
    World world{{.seed = 6, .limits = {.room_log_records_max = 10}}};
    Chatter& ada = world.add_in_room("ada");
    for (int i = 1; i <= 15; ++i) REQUIRE(ada.client.publish("#lobby", std::to_string(i)));
    world.run();
    const Epoch epoch = ada.last<RoomJoined>().epoch;

    SECTION("with the last few") {
        Chatter& bob = world.add_in_room("bob", "#lobby", Position::last(3));
        CHECK(bob.texts() == std::vector<std::string>{"13", "14", "15"});
        CHECK(bob.last<RoomJoined>().next == 13);
        CHECK(bob.last<RoomJoined>().head == 15);
    }
    SECTION("after what it has: recovered") {
        Chatter& bob = world.add_in_room("bob", "#lobby", Position::after(epoch, 12));
        CHECK(bob.last<RoomJoined>().recovered);
        CHECK(bob.texts() == std::vector<std::string>{"13", "14", "15"});
    }
    SECTION("after what is gone: not recovered, from now on") {
        Chatter& bob = world.add_in_room("bob", "#lobby", Position::after(epoch, 3));
        CHECK_FALSE(bob.last<RoomJoined>().recovered);
        CHECK(bob.texts().empty());
        REQUIRE(ada.client.publish("#lobby", "new"));
        world.run();
        CHECK(bob.texts() == std::vector<std::string>{"new"});
        CHECK(bob.last<RoomMessage>().offset == 16);
    }
    SECTION("in another life of the log: not recovered") {
        const Epoch other{static_cast<std::uint64_t>(epoch) + 1};
        Chatter& bob = world.add_in_room("bob", "#lobby", Position::after(other, 15));
        CHECK_FALSE(bob.last<RoomJoined>().recovered);
    }
    SECTION("by its name in another case") {
        Chatter& bob = world.add_in_room("bob", "#LOBBY");
        CHECK(bob.last<RoomJoined>().room == "#lobby");
        REQUIRE(bob.client.publish("#Lobby", "hi"));
        world.run();
        CHECK(bob.last<RoomMessage>().room == "#lobby");
        CHECK(bob.client.join("#lobby").error() == Errc::already_joined);
    }
}

TEST_CASE("a client leaves a room and comes back", "[sim]") {
    World world{{.seed = 7}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    CHECK(ada.last<PresenceChanged>().user == "bob");

    for (int round = 0; round < 150; ++round) {  // more often than streams are allowed at once
        REQUIRE(bob.client.publish("#lobby", "before I go"));
        REQUIRE(bob.client.leave("#lobby") == Errc{});
        CHECK(bob.client.leave("#lobby") == Errc::not_in_room);
        world.run();
        REQUIRE(bob.last<RoomLeft>().room == "#lobby");
        REQUIRE_FALSE(ada.last<PresenceChanged>().present);
        REQUIRE(bob.client.unanswered_requests() == 0);
        REQUIRE(bob.client.join("#lobby"));
        world.run();
    }
    CHECK(bob.count<RoomJoined>() == 151);
    CHECK(bob.count<Acked>() + bob.count<Refused>() == 150);
    CHECK(ada.texts().size() == 150);
    CHECK(bob.client.publish("#lobby", "still here"));
    world.run();
    CHECK(ada.texts().back() == "still here");
}

TEST_CASE("a room's members are listed and announced", "[sim]") {
    World world{{.seed = 8}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    world.add_in_room("bob");
    REQUIRE(ada.client.request_members("#lobby"));
    world.run();
    CHECK(ada.last<MemberList>().people ==
          std::vector<RoomPerson>{{"ada", Role::member, true}, {"bob", Role::member, true}});
    CHECK(ada.last<MemberList>().complete);
    CHECK(ada.count<PresenceChanged>() == 1);
    bob.client.close();
    world.run();
    CHECK(ada.count<PresenceChanged>() == 1);  // the other device is still there
    CHECK(bob.last<Offline>().reason.errc == Errc::closed);
}
