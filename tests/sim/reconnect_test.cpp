#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

/// Every message of a room once, in its order, without a gap.
void check_view(const Chatter& person, std::size_t count) {
    const auto messages = person.all<RoomMessage>();
    REQUIRE(messages.size() == count);
    for (std::size_t i = 0; i < count; ++i) REQUIRE(messages[i].offset == i + 1);
    REQUIRE(person.count<RoomGap>() == 0);
}

}  // namespace

TEST_CASE("a client that is cut again and again", "[sim]") {
    INFO("seed=" << seed());
    World world{{.seed = seed(), .reconnect = {.delay_max = 2s}}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    Entropy random = Entropy::seeded(seed());
    constexpr std::size_t rounds = 40;
    for (std::size_t i = 0; i < rounds; ++i) {
        REQUIRE(ada.client.publish("#lobby", "a" + std::to_string(i)));
        REQUIRE(ada.client.publish("#lobby", "b" + std::to_string(i)));
        REQUIRE(bob.client.publish("#lobby", "c" + std::to_string(i)));
        REQUIRE(ada.client.tell("bob", "d" + std::to_string(i)));
        const std::uint64_t latest = world.network.connections_dialled();
        for (std::uint64_t n = latest > 4 ? latest - 4 : 1; n <= latest; ++n) {
            if (random.draw_number() % 2 == 0)
                world.network.cut_after(n, random.draw_number() % 300);
        }
        world.run_for(std::chrono::milliseconds{random.draw_number() % 3000});
    }
    world.run_for(1min);

    CHECK(ada.count<Reconnecting>() > 2);  // some seeds have luck
    CHECK(ada.count<Online>() > 2);
    CHECK(ada.online());
    CHECK(ada.client.unanswered_requests() == 0);
    check_view(ada, 3 * rounds);
    check_view(bob, 3 * rounds);
    // Its own messages are there once each, in the order of asking.
    std::vector<std::string> own;
    std::vector<std::string> expected;
    for (const RoomMessage& message : bob.all<RoomMessage>()) {
        if (message.from == "ada") own.push_back(message.text);
    }
    for (std::size_t i = 0; i < rounds; ++i) {
        expected.push_back("a" + std::to_string(i));
        expected.push_back("b" + std::to_string(i));
    }
    CHECK(own == expected);
    // Each request has one answer. People who are away cannot be told anything.
    std::set<RequestId> answered;
    for (const Acked& acked : ada.all<Acked>()) CHECK(answered.insert(acked.request).second);
    for (const Refused& refused : ada.all<Refused>()) {
        CHECK(refused.errc == Errc::no_such_user);
        CHECK(answered.insert(refused.request).second);
    }
    CHECK(answered.size() == 3 * rounds);
}

TEST_CASE("a message that was acknowledged to nobody is stored once", "[sim]") {
    for (std::size_t bytes = 0; bytes < 160; bytes += 3) {
        INFO("cut after " << bytes << " more bytes");
        World world{{.seed = 50 + bytes, .reconnect = {}}};
        Chatter& witness = world.add_in_room("witness");
        Chatter& ada = world.add_in_room("ada");
        REQUIRE(ada.client.publish("#lobby", "one"));
        REQUIRE(ada.client.publish("#lobby", "two"));
        world.network.cut_after(2, bytes);
        world.run_for(10s);
        REQUIRE(ada.online());
        REQUIRE(witness.texts() == std::vector<std::string>{"one", "two"});
        REQUIRE(ada.texts() == witness.texts());
        REQUIRE(ada.count<Acked>() == 2);
    }
}

TEST_CASE("the round trips until a client has what it missed", "[sim]") {
    constexpr Duration delay = 50ms;  // one way, and always
    const bool one_flight = GENERATE(true, false);
    World world{{.seed = 60,
                 .network = {.delay_min = delay, .delay_max = delay, .piece_bytes_max = 1200},
                 .reconnect = {},
                 .login = {.one_flight = one_flight}}};
    Chatter& bob = world.add_in_room("bob");
    Chatter& ada = world.add_in_room("ada");
    world.network.cut(2);
    while (ada.count<Reconnecting>() == 0) world.run_for(1ms);
    REQUIRE(bob.client.publish("#lobby", "missed"));
    const std::uint64_t dialled = world.network.connections_dialled();
    TimePoint first_packet{};
    TimePoint online{};
    while (ada.texts().empty()) {
        world.run_for(1ms);
        if (world.network.connections_dialled() == dialled) first_packet = world.network.now();
        if (ada.count<Online>() == 1) online = world.network.now();
        REQUIRE(world.network.now() - first_packet < 10s);
    }
    // Steps of a millisecond: what was seen last before it happened.
    const Duration step = 1ms;
    const Duration until_online = online - first_packet;
    const Duration until_message = world.network.now() - first_packet;
    INFO(until_online.count() << " us online, " << until_message.count() << " us message");

    // One round trip for the handshake, one for the login: online after two.
    CHECK(until_online >= 4 * delay - step);
    CHECK(until_online <= 4 * delay + step);
    // With a login of one flight the room is joined in the same one; otherwise in one more.
    const Duration expected = (one_flight ? 4 : 6) * delay;
    CHECK(until_message >= expected - step);
    CHECK(until_message <= expected + step);
}

TEST_CASE("a client that waits to dial again", "[sim]") {
    World world{{.seed = 61, .reconnect = {}}};
    Chatter& ada = world.add_in_room("ada");
    world.network.config().dialling = memory::Dialling::refused;
    world.network.cut(1);
    while (ada.count<Reconnecting>() == 0) world.run_for(1ms);
    CHECK(ada.client.state() == State::connecting);

    SECTION("ends when it is closed") {
        ada.client.close();
        ada.client.close();
        world.run_for(1min);
        CHECK(ada.count<Offline>() == 1);
        CHECK(ada.last<Offline>().reason.errc == Errc::closed);
        CHECK(std::holds_alternative<Offline>(ada.events.back()));
        CHECK(ada.client.state() == State::closed);
        CHECK_FALSE(ada.client.next_deadline());
        CHECK(world.network.connections_dialled() == 1);
        CHECK(ada.client.publish("#lobby", "late").error() == Errc::not_ready);
    }
    SECTION("ends when it is closed while it dials") {
        world.network.config().dialling = memory::Dialling::unanswered;
        while (world.network.connections_dialled() == 1) world.run_for(1ms);
        ada.client.close();
        world.run_for(1min);
        CHECK(ada.count<Offline>() == 1);
        CHECK(ada.last<Offline>().reason.errc == Errc::closed);
        CHECK(world.network.connections_dialled() == 2);
    }
    SECTION("tries more and more rarely, without end") {
        world.run_for(1h);
        CHECK(ada.count<Offline>() == 0);
        CHECK(ada.last<Reconnecting>().delay <= 30s);
        CHECK(ada.last<Reconnecting>().delay >= 15s);
        CHECK(world.network.connections_dialled() < 300);
        world.network.config().dialling = memory::Dialling::answered;
        world.run_for(31s);
        CHECK(ada.online());
        CHECK(ada.count<RoomJoined>() == 2);
    }
    SECTION("takes requests, and says nothing twice") {
        REQUIRE(ada.client.publish("#lobby", "while away"));
        REQUIRE(ada.client.join("#quiet"));
        world.network.config().dialling = memory::Dialling::answered;
        world.run_for(10s);
        CHECK(ada.texts() == std::vector<std::string>{"while away"});
        CHECK(ada.last<RoomJoined>().room == "#quiet");
        CHECK(ada.last<RoomJoined>().request != 0);
    }
}

TEST_CASE("a client does not come back", "[sim]") {
    SECTION("after an error that trying again does not help") {
        World world{{.seed = 62, .reconnect = {}}};
        Chatter& ada = world.add_in_room("ada");
        const Errc errc = GENERATE(Errc::kicked, Errc::login_failed, Errc::unexpected_frame);
        world.server.transport().close(ConnectionId{1}, errc, "no");
        world.run_for(1min);
        CHECK(ada.count<Reconnecting>() == 0);
        CHECK(ada.last<Offline>().reason.errc == errc);
        CHECK(world.network.connections_dialled() == 1);
    }
    SECTION("if it never was there") {
        World world{{.seed = 63, .reconnect = {}}};
        world.network.config().dialling = memory::Dialling::refused;
        Chatter& ada = world.add("ada");
        world.run_for(1min);
        CHECK(ada.last<Offline>().reason.errc == Errc::unreachable);
    }
    SECTION("unless it was told to wait for that") {
        World world{{.seed = 64, .reconnect = {.before_first_login = true}}};
        world.network.config().dialling = memory::Dialling::refused;
        Chatter& ada = world.add("ada");
        REQUIRE(ada.client.join("#lobby"));
        world.run_for(1min);
        CHECK(ada.count<Reconnecting>() > 2);
        world.network.config().dialling = memory::Dialling::answered;
        world.run_for(31s);
        CHECK(ada.online());
        CHECK(ada.last<RoomJoined>().request == 1);
    }
    SECTION("when it was away for too long") {
        World world{{.seed = 65, .reconnect = {.give_up_after = 1min}}};
        Chatter& ada = world.add_in_room("ada");
        world.network.config().dialling = memory::Dialling::refused;
        world.network.cut(1);
        world.run_for(61s);
        CHECK(ada.count<Offline>() == 1);
    }
}

TEST_CASE("two devices of one account may choose the same ids", "[sim]") {
    World world{{.seed = 66, .reconnect = {}}};
    Chatter& phone = world.add_in_room("ada");
    Chatter& desk = world.add_in_room("ada");
    CHECK(phone.client.device() != desk.client.device());
    const MessageId id{{std::byte{1}}};
    REQUIRE(phone.client.publish("#lobby", "from my phone", "{}", id));
    REQUIRE(desk.client.publish("#lobby", "from my desk", "{}", id));
    world.network.cut_after(1, 0);
    world.network.cut_after(2, 0);
    world.run_for(10s);
    CHECK(phone.count<Acked>() == 1);
    CHECK(desk.count<Acked>() == 1);
    check_view(phone, 2);
    check_view(desk, 2);
}

TEST_CASE("a client notices that a room's newest message did not come", "[sim]") {
    World world{{.seed = 67, .reconnect = {}}};
    Chatter& ada = world.add_in_room("ada");
    world.run_for(10min);
    CHECK(ada.count<Reconnecting>() == 0);  // heartbeats agree
    // What an honest server would never say: a record that it did not send.
    const Bytes lie{encode(wire::Heartbeat{7})};
    REQUIRE(world.server.transport().write(ConnectionId{1}, StreamId{4}, lie, false));
    world.run_for(10s);
    REQUIRE(ada.count<Reconnecting>() == 1);
    CHECK(ada.last<Reconnecting>().reason.errc == Errc::events_missing);
    CHECK(ada.online());
    CHECK(ada.last<RoomJoined>().recovered);
}

TEST_CASE("a client that is closed says so once, whenever that is", "[sim]") {
    memory::Network network{{.seed = 5}};
    memory::Client client{network.dial("nowhere"), *NameLogin::create("ada"), Entropy::seeded(3)};
    const auto count_ends = [&] {
        std::size_t ends = 0;
        while (const auto event = client.poll_event()) {
            REQUIRE(std::holds_alternative<Offline>(*event));
            ++ends;
        }
        return ends;
    };
    SECTION("before it connects, which it does not do any more") {
        client.close();
        client.connect({network.now(), {}});
        CHECK(network.connections_dialled() == 0);
        CHECK(count_ends() == 1);
    }
    SECTION("after it ended by itself, which counts") {
        client.connect({network.now(), {}});
        while (network.step()) client.process({network.now(), {}});
        CHECK(count_ends() == 1);
        client.close();
        CHECK(count_ends() == 0);
    }
    client.close();
    client.process({network.now(), {}});
    CHECK(count_ends() == 0);
}
