#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/quic/dialler.hpp"
#include "quicchat/quic/token.hpp"
#include "support/patience.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// The least client: dials, and keeps its events.
struct Caller {
    quic::Endpoint endpoint;
    std::vector<TransportEvent> events{};

    quic::Endpoint& transport() { return endpoint; }
    std::optional<TimePoint> next_deadline() const { return endpoint.next_deadline(); }
    void process(Now) {
        while (auto event = endpoint.poll_event()) events.push_back(*std::move(event));
    }
    template <class Event>
    const Event* find() const {
        for (const auto& event : events) {
            if (const auto* found = std::get_if<Event>(&event)) return found;
        }
        return nullptr;
    }
};

using Client = quic::ClientDriver<Caller>;
using Server = quic::Driver<Caller>;

std::unique_ptr<Client> make_client(quic::Destination destination, std::string name = "localhost") {
    quic::ClientConfig config{.routes_later = true,
                              .server_name = std::move(name),
                              .trust = quic::Trust::authorities(test_pair().certificate_pem)};
    return std::make_unique<Client>(quic::Dialler::create(std::move(destination)).value(),
                                    Caller{quic::Endpoint::client(std::move(config)).value()});
}

std::unique_ptr<Server> make_server(const char* host,
                                    quic::RetryPolicy retry = quic::RetryPolicy::under_load) {
    quic::ServerConfig config{.certificate_pem = test_pair().certificate_pem,
                              .key_pem = test_pair().key_pem,
                              .retry = retry};
    return std::make_unique<Server>(
        quic::UdpSocket::bind(*quic::SocketAddress::from_numeric(host, 0)).value(),
        Caller{quic::Endpoint::server(std::move(config)).value()});
}

/// Turns both until `done`; the client only when its descriptor or its deadline says so.
template <class Done>
bool drive(Client& client, Server* server, Done done) {
    const TimePoint end = quic::read_clock().steady + patience(20s);
    REQUIRE_FALSE(client.turn(quic::read_clock()));
    while (quic::read_clock().steady < end) {
        if (server != nullptr) REQUIRE_FALSE(server->turn(quic::read_clock()));
        if (done()) return true;
        pollfd wait{client.fd(), POLLIN, 0};
        const bool ready = poll(&wait, 1, 1) > 0;
        const Now now = quic::read_clock();
        const auto deadline = client.next_deadline();
        if (ready || (deadline && *deadline <= now.steady)) REQUIRE_FALSE(client.turn(now));
    }
    return false;
}

std::uint16_t port_of(const Server& server) { return server.socket().local_address().port(); }

void dial(Client& client) { client.app().endpoint.connect(quic::read_clock().steady).value(); }

}  // namespace

TEST_CASE("a client dials a name", "[quic][socket][dialler]") {
    const auto server = make_server("127.0.0.1");
    const auto client = make_client({.host = "localhost", .port = port_of(*server)});
    for (int i = 0; i < 3; ++i) {  // from a new socket each time
        client->app().events.clear();
        dial(*client);
        REQUIRE(drive(*client, server.get(), [&] { return client->app().find<Connected>(); }));
        const Connected connected = *client->app().find<Connected>();
        CHECK(connected.peer_address == "127.0.0.1:" + std::to_string(port_of(*server)));
        CHECK(client->dialler().sockets() == 1);
        client->app().endpoint.close(connected.connection, Errc::closed, "");
        REQUIRE(drive(*client, server.get(), [&] { return client->app().find<Disconnected>(); }));
        CHECK(client->dialler().sockets() == 0);
    }
}

TEST_CASE("a client dials an address that somebody looked up, and a name after that",
          "[quic][socket][dialler]") {
    const auto old = make_server("127.0.0.1");
    const auto other = make_server("127.0.0.2");
    const auto client = make_client(
        {.host = "127.0.0.2", .port = port_of(*other), .known = {old->socket().local_address()}});
    dial(*client);
    REQUIRE(drive(*client, old.get(), [&] { return client->app().find<Connected>(); }));
    client->app().endpoint.close(client->app().find<Connected>()->connection, Errc::closed, "");
    client->app().events.clear();
    dial(*client);
    REQUIRE(drive(*client, other.get(), [&] { return client->app().find<Connected>(); }));
    CHECK(client->app().find<Connected>()->peer_address ==
          other->socket().local_address().to_string());
}

TEST_CASE("a client does not wait for an address where nobody listens", "[quic][socket][dialler]") {
    const auto server = make_server("127.0.0.1");
    quic::SocketAddress nowhere;
    { nowhere = make_server("::1")->socket().local_address(); }
    const auto client =
        make_client({.host = "localhost",
                     .port = port_of(*server),
                     .known = {nowhere, *quic::SocketAddress::parse("[2001:db8::1]:9"),
                               server->socket().local_address()}});
    const TimePoint begin = quic::read_clock().steady;
    dial(*client);
    REQUIRE(drive(*client, server.get(), [&] { return client->app().find<Connected>(); }));
    CHECK(quic::read_clock().steady - begin < patience(2s));
}

TEST_CASE("a client that finds nobody says so", "[quic][socket][dialler]") {
    SECTION("where the name is unknown") {
        const auto client = make_client({.host = "no-such-host.invalid", .port = 9});
        dial(*client);
        REQUIRE(drive(*client, nullptr, [&] { return client->app().find<Disconnected>(); }));
        CHECK_FALSE(client->app().find<Disconnected>()->reason.text.empty());
        CHECK(client->app().find<Disconnected>()->reason.errc == Errc::unreachable);
    }
    SECTION("where nobody listens") {
        std::uint16_t port = 0;
        { port = port_of(*make_server("127.0.0.1")); }
        const auto client = make_client({.host = "127.0.0.1", .port = port});
        dial(*client);
        REQUIRE(drive(*client, nullptr, [&] { return client->app().find<Disconnected>(); }));
        CHECK(client->app().find<Disconnected>()->reason.errc == Errc::unreachable);
        CHECK(client->dialler().sockets() == 0);
    }
}

TEST_CASE("a client that ends does not wait for a name server", "[quic][socket][dialler]") {
    const TimePoint begin = quic::read_clock().steady;
    {
        const auto client = make_client({.host = "somewhere.invalid", .port = 9});
        dial(*client);
        REQUIRE_FALSE(client->turn(quic::read_clock()));
    }
    CHECK(quic::read_clock().steady - begin < patience(1s));
}

namespace {

/// Outlives the clients of a test, as a file does, and writes down what happens.
class WatchedTokens final : public quic::AddressTokens {
public:
    Token take() override {
        log += kept.empty() ? "-" : "<";
        return std::exchange(kept, {});
    }
    void keep(const Token& token) override {
        log += ">";
        kept = token;
    }

    Token kept{};
    std::string log{};
};

}  // namespace

TEST_CASE("the address token of an earlier run spares a round trip", "[quic][socket][dialler]") {
    const auto server = make_server("127.0.0.1", quic::RetryPolicy::always);
    const auto tokens = std::make_shared<WatchedTokens>();
    const auto retries = [&] { return server->app().endpoint.stats().strangers.retries; };
    const auto run = [&] {
        const auto client =
            make_client({.host = "127.0.0.1", .port = port_of(*server), .tokens = tokens});
        dial(*client);
        REQUIRE(drive(*client, server.get(), [&] {
            return client->app().find<Disconnected>() ||
                   (client->app().find<Connected>() && !tokens->kept.empty());
        }));
        CHECK_FALSE(client->app().find<Disconnected>());
        CHECK(client->app().endpoint.address_token().empty());
    };
    run();
    CHECK(retries() == 1);
    const auto first = tokens->kept;
    run();
    CHECK(retries() == 1);
    CHECK(tokens->log == "-><>");  // taken before it is shown, and each for one dial
    CHECK(tokens->kept != first);

    SECTION("of a client that dials again") {
        tokens->log.clear();
        const auto client =
            make_client({.host = "127.0.0.1", .port = port_of(*server), .tokens = tokens});
        for (int i = 0; i < 3; ++i) {
            client->app().events.clear();
            dial(*client);
            REQUIRE(drive(*client, server.get(), [&] {
                return client->app().find<Connected>() && !tokens->kept.empty();
            }));
            client->app().endpoint.close(client->app().find<Connected>()->connection, Errc::closed,
                                         "");
            REQUIRE(
                drive(*client, server.get(), [&] { return client->app().find<Disconnected>(); }));
        }
        CHECK(retries() == 1);
        CHECK(tokens->log == "<><><>");
    }
    SECTION("and costs no more than that where it is damaged") {
        tokens->kept[5] ^= 1;
        run();
        CHECK(retries() == 2);
        tokens->kept[0] = NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2;  // as if it were of a Retry
        run();
        CHECK(retries() == 3);
        tokens->kept.assign(512, 0xff);
        run();
        CHECK(retries() == 4);
    }
    SECTION("and none is lost where nobody can be dialled") {
        const auto client = make_client({.host = "nowhere.invalid", .port = 9, .tokens = tokens});
        dial(*client);
        REQUIRE(drive(*client, nullptr, [&] { return client->app().find<Disconnected>(); }));
        CHECK_FALSE(tokens->kept.empty());
    }
}

TEST_CASE("run drives a client as well", "[quic][socket][dialler]") {
    const auto client = make_client({.host = "127.0.0.1", .port = 9});
    quic::StopFlag stop;
    stop.stop();
    CHECK_FALSE(quic::run(*client, stop));
}
