#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

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
    explicit Talk(bool hold, LinkConfig link = {.delay_min = 100us, .delay_max = 100us})
        : world(link) {
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

/// Datagrams while the server sends 300 times so many bytes, 1 ms apart.
Traffic stream_of(std::size_t bytes) {
    Talk talk{true};
    Traffic traffic;
    talk.world.spy = [&](const DatagramLink::Letter& letter) {
        ++(letter.to == talk.server->address ? traffic.from_client : traffic.from_server);
    };
    for (int i = 0; i < 300; ++i) {
        talk.send(bytes);
        talk.world.run_for(1ms);
    }
    talk.world.run_for(100ms);
    traffic.all_arrived = talk.client->bytes_received == 300 * bytes;
    CHECK(traffic.from_server < 320);
    return traffic;
}

TEST_CASE("many packets are acknowledged together", "[quic][ack]") {
    const Traffic large = stream_of(1150);
    CHECK(large.all_arrived);
    CHECK(large.from_client * 10 < large.from_server);
    // Small ones leave room in any congestion window, so that only the delay counts.
    const Traffic small = stream_of(120);
    CHECK(small.all_arrived);
    CHECK(small.from_client * 15 < small.from_server);
}

namespace {

/// How long 2 MB take from the server to the client.
Duration transfer_time(bool hold, const LinkConfig& link) {
    Talk talk{hold, link};
    constexpr std::size_t bytes = 2'000'000;
    const TimePoint begin = talk.world.now;
    talk.send(bytes);
    talk.world.run_until([&] { return talk.client->bytes_received == bytes; });
    REQUIRE(talk.client->bytes_received == bytes);
    return talk.world.now - begin;
}

}  // namespace

TEST_CASE("acknowledgements that wait hold up nobody who fills a congestion window",
          "[quic][ack]") {
    LinkConfig link = GENERATE(LinkConfig{.delay_min = 100us, .delay_max = 100us},
                               LinkConfig{.delay_min = 2ms, .delay_max = 2ms},
                               LinkConfig{.delay_min = 20ms, .delay_max = 20ms},
                               LinkConfig{.loss = 10, .delay_min = 1ms, .delay_max = 1ms},
                               LinkConfig{.loss = 30, .delay_min = 1ms, .delay_max = 1ms});
    CAPTURE(link.loss, link.delay_min.count());
    Duration prompt{};
    Duration held{};
    for (link.seed = 1; link.seed <= 8; ++link.seed) {
        prompt += transfer_time(false, link);
        held += transfer_time(true, link);
    }
    CAPTURE(prompt.count(), held.count());
    CHECK(held * 2 <= prompt * 3);
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
    hold.handle_received({.bytes = 100, .number = number}, TimePoint{1s});
    return hold.is_on();
}

/// What there was to say has been said, before the wait was over.
void write(quic::AcknowledgementHold& hold, bool something = true) {
    hold.handle_written(something, TimePoint{1s});
}

/// So many packets of so many bytes come at once.
void receive(quic::AcknowledgementHold& hold, int packets, std::size_t bytes, unsigned& next) {
    for (int i = 0; i < packets; ++i) {
        hold.handle_received({.bytes = bytes, .number = number(next++ & 0xffU)}, TimePoint{1s});
    }
}

/// How many packets of so many bytes wait together, if they come at once.
int count_together(quic::AcknowledgementHold& hold, std::size_t bytes, unsigned& next) {
    int count = 0;
    while (hold.is_on()) {
        receive(hold, 1, bytes, next);
        ++count;
    }
    write(hold);
    return count;
}

}  // namespace

TEST_CASE("a packet that is not the one after the newest is acknowledged at once", "[quic][ack]") {
    quic::AcknowledgementHold hold{true};
    for (unsigned i = 250; i < 258; ++i) CHECK(waits_after(hold, number(i)));  // 255 and 0 follow
    write(hold);
    CHECK_FALSE(waits_after(hold, number(259)));
    write(hold);
    CHECK_FALSE(waits_after(hold, number(258)));  // late
    write(hold);
    CHECK(waits_after(hold, number(260)));
    CHECK(waits_after(hold, number(261)));
    // With more of its bits than before.
    CHECK(waits_after(hold, {262, 0xffff}));
    CHECK_FALSE(waits_after(hold, {262 + 256 + 1, 0xffff}));
}

TEST_CASE("what cannot be opened changes nothing", "[quic][ack]") {
    quic::AcknowledgementHold hold{true};
    for (int i = 0; i < 100; ++i) {
        hold.handle_received({.brought_something = false, .bytes = 1200, .ecn = 3}, TimePoint{1s});
    }
    CHECK(hold.is_on());
    write(hold);
    unsigned next = 1;
    CHECK(count_together(hold, 1200, next) == 8);
}

TEST_CASE("what needs no acknowledgement leaves it to the next packet to tell of a gap",
          "[quic][ack]") {
    quic::AcknowledgementHold hold{true};
    CHECK(waits_after(hold, number(1)));
    write(hold);
    CHECK_FALSE(waits_after(hold, number(3)));
    write(hold, false);  // there was nothing to acknowledge
    CHECK_FALSE(waits_after(hold, number(4)));
    write(hold);
    CHECK(waits_after(hold, number(5)));
}

TEST_CASE("an acknowledgement waits for more where nobody waits in vain", "[quic][ack]") {
    quic::AcknowledgementHold hold{true};
    unsigned next = 0;
    const auto together = [&](std::size_t bytes) { return count_together(hold, bytes, next); };
    CHECK(together(1200) == 8);  // two fewer than a congestion window begins with
    CHECK(together(1200) == 10);
    CHECK(together(120) == 32);
    for (int i = 0; i < 10; ++i) (void)together(1200);
    CHECK(together(1200) == 32);

    const auto behind_gap = [&](bool brought_something, TimePoint now) {
        next += 2;
        hold.handle_received({.brought_something = brought_something,
                              .bytes = 1200,
                              .number = number((next - 1) & 0xffU)},
                             now);
    };
    const auto stand_still = [&](int packets, std::size_t bytes = 1200) {
        receive(hold, packets, bytes, next);
        hold.handle_written(true, TimePoint{1s} + quic::AcknowledgementHold::delay);
    };
    SECTION("and for half as many behind a gap, as who loses packets sends less") {
        behind_gap(false, TimePoint{1s});
        CHECK_FALSE(hold.is_on());
        write(hold);
        CHECK(together(1200) == 16);
        CHECK(together(1200) == 16);  // with more patience than before
        CHECK(together(1200) == 17);
    }
    SECTION("and for as many behind a number that was never sent") {
        behind_gap(true, TimePoint{1s});
        CHECK_FALSE(hold.is_on());  // who cannot tell the one from the other says so
        write(hold);
        CHECK(together(1200) == 32);
    }
    SECTION("and once for half as many, however much is late in one turn") {
        receive(hold, 8, 1200, next);
        for (int i = 0; i < 60; ++i) {
            behind_gap(false, TimePoint{2s});
        }
        hold.handle_written(true, TimePoint{2s});  // the delay is long over
        CHECK(together(1200) == 16);
    }
    SECTION("and for half as many behind a mark of congestion, which is told at once") {
        const quic::AcknowledgementHold::Packet marked{
            .bytes = 1200, .ecn = 3, .number = number(next++ & 0xffU)};
        hold.handle_received(marked, TimePoint{1s});
        CHECK_FALSE(hold.is_on());
        write(hold);
        CHECK(together(1200) == 16);
    }
    SECTION("and for fewer for long, if the sender stands still again and again") {
        stand_still(16);
        stand_still(10);
        stand_still(6);
        for (int i = 0; i < 7; ++i) CHECK(together(1200) == 5);
        (void)together(1200);
        CHECK(together(1200) == 6);
    }
    SECTION("and not for ever, however often it stands still") {
        for (const int packets : {30, 22, 16, 11, 8, 5, 3}) stand_still(packets);
        for (int i = 0; i < 64; ++i) CHECK(together(1200) == 3);
        CHECK(together(1200) == 4);
    }
    SECTION("and for two, however much is lost") {
        for (int i = 0; i < 10; ++i) {
            behind_gap(false, TimePoint{1s});
            write(hold);
        }
        CHECK(together(1200) == 2);
    }
    SECTION("and for as many when they were written with something else") {
        receive(hold, 16, 1200, next);
        hold.handle_written(true, TimePoint{1s} + quic::AcknowledgementHold::delay - 1ms);
        CHECK(together(1200) == 32);
    }
    SECTION("and for fewer if the sender may have stood still with a small window") {
        stand_still(4);
        CHECK(together(1200) == 3);
    }
    SECTION("and for as many if a single long packet came, which is no window") {
        stand_still(1, 6000);
        CHECK(together(1200) == 32);
    }
    SECTION("and for as many if little was sent, which was no window") {
        stand_still(25, 120);
        CHECK(together(1200) == 32);
    }
    SECTION("and for as many if the sender goes on until the wait is over") {
        for (int i = 0; i < 20; ++i) {
            hold.handle_received({.bytes = 1200, .number = number(next++ & 0xffU)},
                                 TimePoint{1s} + i * 1ms);
        }
        hold.handle_written(true, TimePoint{1s} + quic::AcknowledgementHold::delay);
        CHECK(together(1200) == 32);
    }
    SECTION("and for fewer if the sender may have stood still") {
        receive(hold, 16, 1200, next);
        CHECK(hold.is_on());
        hold.handle_written(true, TimePoint{1s} + quic::AcknowledgementHold::delay);
        CHECK(together(1200) == 12);
        CHECK(together(1200) == 12);  // with more patience than before
        CHECK(together(1200) == 13);
    }
}
