#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory/network.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

namespace quicchat::memory {
namespace {

using namespace std::chrono_literals;

/// All that one transport has reported.
struct Listener {
    Transport transport;
    std::vector<TransportEvent> events{};

    void poll() {
        while (auto event = transport.poll_event()) events.push_back(*std::move(event));
    }
    template <class Event>
    std::size_t count() const {
        std::size_t n = 0;
        for (const TransportEvent& event : events) n += std::holds_alternative<Event>(event);
        return n;
    }
    template <class Event>
    const Event& last() const {
        for (auto event = events.rbegin(); event != events.rend(); ++event) {
            if (const auto* found = std::get_if<Event>(&*event)) return *found;
        }
        FAIL("no such event");
        std::abort();
    }
    std::size_t bytes() const {
        std::size_t n = 0;
        for (const TransportEvent& event : events) {
            if (const auto* data = std::get_if<StreamData>(&event)) n += data->bytes.size();
        }
        return n;
    }
};

/// A client and a server on one network.
struct Pair {
    explicit Pair(NetworkConfig config = {}, Limits limits = {})
        : network(config),
          server{network.listen("server", limits)},
          client{network.dial("server", limits)} {}

    void run_for(Duration duration) {
        const TimePoint last = network.now() + duration;
        while (network.next_event() && *network.next_event() <= last) {
            network.step();
            server.poll();
            client.poll();
        }
        network.advance_to(last);
    }
    ConnectionId connect() {
        const ConnectionId id = client.transport.connect(network.now()).value();
        run_for(1s);
        return id;
    }

    Network network;
    Listener server;
    Listener client;
};

/// Some traffic of every kind; returns the trace.
std::uint64_t busy_hour(std::uint64_t seed, Duration delay_max = 20ms) {
    Pair pair{{.seed = seed, .delay_max = delay_max, .datagram_loss_percent = 30}};
    const ConnectionId id = pair.connect();
    const ConnectionId server_id = pair.server.last<Connected>().connection;
    for (int i = 0; i < 20; ++i) {
        const StreamId stream = pair.client.transport.open_stream(id).value();
        const Bytes bytes{Buffer(5000, static_cast<std::byte>(i))};
        REQUIRE(pair.client.transport.write(id, stream, bytes, i % 2 == 0));
        pair.client.transport.send_datagram(id, bytes.first(100));
        pair.run_for(10ms);
        if (i % 5 == 0) pair.client.transport.reset_stream(id, stream, 1);
        pair.server.transport.consume(server_id, stream, 3000);
    }
    pair.network.stall(1);
    pair.run_for(1s);
    pair.network.resume(1);
    pair.run_for(1s);
    pair.client.transport.close(id, Errc::closed, "done");
    pair.run_for(1s);
    CHECK(pair.server.count<Disconnected>() == 1);
    return pair.network.trace_hash();
}

TEST_CASE("a simulated network", "[memory]") {
    SECTION("runs the same way for the same seed") {
        const std::uint64_t seed = test::seed();
        INFO("seed=" << seed);
        CHECK(busy_hour(seed) == busy_hour(seed));
        CHECK(busy_hour(seed) != busy_hour(seed + 1));
        CHECK(busy_hour(seed) != busy_hour(seed, 21ms));
    }
    SECTION("runs the same way on every compiler") { CHECK(busy_hour(7) == 0xa34f03a5595fd512); }
    SECTION("starts when it is told to") {
        Network network{{.start = TimePoint{100s}}};
        CHECK(network.now() == TimePoint{100s});
        CHECK_FALSE(network.step());
        network.advance_to(TimePoint{101s});
        CHECK(network.now() == TimePoint{101s});
        network.advance_to(TimePoint{1s});  // time does not go back
        CHECK(network.now() == TimePoint{101s});
    }
    SECTION("tells the peers' addresses") {
        Pair pair;
        pair.connect();
        CHECK(pair.client.last<Connected>().peer_address == "server");
        CHECK(pair.server.last<Connected>().peer_address == "memory:1");
        Listener other{pair.network.dial("server", {}, "192.0.2.7:999")};
        REQUIRE(other.transport.connect(pair.network.now()));
        pair.run_for(1s);
        CHECK(pair.server.last<Connected>().peer_address == "192.0.2.7:999");
        CHECK(pair.network.connections_dialled() == 2);
    }
    SECTION("lets streams overtake each other") {
        Pair pair{{.delay_min = 0ms, .delay_max = 100ms, .piece_bytes_max = 1}};
        const ConnectionId id = pair.connect();
        std::vector<StreamId> order;
        for (int i = 0; i < 20; ++i) {
            const StreamId stream = pair.client.transport.open_stream(id).value();
            REQUIRE(pair.client.transport.write(id, stream, test::text_bytes("x"), false));
        }
        pair.run_for(1s);
        bool overtaken = false;
        StreamId last{};
        for (const TransportEvent& event : pair.server.events) {
            if (const auto* data = std::get_if<StreamData>(&event)) {
                overtaken = overtaken || data->stream < last;
                last = data->stream;
            }
        }
        CHECK(pair.server.count<StreamData>() == 20);
        CHECK(overtaken);
    }
    SECTION("wakes a transport for what happened while somebody else moved the time on") {
        Pair pair;
        REQUIRE(pair.client.transport.connect(pair.network.now()));
        pair.client.transport.handle_timeout(TimePoint{1s});
        CHECK(pair.network.now() == TimePoint{1s});
        CHECK(pair.server.transport.next_deadline() == TimePoint{1s});
        pair.server.transport.handle_timeout(TimePoint{1s});
        // Who leaves events unread is not woken for them again and again.
        CHECK_FALSE(pair.server.transport.next_deadline());
        pair.server.poll();
        CHECK(pair.server.count<Connected>() == 1);
    }
    SECTION("only lets clients dial and open streams") {
        Pair pair;
        pair.connect();
        CHECK(pair.server.transport.connect(pair.network.now()).error() == Errc::invalid_request);
        CHECK(pair.server.transport.open_stream(pair.server.last<Connected>().connection).error() ==
              Errc::too_many_streams);
    }
}

TEST_CASE("faults of a simulated network", "[memory]") {
    Pair pair;

    SECTION("refuse a client, or do not answer it") {
        pair.network.config().dialling = Dialling::refused;
        pair.connect();
        CHECK(pair.client.last<Disconnected>().reason.errc == Errc::unreachable);
        pair.network.config().dialling = Dialling::unanswered;
        REQUIRE(pair.client.transport.connect(pair.network.now()));
        pair.run_for(9s);
        CHECK(pair.client.count<Disconnected>() == 1);
        pair.run_for(2s);
        CHECK(pair.client.last<Disconnected>().reason.errc == Errc::handshake_timeout);
        CHECK(pair.server.events.empty());
        pair.network.config().dialling = Dialling::answered;
        pair.connect();
        CHECK(pair.server.count<Connected>() == 1);
    }
    SECTION("cut a connection: both sides notice, what is in flight is lost") {
        const ConnectionId id = pair.connect();
        const StreamId stream = pair.client.transport.open_stream(id).value();
        REQUIRE(pair.client.transport.write(id, stream, Bytes{Buffer(100'000)}, true));
        pair.run_for(8ms);
        pair.network.cut(1);
        const std::size_t arrived = pair.server.bytes();
        pair.run_for(1s);
        CHECK(pair.server.bytes() == arrived);
        for (const Listener* side : {&pair.client, &pair.server}) {
            CHECK(side->count<Disconnected>() == 1);
            CHECK(side->last<Disconnected>().reason.errc == Errc::transport_failed);
            CHECK_FALSE(side->last<Disconnected>().reason.by_peer);
        }
        pair.network.cut(1);
        pair.network.stall(1);
        pair.network.resume(1);
        pair.network.cut(77);
        pair.run_for(100s);
        CHECK(pair.client.count<Disconnected>() == 1);
    }
    SECTION("cut a connection at any byte") {
        for (const std::size_t bytes : {0u, 1u, 999u, 1000u, 1001u, 4999u}) {
            INFO("after " << bytes);
            Pair other{{.seed = test::seed(), .piece_bytes_max = 100}};
            const ConnectionId id = other.connect();
            other.network.cut_after(1, bytes);
            const StreamId stream = other.client.transport.open_stream(id).value();
            REQUIRE(other.client.transport.write(id, stream, Bytes{Buffer(5000)}, true));
            other.run_for(2s);
            CHECK(other.server.bytes() == bytes);
            CHECK(other.client.count<Disconnected>() == 1);
            CHECK(other.server.count<Disconnected>() == 1);
        }
        pair.network.config().cut_after_bytes = 10;
        const ConnectionId id = pair.connect();
        const StreamId stream = pair.client.transport.open_stream(id).value();
        REQUIRE(pair.client.transport.write(id, stream, Bytes{Buffer(5000)}, true));
        pair.run_for(2s);
        CHECK(pair.server.bytes() == 10);
    }
    SECTION("stall a connection and resume it, losing nothing") {
        const ConnectionId id = pair.connect();
        const StreamId stream = pair.client.transport.open_stream(id).value();
        pair.network.stall(1);
        for (int i = 0; i < 10; ++i) {
            REQUIRE(pair.client.transport.write(id, stream, Bytes{Buffer(1000)}, i == 9));
            pair.run_for(1s);
        }
        CHECK(pair.server.bytes() == 0);
        pair.network.resume(1);
        pair.run_for(1s);
        CHECK(pair.server.bytes() == 10'000);
        CHECK(pair.server.last<StreamData>().fin);
        pair.run_for(100s);
        CHECK(pair.server.count<Disconnected>() == 0);
    }
    SECTION("stall a connection until both sides give up") {
        pair.connect();
        pair.network.stall(1);
        pair.run_for(59s);
        CHECK(pair.client.count<Disconnected>() == 0);
        pair.run_for(2s);
        CHECK(pair.client.last<Disconnected>().reason.errc == Errc::idle_timeout);
        CHECK(pair.server.last<Disconnected>().reason.errc == Errc::idle_timeout);
    }
    SECTION("stall one stream, and no other") {
        const ConnectionId id = pair.connect();
        const StreamId stuck = pair.client.transport.open_stream(id).value();
        const StreamId free = pair.client.transport.open_stream(id).value();
        pair.network.stall_stream(1, stuck);
        REQUIRE(pair.client.transport.write(id, stuck, Bytes{Buffer(100)}, true));
        REQUIRE(pair.client.transport.write(id, free, Bytes{Buffer(1000)}, true));
        pair.run_for(100s);
        CHECK(pair.server.bytes() == 1000);
        pair.network.resume_stream(1, stuck);
        pair.run_for(1s);
        CHECK(pair.server.bytes() == 1100);
    }
    SECTION("lose datagrams, in the ratio that was asked for") {
        pair.network.config().datagram_loss_percent = 30;
        const ConnectionId id = pair.connect();
        for (int i = 0; i < 1000; ++i) {
            CHECK(pair.client.transport.send_datagram(id, test::text_bytes("typing")));
            pair.run_for(1ms);
        }
        pair.run_for(1s);
        CHECK(pair.server.count<DatagramReceived>() > 600);
        CHECK(pair.server.count<DatagramReceived>() < 800);
    }
    SECTION("let a transport disappear without a word") {
        pair.connect();
        { const Transport gone = std::move(pair.client.transport); }
        pair.client.transport = pair.network.dial("server");
        pair.run_for(59s);
        CHECK(pair.server.count<Disconnected>() == 0);
        pair.run_for(2s);
        CHECK(pair.server.last<Disconnected>().reason.errc == Errc::idle_timeout);

        pair.client.events.clear();
        pair.connect();
        CHECK(pair.client.count<Connected>() == 1);
        { const Transport gone = std::move(pair.server.transport); }
        pair.server.transport = pair.network.listen("elsewhere");
        pair.run_for(61s);
        CHECK(pair.client.last<Disconnected>().reason.errc == Errc::idle_timeout);
        pair.connect();
        CHECK(pair.client.last<Disconnected>().reason.errc == Errc::unreachable);
    }
    SECTION("let a transport disappear while it connects") {
        for (int steps = 0; steps < 6; ++steps) {
            for (const bool server_goes : {false, true}) {
                Pair other;
                REQUIRE(other.client.transport.connect(other.network.now()));
                for (int i = 0; i < steps; ++i) other.network.step();
                Transport& goes = server_goes ? other.server.transport : other.client.transport;
                { const Transport gone = std::move(goes); }
                goes = other.network.dial("nowhere");
                other.run_for(100s);
                Listener& stays = server_goes ? other.client : other.server;
                stays.poll();
                CHECK(stays.count<Disconnected>() == (server_goes ? 1 : stays.count<Connected>()));
            }
        }
    }
    SECTION("slow the network down while it runs") {
        const ConnectionId id = pair.connect();
        const StreamId stream = pair.client.transport.open_stream(id).value();
        pair.network.config().delay_min = pair.network.config().delay_max = 3s;
        REQUIRE(pair.client.transport.write(id, stream, Bytes{Buffer(100)}, true));
        pair.run_for(2900ms);
        CHECK(pair.server.bytes() == 0);
        pair.run_for(200ms);
        CHECK(pair.server.bytes() == 100);
    }
}

}  // namespace
}  // namespace quicchat::memory
