#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/quic/send_buffer.hpp"
#include "support/printers.hpp"
#include "support/quic_world.hpp"
#include "support/seed.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

struct Pair {
    explicit Pair(LinkConfig link = {}, Limits limits = {}) : world(link) {
        quic::Config server_config = World::config(1);
        server_config.limits = limits;
        quic::Config client_config = World::config(2);
        client_config.limits = limits;
        server = &world.add_server({}, std::move(server_config));
        client = &world.add_client({.trust = quic::Trust::insecure()}, std::move(client_config));
        client->endpoint.connect(world.now).value();
        REQUIRE(world.run_until(
            [&] { return find_event<Connected>(*client) && find_event<Connected>(*server); }));
        id = find_event<Connected>(*client)->connection;
        server_id = find_event<Connected>(*server)->connection;
    }

    StreamId open() { return client->endpoint.open_stream(id).value(); }

    bool alive() const {
        return !find_event<Disconnected>(*client) && !find_event<Disconnected>(*server);
    }

    World world;
    Host* server;
    Host* client;
    ConnectionId id{};
    ConnectionId server_id{};
};

Buffer numbered(std::size_t size) {
    Buffer bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + (i >> 8));
    return bytes;
}

/// Keeps what a host receives on one stream, in order.
Buffer collect(const Host& host, StreamId stream) {
    Buffer all;
    for (const TransportEvent& event : host.events) {
        const auto* data = std::get_if<StreamData>(&event);
        if (data != nullptr && data->stream == stream) append(all, data->bytes.view());
    }
    return all;
}

bool finished(const Host& host, StreamId stream) {
    for (const TransportEvent& event : host.events) {
        const auto* data = std::get_if<StreamData>(&event);
        if (data != nullptr && data->stream == stream && data->fin) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("a large transfer arrives whole", "[quic][transfer]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    const auto loss = GENERATE(0u, 20u, 200u);
    CAPTURE(loss);
    Pair pair{{.seed = seed,
               .loss = loss,
               .duplicate = loss / 4,
               .delay_min = 5ms,
               .delay_max = loss > 0 ? Duration{25ms} : Duration{5ms}},
              {.handshake_timeout = 1min}};  // any seed may be unlucky there
    const Buffer bytes = numbered(600'000);
    const StreamId stream = pair.open();
    REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes::copy_of(bytes), true));
    REQUIRE(pair.world.run_until([&] { return finished(*pair.server, stream); }, 10min));
    CHECK((collect(*pair.server, stream) == bytes));
    CHECK(pair.alive());
}

TEST_CASE("many small writes on many streams arrive in order", "[quic][transfer]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    Pair pair{{.seed = seed, .loss = 100, .delay_min = 5ms, .delay_max = 30ms}};
    std::vector<StreamId> streams;
    for (int i = 0; i < 20; ++i) streams.push_back(pair.open());
    const Buffer bytes = numbered(4000);
    for (std::size_t offset = 0; offset < bytes.size(); offset += 40) {
        for (const StreamId stream : streams) {
            const auto piece = BytesView{bytes}.subspan(offset, 40);
            REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes::copy_of(piece),
                                                offset + 40 == bytes.size()));
        }
        pair.world.run_for(3ms);
    }
    for (const StreamId stream : streams) {
        REQUIRE(pair.world.run_until([&] { return finished(*pair.server, stream); }));
        CHECK((collect(*pair.server, stream) == bytes));
    }
}

TEST_CASE("a stream ends behind its last piece, however many wait", "[quic][transfer]") {
    Pair pair;
    const StreamId stream = pair.open();
    const Buffer bytes = numbered(5 * 64 + 3);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const Bytes piece = Bytes::copy_of(BytesView{bytes}.subspan(i, 1));
        REQUIRE(pair.client->endpoint.write(pair.id, stream, piece, i + 1 == bytes.size()));
    }
    REQUIRE(pair.world.run_until([&] { return finished(*pair.server, stream); }));
    CHECK((collect(*pair.server, stream) == bytes));
    CHECK(pair.alive());
}

TEST_CASE("an end of a stream goes alone when all else has gone", "[quic][transfer]") {
    Pair pair;
    const StreamId stream = pair.open();
    const Buffer bytes = numbered(100);
    REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes::copy_of(bytes), false));
    REQUIRE(
        pair.world.run_until([&] { return collect(*pair.server, stream).size() == bytes.size(); }));
    CHECK_FALSE(finished(*pair.server, stream));
    REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes{}, true));
    REQUIRE(pair.world.run_until([&] { return finished(*pair.server, stream); }));
    CHECK((collect(*pair.server, stream) == bytes));
}

TEST_CASE("written bytes are referenced until they are acknowledged, and no longer",
          "[quic][transfer]") {
    Pair pair;
    const StreamId stream = pair.open();
    for (int i = 0; i < 50; ++i) {
        const Buffer piece = numbered(50'000);
        const auto view = BytesView{piece}.subspan(static_cast<std::size_t>(i) * 1000, 1000);
        REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes::copy_of(view), false));
    }
    pair.world.link.config().loss = 1000;
    pair.world.run_for(2s);
    // Nothing arrived. Whatever memory was let go of is written to now, before the bytes are sent
    // again from where they were.
    std::vector<Buffer> others(200, Buffer(1000, std::byte{0xff}));
    pair.world.link.config().loss = 0;
    REQUIRE(pair.world.run_until([&] { return pair.server->bytes_received == 50'000; }));
    CHECK((collect(*pair.server, stream) == numbered(50'000)));
}

TEST_CASE("a client whose address changes in the middle of a transfer goes on",
          "[quic][migration]") {
    Pair pair{{.delay_min = 10ms, .delay_max = 10ms}};
    pair.server->echo = true;
    const Buffer bytes = numbered(2'000'000);
    const StreamId stream = pair.open();
    REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes::copy_of(bytes), true));
    for (std::uint16_t i = 1; i <= 3; ++i) {
        pair.world.run_for(100ms);
        pair.client->public_address =
            *quic::SocketAddress::from_numeric("10.0.7." + std::to_string(i), 700);
    }
    CHECK(pair.world.run_until([&] { return finished(*pair.client, stream); }, 5min));
    CHECK((collect(*pair.client, stream) == bytes));
    CHECK(pair.alive());
}

TEST_CASE("keys can be updated while data flows", "[quic][keys]") {
    Pair pair;
    pair.server->echo = true;
    const StreamId stream = pair.open();
    std::size_t updates = 0;
    for (int i = 0; i < 20; ++i) {
        REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes{numbered(20'000)}, i == 19));
        pair.world.run_for(1s);
        updates += pair.client->endpoint.update_keys(pair.id, pair.world.now);
        updates += pair.server->endpoint.update_keys(pair.server_id, pair.world.now);
    }
    CHECK(pair.world.run_until([&] { return finished(*pair.client, stream); }));
    CHECK(collect(*pair.client, stream).size() == 400'000);
    CHECK(updates >= 10);
    CHECK(pair.alive());
}

TEST_CASE("five hundred streams, one after the other, on a grant of a few", "[quic][streams]") {
    Pair pair{{.delay_min = 1ms, .delay_max = 1ms}, Limits{.rooms_per_connection_max = 2}};
    pair.server->echo = true;
    for (int i = 0; i < 500; ++i) {
        Result<StreamId> stream = Errc::not_ready;
        REQUIRE(pair.world.run_until([&] {
            stream = pair.client->endpoint.open_stream(pair.id);
            return stream.has_value();
        }));
        REQUIRE(pair.client->endpoint.write(pair.id, *stream, text_bytes("x"), true));
        if (i % 10 == 0) {
            REQUIRE(pair.world.run_until([&] { return finished(*pair.client, *stream); }));
        }
    }
    pair.world.run_for(1s);
    CHECK(pair.client->text == std::string(500, 'x'));
    CHECK(pair.client->endpoint.streams(pair.id) == 0);
    CHECK(pair.server->endpoint.streams(pair.server_id) == 0);
}

TEST_CASE("credit never leaks, however streams end", "[quic][streams]") {
    // A connection window of 64 KiB, over which a megabyte goes by streams that are cut in every
    // possible way: if any of them kept its credit, the rest would stop.
    Pair pair{{.delay_min = 5ms, .delay_max = 5ms},
              Limits{.rooms_per_connection_max = 4,
                     .stream_receive_window = 32 * 1024,
                     .connection_receive_window = 64 * 1024}};
    pair.server->consumes = false;
    for (int i = 0; i < 60; ++i) {
        CAPTURE(i);
        Result<StreamId> stream = Errc::not_ready;
        REQUIRE(pair.world.run_until([&] {
            stream = pair.client->endpoint.open_stream(pair.id);
            return stream.has_value();
        }));
        const std::uint64_t before = pair.server->bytes_received;
        REQUIRE(pair.client->endpoint.write(pair.id, *stream, Bytes{numbered(30'000)}, i % 3 == 0));
        REQUIRE(pair.world.run_until([&] { return pair.server->bytes_received > before; }));
        pair.world.run_for(Duration{5ms} * (i % 4));
        switch (i % 3) {
            case 0:
                REQUIRE(pair.world.run_until(
                    [&] { return pair.server->bytes_received == before + 30'000; }));
                pair.server->endpoint.consume(pair.server_id, *stream, 10'000);
                pair.server->endpoint.consume(pair.server_id, *stream, 50'000);
                REQUIRE(pair.server->endpoint.write(pair.server_id, *stream, Bytes{}, true));
                break;
            case 1:
                pair.client->endpoint.reset_stream(pair.id, *stream, 7);
                break;
            case 2:
                pair.server->endpoint.reset_stream(pair.server_id, *stream, 7);
                break;
        }
        pair.world.run_for(200ms);
    }
    CHECK(pair.client->endpoint.streams(pair.id) == 0);
    CHECK(pair.server->endpoint.streams(pair.server_id) == 0);
    pair.server->consumes = true;
    const StreamId last = pair.open();
    REQUIRE(pair.client->endpoint.write(pair.id, last, Bytes{numbered(200'000)}, true));
    CHECK(pair.world.run_until([&] { return finished(*pair.server, last); }));
}

TEST_CASE("tiny pieces that nobody fetches cost no more than their bytes", "[quic][streams]") {
    Pair pair{{.delay_min = 1ms, .delay_max = 1ms}};
    const StreamId stream = pair.open();
    for (int i = 0; i < 2000; ++i) {
        REQUIRE(pair.client->endpoint.write(pair.id, stream, text_bytes("x"), false));
        while (const auto transmit = pair.client->endpoint.poll_transmit(pair.world.now)) {
            pair.server->endpoint.handle_datagram(
                {pair.server->address, pair.client->address, 0, transmit->bytes}, pair.world.now);
        }
        if (i % 20 == 0) {
            while (const auto transmit = pair.server->endpoint.poll_transmit(pair.world.now)) {
                pair.client->endpoint.handle_datagram(
                    {pair.client->address, pair.server->address, 0, transmit->bytes},
                    pair.world.now);
            }
        }
    }
    pair.world.run_for(1s);
    CHECK(pair.server->bytes_received == 2000);
    // Hundreds of frames came between two looks, and became one event each time.
    CHECK(count_events<StreamData>(*pair.server) < 100);
}

TEST_CASE("datagrams", "[quic][datagram]") {
    Pair pair;
    quic::Endpoint& endpoint = pair.client->endpoint;
    const auto received = [&] { return count_events<DatagramReceived>(*pair.server); };
    SECTION("of every allowed size arrive") {
        for (std::size_t size = 1; size <= quic::datagram_bytes_max; size += 157) {
            CHECK(endpoint.send_datagram(pair.id, Bytes{Buffer(size)}));
        }
        CHECK(endpoint.send_datagram(pair.id, Bytes{Buffer(quic::datagram_bytes_max)}));
        CHECK(pair.world.run_until([&] { return received() == 9; }));
    }
    SECTION("that are empty or too long are refused") {
        CHECK_FALSE(endpoint.send_datagram(pair.id, Bytes{}));
        CHECK_FALSE(endpoint.send_datagram(pair.id, Bytes{Buffer(quic::datagram_bytes_max + 1)}));
    }
    SECTION("push out the oldest when there are too many") {
        for (int i = 0; i < 200; ++i) {
            CHECK(endpoint.send_datagram(pair.id, text_bytes(std::to_string(i))));
        }
        pair.world.run_for(1s);
        CHECK(received() == quic::datagrams_max);
        const auto* first = find_event<DatagramReceived>(*pair.server);
        CHECK(as_text(first->bytes.view()) == "136");
    }
    SECTION("do not keep streams from being served") {
        const StreamId stream = pair.open();
        REQUIRE(endpoint.write(pair.id, stream, Bytes{numbered(300'000)}, true));
        CHECK(pair.world.run_until([&] {
            endpoint.send_datagram(pair.id, Bytes{Buffer(quic::datagram_bytes_max)});
            return finished(*pair.server, stream);
        }));
    }
}

TEST_CASE("datagrams pass a stream that the peer does not read", "[quic][datagram]") {
    Pair pair;
    pair.server->consumes = false;
    const StreamId stream = pair.open();
    REQUIRE(pair.client->endpoint.write(pair.id, stream, Bytes{numbered(1'000'000)}, true));
    pair.world.run_for(2s);
    for (std::size_t i = 1; i <= 20; ++i) {
        CHECK(pair.client->endpoint.send_datagram(pair.id, text_bytes("typing")));
        CHECK(pair.world.run_until(
            [&] { return count_events<DatagramReceived>(*pair.server) == i; }, 1s));
    }
}
