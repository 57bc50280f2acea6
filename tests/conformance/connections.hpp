#pragma once

#include <algorithm>
#include <array>

#include "conformance/harness.hpp"

namespace quicchat::conformance {

/// "A connection's events start with Connected and end with Disconnected, and there is exactly one
/// Disconnected for each connection that was connected or dialled, also after our own `close`."
template <TransportFixture F>
void check_connecting() {
    World<F> world;

    SECTION("reports Connected at both sides") {
        world.connect();
        world.run_for(1s);
        CHECK(world.client.template count<Connected>() == 1);
        CHECK(world.server.template count<Connected>() == 1);
        CHECK(world.client.events.size() == 1);
        CHECK(world.server.events.size() == 1);
    }

    SECTION("reports one Disconnected and nothing else where nobody listens") {
        Side stray{"stray", world.fixture.add_stray_client(), Limits{}};
        const Result<ConnectionId> dialled = stray->connect(world.fixture.now());
        REQUIRE(dialled.has_value());
        CHECK(world.run_until([&] { return stray.poll(), stray.ended(*dialled); }));
        world.run_for(1s);
        stray.poll();
        CHECK(stray.events.size() == 1);
        CHECK(stray.reason(*dialled).errc == F::nobody_there);
        CHECK_FALSE(stray.reason(*dialled).by_peer);
    }

    SECTION("can try again where nobody listens, under another id") {
        Side stray{"stray", world.fixture.add_stray_client(), Limits{}};
        std::set<ConnectionId> ids;
        for (std::size_t attempt = 1; attempt <= 3; ++attempt) {
            const Result<ConnectionId> dialled = stray->connect(world.fixture.now());
            REQUIRE(dialled.has_value());
            CHECK(ids.insert(*dialled).second);
            CHECK(world.run_until([&] { return stray.poll(), stray.ended(*dialled); }));
        }
        CHECK(stray.template count<Disconnected>() == 3);
    }

    SECTION("reports only Disconnected when we close before we are connected") {
        const Result<ConnectionId> dialled = world.client->connect(world.fixture.now());
        REQUIRE(dialled.has_value());
        world.client->close(*dialled, Errc::closed, "changed my mind");
        CHECK(world.run_until([&] { return world.client.ended(*dialled); }));
        world.run_for(120s);
        CHECK(world.client.events.size() == 1);
        CHECK(world.server.template count<Connected>() ==
              world.server.template count<Disconnected>());
    }

    SECTION("never uses the id of a connection again") {
        std::set<ConnectionId> at_client;
        std::set<ConnectionId> at_server;
        for (int i = 0; i < 5; ++i) {
            world.connect();
            CHECK(at_client.insert(world.client.id).second);
            CHECK(at_server.insert(world.server.id).second);
            if (i == 3) continue;  // and one that stays open
            world.client->close(world.client.id, Errc::closed, "");
            CHECK(world.run_until([&] { return world.client.ended() && world.server.ended(); }));
        }
    }

    SECTION("refuses connections above Limits::connections_max") {
        World<F> small{Limits{.connections_max = 1}};
        small.connect();
        auto& other_transport = small.fixture.add_client();
        Side other{"other", other_transport, Limits{}};
        const Result<ConnectionId> dialled = other->connect(small.fixture.now());
        REQUIRE(dialled.has_value());
        CHECK(small.run_until([&] { return other.poll(), other.ended(*dialled); }));
        CHECK(small.server.template count<Connected>() == 1);
        CHECK_FALSE(small.client.ended());

        small.client->close(small.client.id, Errc::closed, "");
        REQUIRE(small.run_until([&] { return small.client.ended() && small.server.ended(); }));
        const Result<ConnectionId> again = other->connect(small.fixture.now());
        REQUIRE(again.has_value());
        CHECK(small.run_until([&] { return other.poll(), other.connected(*again); }));
    }
}

template <TransportFixture F>
void check_closing() {
    World<F> world;
    world.connect();

    const auto run_out = [&] {
        CHECK(world.run_until([&] { return world.client.ended() && world.server.ended(); }));
        world.run_for(120s);
        CHECK(world.client.template count<Disconnected>() == 1);
        CHECK(world.server.template count<Disconnected>() == 1);
    };

    SECTION("reports the reason at both sides when the client closes") {
        for (const Errc why : {Errc::closed, Errc::malformed_frame, Errc::internal_error}) {
            if (!world.client.connected() || world.client.ended()) world.connect();
            world.client->close(world.client.id, why, "what a day");
            CHECK(world.run_until([&] { return world.client.ended() && world.server.ended(); }));
            CHECK(world.client.reason().errc == why);
            CHECK_FALSE(world.client.reason().by_peer);
            CHECK(world.server.reason().errc == why);
            CHECK(world.server.reason().by_peer);
            CHECK(world.server.reason().text == "what a day");
        }
    }
    SECTION("reports the reason at both sides when the server closes") {
        world.server->close(world.server.id, Errc::kicked, "too loud");
        run_out();
        CHECK(world.server.reason().errc == Errc::kicked);
        CHECK_FALSE(world.server.reason().by_peer);
        CHECK(world.client.reason().errc == Errc::kicked);
        CHECK(world.client.reason().by_peer);
        CHECK(world.client.reason().text == "too loud");
    }
    SECTION("ends a connection once when both sides close it") {
        world.client->close(world.client.id, Errc::closed, "from the client");
        world.server->close(world.server.id, Errc::server_shutdown, "from the server");
        run_out();
    }
    SECTION("ignores a second close") {
        world.client->close(world.client.id, Errc::closed, "first");
        world.client->close(world.client.id, Errc::internal_error, "second");
        run_out();
        world.client->close(world.client.id, Errc::internal_error, "third");
        world.run_for(1s);
        CHECK(world.client.template count<Disconnected>() == 1);
        CHECK(world.client.reason().errc == Errc::closed);
        CHECK(world.server.reason().text == "first");
    }
    SECTION("cuts the streams of a closed connection") {
        const StreamId stream = world.open();
        REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(1, 100'000)}, true));
        REQUIRE(world.server->write(world.server.id, stream, Bytes{pattern(2, 100'000)}, true));
        world.run_for(3ms);
        world.server->close(world.server.id, Errc::closed, "");
        run_out();  // the harness watches that nothing comes after Disconnected
    }
    SECTION("closes while nobody reads the events") {
        world.server.reads = false;
        const StreamId stream = *world.client->open_stream(world.client.id);
        REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(1, 10'000)}, true));
        world.run_for(1s);
        world.client->close(world.client.id, Errc::closed, "");
        world.run_for(1s);
        world.server.reads = true;
        run_out();
    }
    if constexpr (requires { world.fixture.cut(); }) {
        SECTION("ends a connection that breaks, once at each side") {
            const StreamId stream = world.open();
            REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(1, 10'000)}, false));
            world.fixture.cut();
            run_out();
            CHECK_FALSE(world.client.reason().by_peer);
            CHECK_FALSE(world.server.reason().by_peer);
        }
    }
}

/// "Calls that name an unknown or ended connection do nothing and fail with `not_ready`."
template <TransportFixture F>
void check_unknown_connections() {
    World<F> world;
    const auto nothing_works = [&](auto& side, ConnectionId id) {
        const std::size_t before = side.events.size();
        CHECK(side->open_stream(id).error() == Errc::not_ready);
        CHECK(side->write(id, StreamId{0}, Bytes{pattern(1, 10)}, true).error() == Errc::not_ready);
        CHECK(side->channel_binding(id).error() == Errc::not_ready);
        CHECK(side->backlog(id, StreamId{0}).bytes == 0);
        CHECK_FALSE(side->send_datagram(id, Bytes{pattern(1, 10)}));
        side->consume(id, StreamId{0}, 10);
        side->reset_stream(id, StreamId{0}, 1);
        world.run_for(1s);
        CHECK(side.events.size() == before);
    };

    SECTION("fails on ids that were never given out") {
        nothing_works(world.client, ConnectionId{999});
        nothing_works(world.client, ConnectionId{});
        nothing_works(world.server, ConnectionId{999});
        world.client->close(ConnectionId{999}, Errc::closed, "");
        world.server->close(ConnectionId{}, Errc::closed, "");
        world.run_for(1s);
        CHECK(world.client.events.empty());
        CHECK(world.server.events.empty());
    }
    SECTION("fails before Connected") {
        const ConnectionId id = world.client->connect(world.fixture.now()).value();
        CHECK(world.client->open_stream(id).error() == Errc::not_ready);
        CHECK(world.client->write(id, StreamId{0}, Bytes{pattern(1, 10)}, true).error() ==
              Errc::not_ready);
        CHECK(world.client->channel_binding(id).error() == Errc::not_ready);
        CHECK_FALSE(world.client->send_datagram(id, Bytes{pattern(1, 10)}));
        CHECK(world.run_until([&] { return world.client.connected(id); }));
        world.run_for(1s);
        CHECK(world.server.events.size() == 1);
    }
    SECTION("fails after Disconnected") {
        world.connect();
        const StreamId stream = world.open();
        CHECK(stream == StreamId{0});
        world.client->close(world.client.id, Errc::closed, "");
        REQUIRE(world.run_until([&] { return world.client.ended() && world.server.ended(); }));
        nothing_works(world.client, world.client.id);
        nothing_works(world.server, world.server.id);
    }
    SECTION("fails from our own close on") {
        world.connect();
        world.client->close(world.client.id, Errc::closed, "");
        CHECK(world.client->open_stream(world.client.id).error() == Errc::not_ready);
        CHECK(world.client->channel_binding(world.client.id).error() == Errc::not_ready);
        CHECK_FALSE(world.client->send_datagram(world.client.id, Bytes{pattern(1, 10)}));
    }
}

/// "`channel_binding` is available from Connected on, equal at both ends, and fails rather than
/// making something up."
template <TransportFixture F>
void check_channel_binding() {
    World<F> world;
    if constexpr (!has_channel_binding<F>()) {
        world.connect();
        CHECK_FALSE(world.client->channel_binding(world.client.id).has_value());
        CHECK_FALSE(world.server->channel_binding(world.server.id).has_value());
        return;
    }
    SECTION("binds the channel: equal at both ends, different for every connection") {
        std::set<ChannelBinding> seen{ChannelBinding{}};  // all zeros is made up
        for (int i = 0; i < 4; ++i) {
            world.connect();
            const Result<ChannelBinding> mine = world.client->channel_binding(world.client.id);
            const Result<ChannelBinding> theirs = world.server->channel_binding(world.server.id);
            REQUIRE(mine.has_value());
            REQUIRE(theirs.has_value());
            CHECK(*mine == *theirs);
            CHECK(seen.insert(*mine).second);
            CHECK(*mine == *world.client->channel_binding(world.client.id));
        }
    }
    SECTION("keeps the channel binding while data flows") {
        world.connect();
        const ChannelBinding before = world.client->channel_binding(world.client.id).value();
        const StreamId stream = world.open();
        REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(1, 100'000)}, true));
        REQUIRE(world.run_until([&] { return world.server.inbox(stream).fin; }));
        CHECK(world.client->channel_binding(world.client.id).value() == before);
        CHECK(world.server->channel_binding(world.server.id).value() == before);
    }
    if constexpr (requires { world.fixture.fail_channel_binding(); }) {
        SECTION("fails rather than making a channel binding up") {
            world.connect();
            world.fixture.fail_channel_binding();
            CHECK_FALSE(world.client->channel_binding(world.client.id).has_value());
            CHECK_FALSE(world.server->channel_binding(world.server.id).has_value());
        }
    }
}

template <TransportFixture F>
void check_datagrams() {
    World<F> world;
    world.connect();
    const auto received = [](auto& side) {
        std::vector<Buffer> all;
        for (const TransportEvent& event : side.events) {
            if (const auto* datagram = std::get_if<DatagramReceived>(&event)) {
                const BytesView view = datagram->bytes.view();
                all.emplace_back(view.begin(), view.end());
            }
        }
        return all;
    };
    SECTION("carries datagrams both ways, whole, at most once") {
        std::vector<Buffer> sent;
        for (std::uint64_t i = 0; i < 20; ++i) {
            sent.push_back(pattern(i, 1 + i * 50));
            CHECK(world.client->send_datagram(world.client.id, Bytes{sent.back()}));
            CHECK(world.server->send_datagram(world.server.id, Bytes{sent.back()}));
            world.run_for(50ms);
        }
        world.run_for(5s);
        for (const std::vector<Buffer>& got : {received(world.client), received(world.server)}) {
            CHECK(got.size() >= 15);
            std::vector<Buffer> missing = sent;
            for (const Buffer& datagram : got) {
                const auto found = std::find(missing.begin(), missing.end(), datagram);
                REQUIRE(found != missing.end());
                missing.erase(found);
            }
        }
    }
    SECTION("refuses a datagram that cannot be sent whole") {
        CHECK_FALSE(world.client->send_datagram(world.client.id, Bytes{pattern(1, 100'000)}));
        world.run_for(1s);
        CHECK(world.server.events.size() == 1);
        CHECK_FALSE(world.client.ended());
    }
    SECTION("stays bounded when nobody reads") {
        world.server.reads = false;
        for (std::uint64_t i = 0; i < 5000; ++i) {
            world.client->send_datagram(world.client.id, Bytes{pattern(i, 1000)});
            if (i % 10 == 0) world.run_for(1ms);
        }
        world.run_for(1s);
        world.server.reads = true;
        world.run_for(1s);
        CHECK(received(world.server).size() < 1000);
    }
}

/// "What a call causes on the wire happens at the next turn of the driver, never inside the call",
/// "it never calls back", and next_deadline with handle_timeout are all that a driver needs.
template <TransportFixture F>
void check_driving() {
    World<F> world;
    world.connect();
    SECTION("does nothing on the wire inside a call") {
        const StreamId stream = world.client->open_stream(world.client.id).value();
        const Bytes bytes{pattern(1, 1000)};
        CHECK(world.client->write(world.client.id, stream, bytes, false).value().bytes == 1000);
        CHECK(world.client->backlog(world.client.id, stream).bytes == 1000);
        world.server.poll();
        CHECK(world.server.events.size() == 1);
        CHECK(world.run_until([&] { return world.server.inbox(stream).bytes.size() == 1000; }));
        CHECK(world.client->backlog(world.client.id, stream).bytes == 0);
    }
    SECTION("says when it is due after every call that causes something") {
        const StreamId stream = world.client->open_stream(world.client.id).value();
        REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(1, 10)}, false));
        REQUIRE(world.client->next_deadline().has_value());
        CHECK(*world.client->next_deadline() <= world.fixture.now());
    }
    SECTION("lets an idle connection sleep") {
        world.run_for(2s);
        world.steps = 0;
        world.run_for(20s);
        CHECK(world.steps < 200);
        CHECK_FALSE(world.client.ended());
        CHECK_FALSE(world.server.ended());
    }
    SECTION("survives being moved in the middle of things") {
        const StreamId stream = world.open();
        REQUIRE(world.client->write(world.client.id, stream, Bytes{pattern(3, 200'000)}, false));
        world.run_for(5ms);
        typename World<F>::Client client = std::move(*world.client);
        typename World<F>::Server server = std::move(*world.server);
        *world.client = std::move(client);
        *world.server = std::move(server);
        REQUIRE(world.client->write(world.client.id, stream, Bytes{}, true));
        CHECK(world.run_until([&] { return world.server.inbox(stream).fin; }));
        CHECK(world.server.inbox(stream).bytes == after_opening(3, 200'000));
        CHECK(world.server->write(world.server.id, stream, Bytes{pattern(4, 10)}, true));
        CHECK(world.run_until([&] { return world.client.inbox(stream).fin; }));
    }
}

}  // namespace quicchat::conformance
