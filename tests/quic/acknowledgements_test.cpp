#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <utility>

#include "quicchat/quic/acknowledgement_hold.hpp"
#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

struct Traffic {
    std::uint64_t from_client = 0;
    std::uint64_t from_server = 0;
    bool all_arrived = false;
};

/// A server with a stream to a client that has nothing to say, 100 us away.
struct Talk {
    explicit Talk(bool hold) : world({.delay_min = 100us, .delay_max = 100us}) {
        quic::Config server_config = World::config(1);
        quic::Config client_config = World::config(2);
        server_config.hold_acknowledgements = client_config.hold_acknowledgements = hold;
        server = &world.add_server({}, std::move(server_config));
        client = &world.add_client({.trust = quic::Trust::insecure()}, std::move(client_config));
        client->endpoint.connect(world.now).value();
        world.run_until([&] { return find_event<Connected>(*server) != nullptr; });
        const ConnectionId at_client = find_event<Connected>(*client)->connection;
        stream = client->endpoint.open_stream(at_client).value();
        (void)client->endpoint.write(at_client, stream, text_bytes("!"), false);
        world.run_for(3s);  // path MTU discovery and all that
        id = find_event<Connected>(*server)->connection;
    }

    void send(std::size_t bytes) { send(stream, bytes); }
    void send(StreamId to, std::size_t bytes) {
        (void)server->endpoint.write(id, to, Bytes{Buffer(bytes)}, false);
    }

    /// Another one that the client opened.
    StreamId add_stream() {
        const ConnectionId at_client = find_event<Connected>(*client)->connection;
        const StreamId added = client->endpoint.open_stream(at_client).value();
        (void)client->endpoint.write(at_client, added, text_bytes("!"), false);
        world.run_for(1s);
        return added;
    }

    World world;
    Host* server;
    Host* client;
    ConnectionId id{};
    StreamId stream{};
};

/// A small message every `pause`.
Traffic drip(bool hold, int messages, Duration pause) {
    Talk talk{hold};
    Traffic traffic;
    talk.world.spy = [&](const DatagramLink::Letter& letter) {
        ++(letter.to == talk.server->address ? traffic.from_client : traffic.from_server);
    };
    for (int i = 0; i < messages; ++i) {
        talk.send(120);
        talk.world.run_for(pause);
    }
    talk.world.run_for(100ms);
    traffic.all_arrived = talk.client->bytes_received == static_cast<std::uint64_t>(messages) * 120;
    return traffic;
}

}  // namespace

TEST_CASE("acknowledgements are held back while there is nothing else to say", "[quic][ack]") {
    const Traffic prompt = drip(false, 200, 1ms);
    const Traffic held = drip(true, 200, 1ms);
    CHECK(prompt.all_arrived);
    CHECK(held.all_arrived);
    CHECK(held.from_client * 4 < prompt.from_client);
    CHECK(held.from_server <= prompt.from_server);
    CHECK(held.from_server < 260);  // and no needless retransmission
}

TEST_CASE("a held acknowledgement comes before the sender gets nervous", "[quic][ack]") {
    const Traffic held = drip(true, 50, 100ms);
    CHECK(held.all_arrived);
    CHECK(held.from_server < 110);
    CHECK(held.from_client <= 110);
}

TEST_CASE("ten large packets are acknowledged together", "[quic][ack]") {
    Talk talk{true};
    Traffic traffic;
    talk.world.spy = [&](const DatagramLink::Letter& letter) {
        ++(letter.to == talk.server->address ? traffic.from_client : traffic.from_server);
    };
    for (int i = 0; i < 300; ++i) {
        talk.send(1150);
        talk.world.run_for(1ms);
    }
    talk.world.run_for(100ms);
    CHECK(talk.client->bytes_received == 300u * 1150u);
    CHECK(traffic.from_server < 320);
    CHECK(traffic.from_client * 7 < traffic.from_server);
}

namespace {

/// How long after the packet behind it the client tells of one that was lost.
Duration time_to_tell_of_gap(Talk& talk, StreamId behind) {
    std::optional<TimePoint> answered;
    talk.world.spy = [&](const DatagramLink::Letter& letter) {
        if (letter.to == talk.server->address && !answered) answered = talk.world.now;
    };
    const std::size_t usual = std::exchange(talk.world.link.config().datagram_bytes_max, 0);
    talk.send(120);
    talk.world.run_for(1ms);
    talk.world.link.config().datagram_bytes_max = usual;
    CHECK_FALSE(answered);

    const TimePoint after_gap = talk.world.now;
    talk.send(behind, 120);
    talk.world.run_for(5ms);
    REQUIRE(answered);
    return *answered - after_gap;
}

}  // namespace

// RFC 9000 section 13.2.1: an acknowledgement SHOULD go "when the packet has a packet number larger
// than the highest-numbered ack-eliciting packet that has been received and there are missing
// packets between that packet and this packet". Without it the sender learns of a loss 20 ms later.
TEST_CASE("an acknowledgement that tells of a gap is not held back", "[quic][ack]") {
    Talk talk{true};
    SECTION("on one stream") { CHECK(time_to_tell_of_gap(talk, talk.stream) <= 1ms); }
    SECTION("hidden by what comes on another") {
        const StreamId other = talk.add_stream();
        CHECK(time_to_tell_of_gap(talk, other) <= 1ms);
    }
}

namespace {

/// A packet number of one byte, as a header has it.
quic::ShortNumber number(unsigned bits) { return {bits & 0xffU, 0xff}; }

/// False: the acknowledgement goes at once.
bool waits_after(quic::AcknowledgementHold& hold, quic::ShortNumber number) {
    hold.handle_received(true, number, TimePoint{1s});
    return hold.is_on();
}

}  // namespace

TEST_CASE("a packet that is not the one after the newest is acknowledged at once", "[quic][ack]") {
    quic::AcknowledgementHold hold{true};
    for (unsigned i = 250; i < 258; ++i) CHECK(waits_after(hold, number(i)));  // 255 and 0 follow
    hold.handle_written(true);
    CHECK_FALSE(waits_after(hold, number(259)));
    hold.handle_written(true);
    CHECK_FALSE(waits_after(hold, number(258)));  // late
    hold.handle_written(true);
    CHECK(waits_after(hold, number(260)));
    CHECK(waits_after(hold, {}));  // could not be opened
    CHECK(waits_after(hold, number(261)));
    // With more of its bits than before.
    CHECK(waits_after(hold, {262, 0xffff}));
    CHECK_FALSE(waits_after(hold, {262 + 256 + 1, 0xffff}));
}

TEST_CASE("what needs no acknowledgement leaves it to the next packet to tell of a gap",
          "[quic][ack]") {
    quic::AcknowledgementHold hold{true};
    CHECK(waits_after(hold, number(1)));
    hold.handle_written(true);
    CHECK_FALSE(waits_after(hold, number(3)));
    hold.handle_written(false);  // there was nothing to acknowledge
    CHECK_FALSE(waits_after(hold, number(4)));
    hold.handle_written(true);
    CHECK(waits_after(hold, number(5)));
}
