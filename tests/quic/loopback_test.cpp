#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <thread>

#include "quicchat/quic/run.hpp"
#include "support/patience.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// The least application: keeps its events, and answers streams if it is to.
struct Echo {
    quic::Endpoint endpoint;
    bool answers = false;
    std::vector<TransportEvent> events{};
    std::size_t bytes = 0;
    bool fin = false;

    quic::Endpoint& transport() { return endpoint; }
    std::optional<TimePoint> next_deadline() const { return endpoint.next_deadline(); }
    void process(Now) {
        while (auto event = endpoint.poll_event()) {
            if (const auto* data = std::get_if<StreamData>(&*event)) {
                bytes += data->bytes.size();
                fin = fin || data->fin;
                endpoint.consume(data->connection, data->stream, data->bytes.size());
                if (answers) {
                    (void)endpoint.write(data->connection, data->stream, data->bytes, data->fin);
                }
            }
            events.push_back(std::move(*event));
        }
    }
    template <class Event>
    const Event* find() const {
        for (const auto& event : events) {
            if (const auto* found = std::get_if<Event>(&event)) return found;
        }
        return nullptr;
    }
};

using Loop = quic::Driver<Echo>;

quic::SocketAddress loopback(std::string_view host, std::uint16_t port = 0) {
    return quic::SocketAddress::from_numeric(host, port).value();
}

quic::ServerConfig server_config() {
    return {.certificate_pem = test_pair().certificate_pem, .key_pem = test_pair().key_pem};
}

std::unique_ptr<Loop> make_server(const quic::SocketAddress& address) {
    return std::make_unique<Loop>(quic::UdpSocket::bind(address).value(),
                                  Echo{quic::Endpoint::server(server_config()).value(), true});
}

std::unique_ptr<Loop> make_client(const quic::SocketAddress& remote) {
    quic::UdpSocket socket = quic::UdpSocket::connect(remote).value();
    quic::ClientConfig config{.remote = remote,
                              .local = socket.local_address(),
                              .server_name = "localhost",
                              .trust = quic::Trust::authorities(test_pair().certificate_pem)};
    return std::make_unique<Loop>(std::move(socket),
                                  Echo{quic::Endpoint::client(std::move(config)).value()});
}

/// Both loops in one thread, until `done` or out of patience.
template <class Done>
bool drive(std::initializer_list<Loop*> loops, Done done) {
    const TimePoint end = quic::read_clock().steady + patience(10s);
    while (quic::read_clock().steady < end) {
        for (Loop* loop : loops) REQUIRE_FALSE(loop->turn(quic::read_clock()));
        if (done()) return true;
        std::this_thread::sleep_for(100us);
    }
    return false;
}

}  // namespace

TEST_CASE("QUIC over real sockets", "[quic][socket]") {
    const std::string host = GENERATE("127.0.0.1", "::1");
    CAPTURE(host);
    const auto server = make_server(loopback(host));
    const auto address = server->socket().local_address();
    REQUIRE(address.port() != 0);
    const auto client = make_client(address);
    const ConnectionId id = client->app().endpoint.connect(quic::read_clock().steady).value();
    REQUIRE(drive({server.get(), client.get()}, [&] { return client->app().find<Connected>(); }));
    CHECK(client->app().find<Connected>()->peer_address == address.to_string());

    SECTION("carries a megabyte there and back") {
        const bool gso = GENERATE(true, false);
        CAPTURE(gso);
        if (!gso) const_cast<quic::UdpSocket&>(client->socket()).disable_gso();
        quic::Endpoint& endpoint = client->app().endpoint;
        const StreamId stream = endpoint.open_stream(id).value();
        REQUIRE(endpoint.write(id, stream, Bytes{Buffer(1'000'000)}, true));
        CHECK(drive({server.get(), client.get()}, [&] { return client->app().fin; }));
        CHECK(client->app().bytes == 1'000'000);
    }
    SECTION("ends a connection with its reason") {
        client->app().endpoint.close(id, Errc::kicked, "enough");
        CHECK(drive({server.get(), client.get()},
                    [&] { return server->app().find<Disconnected>(); }));
        CHECK(server->app().find<Disconnected>()->reason.text == "enough");
    }
}

TEST_CASE("a server's socket", "[quic][socket]") {
    SECTION("is the only one on its port") {
        const std::string host = GENERATE("127.0.0.1", "::1", "0.0.0.0", "::");
        const auto first = quic::UdpSocket::bind(loopback(host));
        REQUIRE(first);
        const auto second = quic::UdpSocket::bind(loopback(host, first->local_address().port()));
        REQUIRE_FALSE(second);
        CHECK(second.error() == std::errc::address_in_use);
    }
    SECTION("answers from the address that was asked, when it is bound to all") {
        const auto server = make_server(loopback("0.0.0.0"));
        const auto client =
            make_client(loopback("127.0.0.2", server->socket().local_address().port()));
        client->app().endpoint.connect(quic::read_clock().steady).value();
        CHECK(drive({server.get(), client.get()}, [&] { return client->app().find<Connected>(); }));
    }
    SECTION("serves IPv4 and IPv6 when it is bound to ::") {
        const auto server = make_server(loopback("::"));
        for (const char* host : {"127.0.0.1", "::1"}) {
            CAPTURE(host);
            const auto client =
                make_client(loopback(host, server->socket().local_address().port()));
            client->app().endpoint.connect(quic::read_clock().steady).value();
            CHECK(drive({server.get(), client.get()},
                        [&] { return client->app().find<Connected>(); }));
        }
    }
}

TEST_CASE("a client learns at once that nothing listens", "[quic][socket]") {
    const std::string host = GENERATE("127.0.0.1", "::1");
    quic::SocketAddress nowhere;
    { nowhere = quic::UdpSocket::bind(loopback(host))->local_address(); }
    const auto client = make_client(nowhere);
    const TimePoint begin = quic::read_clock().steady;
    client->app().endpoint.connect(begin).value();
    REQUIRE(drive({client.get()}, [&] { return client->app().find<Disconnected>(); }));
    CHECK(client->app().find<Disconnected>()->reason.errc == Errc::unreachable);
    CHECK(quic::read_clock().steady - begin < patience(1s));
}

TEST_CASE("run ends when it is told to", "[quic][socket]") {
    const auto server = make_server(loopback("127.0.0.1"));
    quic::StopFlag stop;
    std::thread other{[&] {
        std::this_thread::sleep_for(20ms);
        stop.wake();
        std::this_thread::sleep_for(20ms);
        stop.stop();
    }};
    CHECK_FALSE(quic::run(*server, stop));
    CHECK(stop.stopped());
    other.join();
}

TEST_CASE("socket addresses", "[quic]") {
    CHECK(quic::SocketAddress::parse("127.0.0.1:4433")->to_string() == "127.0.0.1:4433");
    CHECK(quic::SocketAddress::parse("[::1]:4433")->to_string() == "[::1]:4433");
    CHECK(quic::SocketAddress::from_numeric("::ffff:10.0.0.1", 7)->to_string() == "10.0.0.1:7");
    for (const char* bad : {"", ":", "::1:4433", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000",
                            "localhost:1", "[::1]", "[::1]:x", "127.0.0.1:1 "}) {
        CAPTURE(bad);
        CHECK_FALSE(quic::SocketAddress::parse(bad));
    }
    const auto found = quic::resolve("localhost", 9);
    REQUIRE(found);
    CHECK(found->front().port() == 9);
    CHECK_FALSE(quic::resolve("no-such-host.invalid", 9));
}
