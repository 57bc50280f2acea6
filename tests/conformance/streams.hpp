#pragma once

#include "conformance/harness.hpp"
#include "support/seed.hpp"

namespace quicchat::conformance {

/// Many streams with data of random sizes in both directions, written in random parts at random
/// times. Everything must arrive, in order, on the stream where it belongs.
template <TransportFixture F>
void exchange_at_random(World<F>& world, memory::Random& random, std::size_t streams) {
    struct Way {
        Buffer data;
        std::size_t written = 0;
        bool done = false;
    };
    struct Plan {
        StreamId stream;
        Way up;
        Way down;
    };
    std::vector<Plan> plans;
    for (std::size_t i = 0; i < streams; ++i) {
        const StreamId stream = world.open();
        const std::size_t most = i % 4 == 0 ? 200'000 : 3'000;
        plans.push_back({stream,
                         {pattern(2 * i, static_cast<std::size_t>(random.draw(0, most)))},
                         {pattern(2 * i + 1, static_cast<std::size_t>(random.draw(0, most)))}});
    }
    const auto write_some = [&](auto& side, StreamId stream, Way& way) {
        if (way.done || side->backlog(side.id, stream).bytes > 50'000) return;
        const std::size_t rest = way.data.size() - way.written;
        const auto part =
            static_cast<std::size_t>(random.draw(0, std::min<std::size_t>(rest, 9'000)));
        way.done = part == rest;
        const BytesView bytes = BytesView{way.data}.subspan(way.written, part);
        REQUIRE(side->write(side.id, stream, Bytes::copy_of(bytes), way.done));
        way.written += part;
    };
    const auto all_arrived = [&] {
        for (Plan& plan : plans) {
            if (random.chance(60)) write_some(world.client, plan.stream, plan.up);
            if (random.chance(60)) write_some(world.server, plan.stream, plan.down);
        }
        for (Plan& plan : plans) {
            if (!world.server.inbox(plan.stream).fin) return false;
            if (!world.client.inbox(plan.stream).fin) return false;
        }
        return true;
    };
    // Where nothing is in flight, nothing is due; then it is our turn to write again.
    bool arrived = false;
    for (int i = 0; i < 10'000 && !arrived; ++i) arrived = world.run_until(all_arrived, 300s);
    CHECK(arrived);
    for (Plan& plan : plans) {
        Buffer up{std::byte{'!'}};
        append(up, plan.up.data);
        CHECK((world.server.inbox(plan.stream).bytes == up));
        CHECK((world.client.inbox(plan.stream).bytes == plan.down.data));
    }
}

template <TransportFixture F>
void check_streams() {
    World<F> world;
    world.connect();

    SECTION("numbers the streams of a client 0, 4, 8 on every connection") {
        for (int connection = 0; connection < 2; ++connection) {
            if (connection > 0) world.connect();
            for (std::uint64_t i = 0; i < 5; ++i) {
                CHECK(world.client->open_stream(world.client.id).value() == StreamId{4 * i});
            }
        }
    }
    SECTION("carries data of random sizes on many streams, both ways") {
        const std::uint64_t seed = test::seed();
        INFO("seed=" << seed);
        memory::Random random{seed};
        exchange_at_random(world, random, 30);
    }
    SECTION("carries single bytes, and writes of nothing") {
        const StreamId stream = world.open();
        const Buffer data = pattern(7, 300);
        for (const std::byte byte : data) {
            REQUIRE(world.client->write(world.client.id, stream, Bytes{}, false));
            REQUIRE(world.client->write(world.client.id, stream, Bytes{Buffer{byte}}, false));
        }
        CHECK(world.run_until([&] { return world.server.inbox(stream).bytes.size() == 301; }));
        CHECK((world.server.inbox(stream).bytes == after_opening(7, 300)));
        CHECK_FALSE(world.server.inbox(stream).fin);
    }
    SECTION("shares the bytes of one write among many streams") {
        const Bytes bytes{pattern(5, 20'000)};
        std::vector<StreamId> streams;
        for (int i = 0; i < 10; ++i) {
            streams.push_back(world.client->open_stream(world.client.id).value());
            REQUIRE(world.client->write(world.client.id, streams.back(), bytes, true));
        }
        for (const StreamId stream : streams) {
            CHECK(world.run_until([&] { return world.server.inbox(stream).fin; }));
            CHECK((world.server.inbox(stream).bytes == pattern(5, 20'000)));
        }
    }
    SECTION("lets the server answer on a stream as soon as it knows it") {
        const StreamId stream = world.open();
        CHECK(world.server->write(world.server.id, stream, Bytes{pattern(8, 5'000)}, false));
        CHECK(world.run_until([&] { return world.client.inbox(stream).bytes.size() == 5'000; }));
        CHECK((world.client.inbox(stream).bytes == pattern(8, 5'000)));
    }
    SECTION("fails on streams that do not exist, and does nothing") {
        const StreamId stream = world.open();
        for (const StreamId unknown : {StreamId{400}, StreamId{1}, StreamId{1'000'000'000}}) {
            for (const bool fin : {false, true}) {
                CHECK(world.client->write(world.client.id, unknown, Bytes{pattern(1, 9)}, fin)
                          .error() == Errc::not_ready);
                CHECK(world.server->write(world.server.id, unknown, Bytes{pattern(1, 9)}, fin)
                          .error() == Errc::not_ready);
            }
            CHECK(world.client->backlog(world.client.id, unknown).bytes == 0);
            world.client->consume(world.client.id, unknown, 100);
            world.client->reset_stream(world.client.id, unknown, 1);
            world.server->reset_stream(world.server.id, unknown, 1);
        }
        const StreamId silent = world.client->open_stream(world.client.id).value();
        world.run_for(1s);  // nothing was written, so the server does not know of it
        CHECK(world.server->write(world.server.id, silent, Bytes{pattern(1, 9)}, false).error() ==
              Errc::not_ready);
        const std::size_t before = world.server.events.size() + world.client.events.size();
        world.run_for(1s);
        CHECK(world.server.events.size() + world.client.events.size() == before);
        CHECK(world.client->write(world.client.id, stream, Bytes{pattern(1, 9)}, true));
        CHECK(world.run_until([&] { return world.server.inbox(stream).fin; }));
    }
}

template <TransportFixture F>
void check_ends_of_streams() {
    World<F> world;
    world.connect();

    SECTION("delivers fin with data, fin after data, and fin alone") {
        const StreamId with = world.client->open_stream(world.client.id).value();
        const StreamId after = world.client->open_stream(world.client.id).value();
        const StreamId alone = world.client->open_stream(world.client.id).value();
        CHECK(world.client->write(world.client.id, with, Bytes{pattern(1, 3'000)}, true));
        CHECK(world.client->write(world.client.id, after, Bytes{pattern(2, 3'000)}, false));
        CHECK(world.client->write(world.client.id, alone, Bytes{}, true));
        CHECK(world.run_until([&] { return world.server.inbox(after).bytes.size() == 3'000; }));
        CHECK_FALSE(world.server.inbox(after).fin);
        CHECK(world.client->write(world.client.id, after, Bytes{}, true));
        for (const StreamId stream : {with, after, alone}) {
            CHECK(world.run_until([&] { return world.server.inbox(stream).fin; }));
        }
        CHECK((world.server.inbox(with).bytes == pattern(1, 3'000)));
        CHECK((world.server.inbox(after).bytes == pattern(2, 3'000)));
        CHECK(world.server.inbox(alone).bytes.empty());
    }
    SECTION("fails to write after fin, and does nothing") {
        const StreamId stream = world.open();
        CHECK(world.client->write(world.client.id, stream, Bytes{pattern(1, 100)}, true));
        for (int i = 0; i < 2; ++i) {
            CHECK(world.client->write(world.client.id, stream, Bytes{pattern(2, 9)}, i == 0)
                      .error() == Errc::not_ready);
            CHECK(world.run_until([&] { return world.server.inbox(stream).fin; }));
            world.run_for(1s);
        }
        CHECK((world.server.inbox(stream).bytes == after_opening(1, 100)));
    }
    SECTION("lets the other half go on after fin") {
        const StreamId stream = world.open();
        CHECK(world.client->write(world.client.id, stream, Bytes{}, true));
        REQUIRE(world.run_until([&] { return world.server.inbox(stream).fin; }));
        for (std::uint64_t i = 0; i < 5; ++i) {
            CHECK(world.server->write(world.server.id, stream, Bytes{pattern(i, 50'000)}, i == 4));
            world.run_for(100ms);
        }
        CHECK(world.run_until([&] { return world.client.inbox(stream).fin; }));
        CHECK(world.client.inbox(stream).bytes.size() == 250'000);
    }
    SECTION("is through with a stream that finished both ways") {
        const StreamId stream = world.open();
        CHECK(world.client->write(world.client.id, stream, Bytes{pattern(1, 100)}, true));
        CHECK(world.server->write(world.server.id, stream, Bytes{pattern(2, 100)}, true));
        REQUIRE(world.run_until(
            [&] { return world.server.inbox(stream).fin && world.client.inbox(stream).fin; }));
        world.run_for(1s);
        const std::size_t before = world.server.events.size() + world.client.events.size();
        CHECK(world.client->write(world.client.id, stream, Bytes{}, true).error() ==
              Errc::not_ready);
        CHECK(world.server->write(world.server.id, stream, Bytes{pattern(1, 1)}, false).error() ==
              Errc::not_ready);
        CHECK(world.client->backlog(world.client.id, stream).bytes == 0);
        world.client->reset_stream(world.client.id, stream, 5);
        world.server->reset_stream(world.server.id, stream, 5);
        world.server->consume(world.server.id, stream, 50);
        world.run_for(1s);
        CHECK(world.server.events.size() + world.client.events.size() == before);
    }
}

/// "A stream that the peer reset or that we reset reports nothing after StreamReset." The harness
/// watches that; here everything is done to provoke it.
template <TransportFixture F>
void check_resets() {
    World<F> world;
    world.connect();

    const auto reset_in_flight = [&](auto& mine, auto& theirs) {
        const StreamId stream = world.open();
        const StreamId other = world.open();
        REQUIRE(mine->write(mine.id, stream, Bytes{pattern(1, 300'000)}, false));
        REQUIRE(theirs->write(theirs.id, stream, Bytes{pattern(2, 300'000)}, false));
        REQUIRE(mine->write(mine.id, other, Bytes{pattern(3, 50'000)}, false));
        world.run_for(7ms);
        mine->reset_stream(mine.id, stream, 4711);
        mine.expect_silence(stream);
        CHECK(mine->write(mine.id, stream, Bytes{pattern(1, 1)}, false).error() == Errc::not_ready);
        CHECK(mine->backlog(mine.id, stream).bytes == 0);
        mine->reset_stream(mine.id, stream, 4712);  // once is enough
        CHECK(world.run_until([&] { return theirs.inbox(stream).reset.has_value(); }));
        CHECK(theirs.inbox(stream).reset == 4711);
        CHECK(theirs->write(theirs.id, stream, Bytes{pattern(1, 1)}, true).error() ==
              Errc::not_ready);
        CHECK(theirs->backlog(theirs.id, stream).bytes == 0);
        theirs->reset_stream(theirs.id, stream, 1);
        theirs->consume(theirs.id, stream, 1000);
        REQUIRE(mine->write(mine.id, other, Bytes{pattern(4, 50'000)}, true));
        CHECK(world.run_until([&] { return theirs.inbox(other).fin; }));
        world.run_for(2s);
    };

    SECTION("reports a reset by the client, and other streams live on") {
        reset_in_flight(world.client, world.server);
    }
    SECTION("reports a reset by the server, and other streams live on") {
        reset_in_flight(world.server, world.client);
    }
    SECTION("reports a reset once when both sides reset a stream") {
        const StreamId stream = world.open();
        world.client->reset_stream(world.client.id, stream, 1);
        world.server->reset_stream(world.server.id, stream, 2);
        world.client.expect_silence(stream);
        world.server.expect_silence(stream);
        world.run_for(2s);
        CHECK(world.client.template count<StreamReset>() <= 1);
        CHECK(world.server.template count<StreamReset>() <= 1);
        CHECK_FALSE(world.client.ended());
        world.open();
    }
    SECTION("resets a stream whose one half is finished") {
        const StreamId stream = world.open();
        REQUIRE(world.client->write(world.client.id, stream, Bytes{}, true));
        REQUIRE(world.run_until([&] { return world.server.inbox(stream).fin; }));
        SECTION("by who finished") {
            REQUIRE(world.server->write(world.server.id, stream, Bytes{pattern(1, 9)}, false));
            REQUIRE(world.run_until([&] { return world.client.inbox(stream).bytes.size() == 9; }));
            world.client->reset_stream(world.client.id, stream, 9);
            world.client.expect_silence(stream);
            world.run_for(2s);
            CHECK(
                world.server->write(world.server.id, stream, Bytes{pattern(1, 9)}, false).error() ==
                Errc::not_ready);
        }
        SECTION("by who did not") {
            world.server->reset_stream(world.server.id, stream, 9);
            world.server.expect_silence(stream);
            CHECK(world.run_until([&] { return world.client.inbox(stream).reset.has_value(); }));
            CHECK(world.client.inbox(stream).reset == 9);
        }
    }
    SECTION("forgets what was not read when we reset") {
        const StreamId stream = world.open();
        world.client.reads = false;
        REQUIRE(world.server->write(world.server.id, stream, Bytes{pattern(1, 50'000)}, true));
        world.run_for(1s);
        world.client->reset_stream(world.client.id, stream, 9);
        world.client.expect_silence(stream);
        world.client.reads = true;
        world.run_for(1s);
        world.open();
    }
}

/// A server grants a client `Limits::rooms_per_connection_max` + 8 streams at a time.
template <TransportFixture F>
void check_stream_limit() {
    World<F> world{Limits{.rooms_per_connection_max = 2}};
    world.connect();
    std::vector<StreamId> streams;
    for (std::uint64_t i = 0; i < 10; ++i) streams.push_back(world.open());
    CHECK(world.client->open_stream(world.client.id).error() == Errc::too_many_streams);

    const auto can_open = [&] {
        const Result<StreamId> stream = world.client->open_stream(world.client.id);
        if (stream) streams.push_back(*stream);
        return stream.has_value();
    };

    SECTION("allows no stream more while one half of each is open") {
        for (const StreamId stream : streams) {
            REQUIRE(world.client->write(world.client.id, stream, Bytes{}, true));
        }
        world.run_for(2s);
        CHECK_FALSE(can_open());
    }
    SECTION("allows another stream for one that finished both ways") {
        REQUIRE(world.client->write(world.client.id, streams[3], Bytes{}, true));
        REQUIRE(world.server->write(world.server.id, streams[3], Bytes{}, true));
        CHECK(world.run_until(can_open, 2s));
        CHECK(streams.back() == StreamId{40});
        world.run_for(1s);
        CHECK_FALSE(can_open());
    }
    SECTION("allows another stream for one that was reset") {
        world.client->reset_stream(world.client.id, streams[3], 0);
        world.client.expect_silence(streams[3]);
        CHECK(world.run_until(can_open, 2s));
        world.server->reset_stream(world.server.id, streams[4], 0);
        world.server.expect_silence(streams[4]);
        CHECK(world.run_until(can_open, 2s));
        CHECK_FALSE(can_open());
    }
    SECTION("never runs out of streams") {
        for (std::uint64_t i = 0; i < 300; ++i) {
            const StreamId stream = streams[static_cast<std::size_t>(i)];
            if (i % 3 == 0) {
                world.server->reset_stream(world.server.id, stream, 0);
                world.server.expect_silence(stream);
            } else {
                REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(i, 99)}, true));
                REQUIRE(world.run_until([&] { return world.server.inbox(stream).fin; }));
                REQUIRE(world.server->write(world.server.id, stream, Bytes{pattern(i, 9)}, true));
            }
            REQUIRE(world.run_until(can_open, 2s));
            REQUIRE(streams.back() == StreamId{40 + 4 * i});
            REQUIRE(
                world.client->write(world.client.id, streams.back(), Bytes{pattern(1, 1)}, false));
            REQUIRE(
                world.run_until([&] { return !world.server.inbox(streams.back()).bytes.empty(); }));
        }
    }
}

}  // namespace quicchat::conformance
