#pragma once

#include "conformance/harness.hpp"

namespace quicchat::conformance {

/// Small windows, so that a test meets them soon.
inline Limits small_windows() {
    return Limits{.stream_backlog_bytes_max = 32 * 1024,
                  .stream_receive_window = 64 * 1024,
                  .connection_receive_window = 128 * 1024};
}

/// "The peer's credit comes back only by `consume`; a peer that is not credited stops sending." The
/// harness watches at every event that no more is unconsumed than the windows allow.
template <TransportFixture F>
void check_credit() {
    const Limits limits = small_windows();
    World<F> world{limits, limits};
    world.connect();

    const auto stops_and_goes_on = [&](auto& sender, auto& receiver) {
        const StreamId stream = world.open();
        receiver.consumes = false;
        const std::size_t before = receiver.inbox(stream).bytes.size();
        REQUIRE(sender->write(sender.id, stream, Bytes{pattern(1, 300'000)}, true));
        world.run_for(10s);
        // All of the window was used, and no more. (The byte of `open` may still count.)
        const std::size_t first = receiver.inbox(stream).bytes.size() - before;
        CHECK(first <= limits.stream_receive_window);
        CHECK(first + 1 + own_bytes_max<F>() >= limits.stream_receive_window);
        CHECK(world.backlog(sender, stream) == 300'000 - first);
        world.run_for(10s);
        CHECK(receiver.inbox(stream).bytes.size() - before == first);

        receiver.consume(stream, 40'000);
        world.run_for(10s);
        const std::size_t second = receiver.inbox(stream).bytes.size() - before;
        CHECK(second > first);
        CHECK(second <= limits.stream_receive_window + 40'000);
        CHECK_FALSE(receiver.inbox(stream).fin);

        CHECK(world.run_until([&] {
            receiver.consume_all(stream);
            return receiver.inbox(stream).fin;
        }));
        const Buffer& bytes = receiver.inbox(stream).bytes;
        CHECK((Buffer(bytes.begin() + static_cast<std::ptrdiff_t>(before), bytes.end()) ==
               pattern(1, 300'000)));
        CHECK(world.backlog(sender, stream) == 0);
    };

    SECTION("stops a client that is not credited, and lets it go on") {
        stops_and_goes_on(world.client, world.server);
    }
    SECTION("stops a server that is not credited, and lets it go on") {
        stops_and_goes_on(world.server, world.client);
    }
    SECTION("counts what is merely not polled") {
        const StreamId stream = world.open();
        world.server.reads = false;
        REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(1, 300'000)}, true));
        world.run_for(10s);
        CHECK(world.client->backlog(world.client.id, stream).bytes >=
              300'000 - limits.stream_receive_window);
        world.server.reads = true;
        CHECK(world.run_until([&] { return world.server.inbox(stream).fin; }));
        CHECK((world.server.inbox(stream).bytes == after_opening(1, 300'000)));
    }
    SECTION("counts all streams of a connection together") {
        world.server.consumes = false;
        std::vector<StreamId> streams;
        for (std::uint64_t i = 0; i < 6; ++i) streams.push_back(world.open());
        for (std::uint64_t i = 0; i < 6; ++i) {
            REQUIRE(
                world.client->write(world.client.id, streams[i], Bytes{pattern(i, 60'000)}, true));
        }
        world.run_for(10s);
        CHECK(world.server.unconsumed() <= limits.connection_receive_window);
        CHECK(world.server.unconsumed() + 10 + own_bytes_max<F>() >=
              limits.connection_receive_window);
        CHECK(world.run_until([&] {
            bool all = true;
            for (const StreamId stream : streams) {
                world.server.consume_all(stream);
                all = all && world.server.inbox(stream).fin;
            }
            return all;
        }));
        for (std::uint64_t i = 0; i < 6; ++i) {
            CHECK((world.server.inbox(streams[i]).bytes == after_opening(i, 60'000)));
        }
    }
    SECTION("lets one stream flow while another is not read") {
        const StreamId stuck = world.open();
        const StreamId free = world.open();
        world.server.consumes = false;
        REQUIRE(world.client->write(world.client.id, stuck, Bytes{pattern(1, 200'000)}, true));
        REQUIRE(world.client->write(world.client.id, free, Bytes{pattern(2, 500'000)}, true));
        CHECK(world.run_until([&] {
            world.server.consume_all(free);
            return world.server.inbox(free).fin;
        }));
        CHECK((world.server.inbox(free).bytes == after_opening(2, 500'000)));
        CHECK_FALSE(world.server.inbox(stuck).fin);
    }
}

/// The credit of a connection outlives its streams: none gets lost with them.
template <TransportFixture F>
void check_credit_of_ended_streams() {
    const Limits limits = small_windows();
    World<F> world{limits, limits};
    world.connect();

    const auto still_flows = [&] {
        const StreamId stream = world.open();
        world.server.consumes = world.client.consumes = true;
        REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(1, 400'000)}, true));
        REQUIRE(world.server->write(world.server.id, stream, Bytes{pattern(2, 400'000)}, true));
        CHECK(world.run_until([&] { return world.server.inbox(stream).fin; }));
        CHECK(world.run_until([&] { return world.client.inbox(stream).fin; }));
        CHECK((world.server.inbox(stream).bytes == after_opening(1, 400'000)));
        CHECK((world.client.inbox(stream).bytes == pattern(2, 400'000)));
    };

    SECTION("gives credit for what is consumed after the end of a stream") {
        world.server.consumes = false;
        for (std::uint64_t i = 0; i < 12; ++i) {
            const StreamId stream = world.open();
            REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(i, 30'000)}, true));
            REQUIRE(world.run_until([&] { return world.server.inbox(stream).fin; }));
            REQUIRE(world.server->write(world.server.id, stream, Bytes{}, true));
            REQUIRE(world.run_until([&] { return world.client.inbox(stream).fin; }));
            world.run_for(1s);
            world.server.consume_all(stream);
        }
        still_flows();
    }
    SECTION("loses no credit with streams that the writer resets") {
        for (std::uint64_t i = 0; i < 12; ++i) {
            const StreamId stream = world.open();
            REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(i, 90'000)}, false));
            world.run_for(Duration{2ms} * static_cast<Duration::rep>(i));
            world.client->reset_stream(world.client.id, stream, 0);
            world.client.expect_silence(stream);
            REQUIRE(world.run_until([&] { return world.server.inbox(stream).reset.has_value(); }));
        }
        still_flows();
    }
    SECTION("loses no credit with streams that the reader resets") {
        for (std::uint64_t i = 0; i < 12; ++i) {
            const StreamId stream = world.open();
            REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(i, 90'000)}, false));
            world.run_for(Duration{2ms} * static_cast<Duration::rep>(i));
            world.server->reset_stream(world.server.id, stream, 0);
            world.server.expect_silence(stream);
            REQUIRE(world.run_until([&] { return world.client.inbox(stream).reset.has_value(); }));
        }
        still_flows();
    }
    SECTION("loses no credit with streams that were read, not consumed, and reset") {
        world.server.consumes = false;
        for (std::uint64_t i = 0; i < 12; ++i) {
            const StreamId stream = world.open();
            REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(i, 30'000)}, false));
            REQUIRE(
                world.run_until([&] { return world.server.inbox(stream).bytes.size() > 30'000; }));
            const std::size_t unconsumed = world.server.inbox(stream).unconsumed;
            world.client->reset_stream(world.client.id, stream, 0);
            world.client.expect_silence(stream);
            REQUIRE(world.run_until([&] { return world.server.inbox(stream).reset.has_value(); }));
            // Late, but the application cannot know.
            world.server->consume(world.server.id, stream, unconsumed);
        }
        still_flows();
    }
}

/// "`unacknowledged` is how many bytes of a connection, or of all, it keeps."
template <TransportFixture F>
void check_unacknowledged() {
    const Limits limits = small_windows();
    World<F> world{limits, limits};
    world.connect();
    const StreamId stream = world.open();
    world.run_for(5s);
    auto& server = world.server;
    CHECK(server->unacknowledged() == 0);
    REQUIRE(server->write(server.id, stream, Bytes{pattern(1, 300'000)}, false));
    CHECK(world.unacknowledged(server) == 300'000);
    CHECK(server->unacknowledged() == 300'000);
    CHECK(server->unacknowledged(ConnectionId{999}) == 0);

    SECTION("none, once the peer has everything") {
        world.run_for(10s);
        CHECK(world.client.inbox(stream).bytes.size() == 300'000);
        CHECK(world.unacknowledged(server) == 0);
        CHECK(server->unacknowledged() == 0);
    }
    SECTION("what a peer does not take is kept") {
        world.client.consumes = false;
        world.run_for(10s);
        CHECK(world.unacknowledged(server) + limits.stream_receive_window >= 300'000);
        CHECK(server->unacknowledged() == world.unacknowledged(server));
        SECTION("until it is not wanted any more") {
            server->reset_stream(server.id, stream, 1);
            world.run_for(10s);
            CHECK(server->unacknowledged() == 0);
        }
        SECTION("until the peer does not want it any more") {
            world.client->reset_stream(world.client.id, stream, 1);
            world.run_for(10s);
            CHECK(server->unacknowledged() == 0);
        }
        SECTION("until it takes it") {
            world.client.consumes = true;
            world.client.consume_all(stream);
            world.run_for(10s);
            CHECK(server->unacknowledged() == 0);
        }
    }
    SECTION("nothing of a connection that ended is kept") {
        world.run_for(1ms);
        server->close(server.id, Errc::closed, "");
        world.run_for(10s);
        CHECK(world.unacknowledged(server) == 0);
        CHECK(server->unacknowledged() == 0);
    }
}

/// "`write` returns the backlog. Once that reached `Limits::stream_backlog_bytes_max`, a Writable
/// follows when it has fallen below half of it, unless the stream or connection ended before."
template <TransportFixture F>
void check_back_pressure() {
    const Limits limits = small_windows();
    World<F> world{limits, limits};
    world.connect();
    const StreamId stream = world.open();
    const auto writables = [&] { return world.client.template count<Writable>(); };
    const auto write = [&](std::size_t bytes) {
        const Result<Backlog> backlog =
            world.client->write(world.client.id, stream, Bytes{pattern(1, bytes)}, false);
        REQUIRE(backlog.has_value());
        return backlog->bytes;
    };

    SECTION("returns the backlog, with what was written just now") {
        world.server.consumes = false;
        const std::size_t first = write(200'000);
        CHECK(first == 200'000);
        world.run_for(5s);
        const std::size_t left = world.client->backlog(world.client.id, stream).bytes;
        CHECK(left >= 200'000 - limits.stream_receive_window);
        CHECK(left <= 200'001 + own_bytes_max<F>() - limits.stream_receive_window);
        CHECK(write(1'000) == left + 1'000);
        CHECK(write(0) == left + 1'000);
    }
    SECTION("reports Writable when the backlog reached the limit, and not before it fell") {
        world.server.consumes = false;
        write(limits.stream_receive_window + limits.stream_backlog_bytes_max);
        world.run_for(5s);
        CHECK(world.client->backlog(world.client.id, stream).bytes >=
              limits.stream_backlog_bytes_max);
        CHECK(writables() == 0);
        world.server.consume(stream, 10'000);  // about a third, so more than half stays
        world.run_for(5s);
        CHECK(writables() == 0);
        world.server.consumes = true;
        world.server.consume_all(stream);
        CHECK(world.run_until([&] { return writables() == 1; }));
        world.run_for(5s);
        CHECK(writables() == 1);
        CHECK(world.client.template last<Writable>().stream == stream);
    }
    SECTION("reports Writable also when the window was open all the time") {
        write(limits.stream_backlog_bytes_max);
        CHECK(world.run_until([&] { return writables() == 1; }));
        world.run_for(5s);
        CHECK(writables() == 1);
    }
    SECTION("reports it again each time, and to the server too") {
        for (std::size_t round = 1; round <= 3; ++round) {
            write(limits.stream_backlog_bytes_max + 100'000);
            CHECK(world.run_until([&] { return writables() == round; }));
        }
        REQUIRE(world.server->write(world.server.id, stream, Bytes{pattern(1, 90'000)}, false));
        CHECK(world.run_until([&] { return world.server.template count<Writable>() == 1; }));
        CHECK(writables() == 3);
    }
    SECTION("reports no Writable when the backlog never reached the limit") {
        for (int i = 0; i < 20; ++i) {
            write(limits.stream_backlog_bytes_max - 1);
            world.run_until(
                [&] { return world.client->backlog(world.client.id, stream).bytes == 0; });
        }
        world.run_for(5s);
        CHECK(writables() == 0);
    }
    SECTION("reports no Writable on a stream that was reset") {
        world.server.consumes = false;
        write(300'000);
        world.run_for(2s);
        SECTION("by us") {
            world.client->reset_stream(world.client.id, stream, 0);
            world.client.expect_silence(stream);
        }
        SECTION("by the peer") {
            world.server->reset_stream(world.server.id, stream, 0);
            world.server.expect_silence(stream);
        }
        world.run_for(5s);
        CHECK(writables() == 0);
    }
    SECTION("knows backlogs stream by stream") {
        const StreamId other = world.open();
        world.server.consumes = false;
        write(200'000);
        CHECK(world.client->backlog(world.client.id, other).bytes == 0);
        CHECK(world.client->write(world.client.id, other, Bytes{pattern(1, 10)}, false)
                  .value()
                  .bytes == 10);
        world.run_for(1s);
        CHECK(world.client->backlog(world.client.id, other).bytes == 0);
    }
}

}  // namespace quicchat::conformance
