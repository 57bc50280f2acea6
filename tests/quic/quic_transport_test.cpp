#include <catch2/catch_test_macros.hpp>

#include "conformance/transport_conformance.hpp"
#include "support/quic_world.hpp"
#include "support/seed.hpp"

namespace quicchat {
namespace {

/// How unkind the network is.
enum class Weather { fair, rough };

/// Of the next network that is made. No parameter of a template: the suite would be compiled twice.
Weather weather = Weather::fair;

test::LinkConfig config() {
    using namespace std::chrono_literals;
    test::LinkConfig config{.seed = test::seed()};
    config.delay_min = config.delay_max = 1ms;
    if (weather == Weather::rough) {
        config.duplicate = 50;
        config.delay_max = 40ms;
    }
    return config;
}

/// Two real endpoints, with TLS and all, on a network in memory.
class QuicFixture {
public:
    QuicFixture(Limits server_limits, Limits client_limits)
        : world_(config()), client_limits_(client_limits) {
        quic::Config config = test::World::config(test::seed());
        config.limits = server_limits;
        server_ = &world_.add_server({}, std::move(config)).endpoint;
    }

    static constexpr Errc nobody_there = Errc::handshake_timeout;

    quic::Endpoint& server() { return *server_; }
    quic::Endpoint& add_client() { return add("10.0.0.1:4433"); }
    quic::Endpoint& add_stray_client() { return add("10.9.9.9:4433"); }
    TimePoint now() const { return world_.now; }

    bool step() { return world_.step_network(TimePoint::max()); }

private:
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
    quic::Endpoint* server_;
};

TEST_CASE("the QUIC transport keeps its promises", "[conformance][quic]") {
    INFO("seed=" << test::seed());
    weather = Weather::fair;
    conformance::check_transport<QuicFixture>();
}

TEST_CASE("the QUIC transport keeps its promises in rough weather", "[conformance][quic]") {
    INFO("seed=" << test::seed());
    weather = Weather::rough;
    conformance::check_transport<QuicFixture>();
}

}  // namespace
}  // namespace quicchat
