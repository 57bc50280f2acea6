#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/transport_conformance.hpp"
#include "quicchat/memory/network.hpp"
#include "quicchat/shards/carrier.hpp"
#include "quicchat/shards/transport.hpp"
#include "support/borrowed_endpoint.hpp"
#include "support/quic_world.hpp"
#include "support/seed.hpp"

namespace quicchat {
namespace {

using namespace std::chrono_literals;

/// A shard over the memory network, in the thread of the chat.
class ShardsFixture {
public:
    ShardsFixture(Limits server_limits, Limits client_limits)
        : network_({.seed = test::seed()}),
          client_limits_(client_limits),
          link_(make_link()),
          carrier_(network_.listen("server", server_limits), link_, {.index = 2, .count = 3},
                   server_limits.stream_backlog_bytes_max),
          server_({make_link(), make_link(), link_}, server_limits) {}

    static constexpr Errc nobody_there = Errc::unreachable;

    shards::Transport& server() { return server_; }
    memory::Transport& add_client() {
        return clients_.emplace_back(network_.dial("server", client_limits_));
    }
    memory::Transport& add_stray_client() {
        return clients_.emplace_back(network_.dial("nowhere", client_limits_));
    }
    TimePoint now() const { return network_.now(); }

    bool step() {
        std::optional<TimePoint> next = carrier_.next_deadline();
        if (server_.next_deadline()) next = now();
        for (const memory::Transport& client : clients_) {
            next = earlier(next, client.next_deadline());
        }
        if (!next) return false;
        server_.flush();
        carrier_.process({*next, {}});
        carrier_.settle();
        server_.handle_timeout(*next);
        for (memory::Transport& client : clients_) {
            if (client.next_deadline() == next) client.handle_timeout(*next);
        }
        return true;
    }

    /// Lets the shard measure what was asked about.
    void measure() {
        server_.flush();
        carrier_.process({now(), {}});
        carrier_.settle();
        server_.handle_timeout(now());
    }

    void cut() {
        for (std::uint64_t i = 1; i <= network_.connections_dialled(); ++i) network_.cut(i);
    }

private:
    static std::shared_ptr<shards::Link> make_link() {
        return std::make_shared<shards::Link>(std::make_shared<const WakeFd>());
    }

    memory::Network network_;
    Limits client_limits_;
    std::shared_ptr<shards::Link> link_;
    shards::Carrier<memory::Transport> carrier_;
    shards::Transport server_;
    std::deque<memory::Transport> clients_;
};

/// Two shards over QUIC behind one address: each letter comes to the one that its connection id
/// names, as the kernel does it.
class QuicShardsFixture {
public:
    QuicShardsFixture(Limits server_limits, Limits client_limits)
        : world_({.seed = test::seed(), .delay_min = 1ms, .delay_max = 1ms}),
          client_limits_(client_limits) {
        for (std::uint8_t i = 0; i < shards_count; ++i) {
            quic::Config config = test::World::config(test::seed() + i);
            config.limits = server_limits;
            config.shard = i;
            config.shards = shards_count;
            quic::ServerConfig server{.token_secret = quic::test_seed(5)};
            links_.push_back(std::make_shared<shards::Link>(std::make_shared<const WakeFd>()));
            carriers_.emplace_back(
                test::Borrowed{world_.add_server(std::move(server), std::move(config)).endpoint},
                links_.back(), shards::Place{i, shards_count},
                server_limits.stream_backlog_bytes_max);
        }
        server_.emplace(links_, server_limits);
        world_.steer = [](const test::DatagramLink::Letter& letter) {
            return shard_of(letter.bytes);
        };
    }

    static constexpr Errc nobody_there = Errc::handshake_timeout;

    shards::Transport& server() { return *server_; }
    quic::Endpoint& add_client() { return add("10.0.0.1:4433"); }
    quic::Endpoint& add_stray_client() { return add("10.9.9.9:4433"); }
    TimePoint now() const { return world_.now; }

    bool step() {
        server_->flush();
        for (auto& carrier : carriers_) carrier.process({now(), {}});
        const bool more = world_.step_network(TimePoint::max());
        for (auto& carrier : carriers_) {
            carrier.process({now(), {}});
            carrier.settle();
        }
        server_->handle_timeout(now());
        return more;
    }

    void measure() {
        server_->flush();
        for (auto& carrier : carriers_) {
            carrier.process({now(), {}});
            carrier.settle();
        }
        server_->handle_timeout(now());
    }

private:
    static constexpr std::uint8_t shards_count = 2;

    static std::size_t shard_of(BytesView datagram) {
        const bool is_long = (datagram[0] & std::byte{0x80}) != std::byte{0};
        return std::to_integer<std::size_t>(datagram[is_long ? 6 : 1]) % shards_count;
    }

    quic::Endpoint& add(std::string_view remote) {
        quic::Config config = test::World::config(test::seed() + world_.hosts.size());
        config.limits = client_limits_;
        return world_
            .add_client(
                {.remote = *quic::SocketAddress::parse(remote), .trust = quic::Trust::insecure()},
                std::move(config))
            .endpoint;
    }

    test::World world_;
    Limits client_limits_;
    std::vector<std::shared_ptr<shards::Link>> links_;
    std::deque<shards::Carrier<test::Borrowed>> carriers_;
    std::optional<shards::Transport> server_;
};

TEST_CASE("shards over QUIC keep the promises of a transport", "[conformance][shards][quic]") {
    INFO("seed=" << test::seed());
    conformance::check_transport<QuicShardsFixture>();
}

TEST_CASE("the transport of shards keeps its promises", "[conformance][shards]") {
    INFO("seed=" << test::seed());
    conformance::check_transport<ShardsFixture>();
}

/// A chat and one shard over the memory network, each of which has its turns when the test says so.
class Pair {
public:
    explicit Pair(const Limits& limits = {}) : chat_({link_}, limits) {
        REQUIRE(client_.connect(network_.now()));
        run([&] { return connection_ && client_id_; });
        stream_ = client_.open_stream(*client_id_).value();
        REQUIRE(client_.write(*client_id_, stream_, Bytes{Buffer(1)}, false));
        run([&] { return opened_; });
    }

    Result<Backlog> write(std::size_t bytes) {
        return chat_.write(*connection_, stream_, Bytes{Buffer(bytes)}, false);
    }

    void shard_turn() {
        chat_.flush();
        carrier_.process({network_.now(), {}});
        carrier_.settle();
    }
    void chat_turn() {
        chat_.handle_timeout(network_.now());
        while (const auto event = chat_.poll_event()) {
            if (const auto* connected = std::get_if<Connected>(&*event)) {
                connection_ = connected->connection;
            }
            if (std::holds_alternative<StreamData>(*event)) opened_ = true;
            if (std::holds_alternative<Writable>(*event)) ++writable;
            events.push_back(*event);
        }
    }
    /// Everybody, and time goes on.
    template <class Done>
    void run(Done done) {
        for (int i = 0; i < 1000 && !done(); ++i) {
            shard_turn();
            chat_turn();
            const auto next = earlier(carrier_.next_deadline(), client_.next_deadline());
            if (next) client_.handle_timeout(*next);
            while (const auto event = client_.poll_event()) {
                if (const auto* connected = std::get_if<Connected>(&*event)) {
                    client_id_ = connected->connection;
                }
                if (const auto* data = std::get_if<StreamData>(&*event)) {
                    client_.consume(data->connection, data->stream, data->bytes.size());
                }
            }
        }
        REQUIRE(done());
    }

    /// The client writes, and the shard has it before the chat hears of it.
    void write_from_client(std::size_t bytes) {
        REQUIRE(client_.write(*client_id_, stream_, Bytes{Buffer(bytes)}, false));
        for (int i = 0; i < 10; ++i) {
            const auto next = earlier(carrier_.next_deadline(), client_.next_deadline());
            if (next) client_.handle_timeout(*next);
            shard_turn();
        }
        events.clear();
    }
    bool heard_data() const {
        return std::any_of(events.begin(), events.end(), [](const TransportEvent& event) {
            return std::holds_alternative<StreamData>(event);
        });
    }

    shards::Transport& chat() { return chat_; }
    memory::Network& network() { return network_; }
    ConnectionId connection() const { return *connection_; }
    StreamId stream() const { return stream_; }
    std::size_t writable = 0;
    std::vector<TransportEvent> events{};

private:
    memory::Network network_{{.seed = 1}};
    std::shared_ptr<shards::Link> link_ =
        std::make_shared<shards::Link>(std::make_shared<const WakeFd>());
    shards::Carrier<memory::Transport> carrier_{
        network_.listen("server", Limits{}), link_, {}, Limits{}.stream_backlog_bytes_max};
    shards::Transport chat_;
    memory::Transport client_ = network_.dial("server", Limits{});
    std::optional<ConnectionId> connection_;
    std::optional<ConnectionId> client_id_;
    StreamId stream_{};
    bool opened_ = false;
};

TEST_CASE("a chat that hears late of what was sent goes on", "[shards]") {
    constexpr std::size_t most = Limits{}.stream_backlog_bytes_max;
    Pair pair;
    // The shard sends all of it, but tells of the newest only when the chat asks.
    std::size_t counted = 0;
    for (int i = 0; i < 1000 && counted < most; ++i) {
        counted = pair.write(1000).value().bytes;
        pair.shard_turn();
        if (i % 3 == 0) pair.run([] { return true; });
    }
    INFO("counted " << counted);
    REQUIRE(counted >= most);
    pair.run([&] { return pair.writable == 1; });
    CHECK(pair.write(0).value().bytes < most / 2);
}

TEST_CASE("what a shard said before it knew of an end is not heard", "[shards]") {
    Pair pair;
    SECTION("of data, at all") {
        pair.write_from_client(100);
        pair.chat_turn();
        CHECK(pair.heard_data());
    }
    SECTION("of a stream that was reset") {
        pair.write_from_client(100);
        pair.chat().reset_stream(pair.connection(), pair.stream(), 1);
        CHECK(pair.write(1).error() == Errc::not_ready);
        pair.chat_turn();
        CHECK_FALSE(pair.heard_data());
        CHECK(pair.chat().streams(pair.connection()) == 1);
        pair.run([&] { return pair.chat().streams(pair.connection()) == 0; });
    }
    SECTION("of a connection that was closed") {
        pair.write_from_client(100);
        pair.chat().close(pair.connection(), Errc::closed, "");
        CHECK(pair.write(1).error() == Errc::not_ready);
        CHECK(pair.chat().says_farewell());
        pair.chat_turn();
        CHECK_FALSE(pair.heard_data());
        CHECK(pair.chat().says_farewell());
        pair.shard_turn();
        CHECK_FALSE(pair.chat().says_farewell());
        pair.run([&] { return !pair.events.empty(); });
        CHECK(pair.events.size() == 1);
        CHECK(std::holds_alternative<Disconnected>(pair.events[0]));
    }
}

TEST_CASE("whom the chat never heard of, it does not hear go", "[shards]") {
    Pair pair{Limits{.connections_max = 1}};
    pair.events.clear();
    memory::Transport other = pair.network().dial("server", Limits{});
    const ConnectionId id = other.connect(pair.network().now()).value();
    bool ended = false;
    pair.run([&] {
        if (const auto next = other.next_deadline()) other.handle_timeout(*next);
        while (const auto event = other.poll_event()) {
            const auto* gone = std::get_if<Disconnected>(&*event);
            ended |= gone != nullptr && gone->connection == id;
            if (gone != nullptr) CHECK(gone->reason.errc == Errc::server_full);
        }
        return ended;
    });
    int turns = 0;
    pair.run([&] { return ++turns > 50; });
    CHECK(pair.events.empty());
}

TEST_CASE("who is asked about often is measured once", "[shards]") {
    Pair pair;
    REQUIRE(pair.write(1000));
    pair.shard_turn();
    CHECK_FALSE(pair.chat().next_deadline().has_value());
    for (int i = 0; i < 100; ++i) {
        CHECK(pair.chat().unacknowledged(pair.connection()) == 1000);
    }
    CHECK(pair.chat().unacknowledged() == 1000);
    pair.run([&] { return pair.chat().unacknowledged() == 0; });
    pair.run([&] { return pair.chat().unacknowledged(pair.connection()) == 0; });
}

}  // namespace
}  // namespace quicchat
