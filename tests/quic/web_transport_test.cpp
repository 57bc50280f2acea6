#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/transport_conformance.hpp"
#include "support/borrowed_endpoint.hpp"
#include "support/quic_world.hpp"
#include "support/seed.hpp"
#include "support/web_dialer.hpp"

namespace quicchat {
namespace {

using test::Borrowed;
using Server = webtransport::Transport<Borrowed>;
using Client = test::WebDialer<Borrowed>;
static_assert(Transport<Server>);
static_assert(DialingTransport<Client>);

bool is_rough = false;

/// Pages at a real endpoint, with TLS and all, on a network in memory.
class WebFixture {
public:
    WebFixture(Limits server_limits, Limits client_limits)
        : world_(link()), client_limits_(client_limits) {
        quic::Config config = test::World::config(test::seed());
        config.limits = server_limits;
        config.alpn = {std::string{quic::default_alpn}, std::string{http3_alpn}};
        server_.emplace(Borrowed{world_.add_server({}, std::move(config)).endpoint},
                        test::page_config());
    }

    static constexpr Errc nobody_there = Errc::handshake_timeout;
    static constexpr bool has_channel_binding = false;
    /// Of windows: heads of streams, the request and its answer.
    static constexpr std::size_t own_bytes_max = 200;

    Server& server() { return *server_; }
    Client& add_client() { return add("10.0.0.1:4433"); }
    Client& add_stray_client() { return add("10.9.9.9:4433"); }
    TimePoint now() const { return world_.now; }

    bool step() {
        const auto next = next_deadline();
        const bool more = world_.step_network(next.value_or(TimePoint::max()));
        server_->handle_timeout(world_.now);
        for (const auto& client : clients_) client->handle_timeout(world_.now);
        return more || next;
    }

private:
    static test::LinkConfig link() {
        using namespace std::chrono_literals;
        test::LinkConfig config{.seed = test::seed()};
        config.delay_min = config.delay_max = 1ms;
        if (is_rough) {
            config.duplicate = 50;
            config.delay_max = 40ms;
        }
        return config;
    }

    /// What the adaptors wait for beside QUIC.
    std::optional<TimePoint> next_deadline() const {
        std::optional<TimePoint> next = server_->next_deadline();
        for (const auto& client : clients_) next = earlier(next, client->next_deadline());
        return next;
    }

    Client& add(std::string_view remote) {
        quic::Config config = test::World::config(test::seed() + world_.hosts.size());
        config.limits = client_limits_;
        config.alpn = {std::string{http3_alpn}};
        quic::Endpoint& endpoint = world_
                                       .add_client({.remote = *quic::SocketAddress::parse(remote),
                                                    .trust = quic::Trust::insecure()},
                                                   std::move(config))
                                       .endpoint;
        clients_.push_back(std::make_unique<Client>(Borrowed{endpoint}));
        return *clients_.back();
    }

    test::World world_;
    Limits client_limits_;
    std::optional<Server> server_;
    std::vector<std::unique_ptr<Client>> clients_;
};

TEST_CASE("the WebTransport transport keeps its promises", "[conformance][webtransport]") {
    INFO("seed=" << test::seed());
    is_rough = false;
    conformance::check_transport<WebFixture>();
}

TEST_CASE("the WebTransport transport keeps its promises in rough weather",
          "[conformance][webtransport]") {
    INFO("seed=" << test::seed());
    is_rough = true;
    conformance::check_transport<WebFixture>();
}

}  // namespace
}  // namespace quicchat
