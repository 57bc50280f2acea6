#include <deque>

#include <catch2/catch_test_macros.hpp>

#include "conformance/transport_conformance.hpp"
#include "quicchat/memory/network.hpp"
#include "support/seed.hpp"

namespace quicchat {
namespace {

/// How unkind the network is.
enum class Weather { fair, rough, instant };

/// Of the next network that is made. No parameter of a template: the suite would be compiled three
/// times.
Weather weather = Weather::fair;

memory::NetworkConfig config() {
    using namespace std::chrono_literals;
    memory::NetworkConfig config{.seed = test::seed()};
    if (weather == Weather::rough) {
        config.delay_min = 0ms;
        config.delay_max = 200ms;
        config.piece_bytes_max = 50;
    }
    if (weather == Weather::instant) config.delay_min = config.delay_max = 0ms;
    return config;
}

class MemoryFixture {
public:
    MemoryFixture(Limits server_limits, Limits client_limits)
        : network_(config()),
          client_limits_(client_limits),
          server_(network_.listen("server", server_limits)) {}

    static constexpr Errc nobody_there = Errc::unreachable;

    memory::Transport& server() { return server_; }
    memory::Transport& add_client() {
        return clients_.emplace_back(network_.dial("server", client_limits_));
    }
    memory::Transport& add_stray_client() {
        return clients_.emplace_back(network_.dial("nowhere", client_limits_));
    }
    TimePoint now() const { return network_.now(); }

    bool step() {
        std::optional<TimePoint> next = server_.next_deadline();
        for (const memory::Transport& client : clients_) {
            next = earlier(next, client.next_deadline());
        }
        if (!next) return false;
        if (server_.next_deadline() == next) server_.handle_timeout(*next);
        for (memory::Transport& client : clients_) {
            if (client.next_deadline() == next) client.handle_timeout(*next);
        }
        return true;
    }

    void cut() {
        for (std::uint64_t i = 1; i <= network_.connections_dialled(); ++i) network_.cut(i);
    }
    void fail_channel_binding() { network_.config().channel_binding_fails = true; }

private:
    memory::Network network_;
    Limits client_limits_;
    memory::Transport server_;
    std::deque<memory::Transport> clients_;
};

TEST_CASE("the memory transport keeps its promises", "[conformance][memory]") {
    INFO("seed=" << test::seed());
    weather = Weather::fair;
    conformance::check_transport<MemoryFixture>();
}

TEST_CASE("the memory transport keeps its promises in rough weather", "[conformance][memory]") {
    INFO("seed=" << test::seed());
    weather = Weather::rough;
    conformance::check_transport<MemoryFixture>();
}

TEST_CASE("the memory transport keeps its promises without any delay", "[conformance][memory]") {
    INFO("seed=" << test::seed());
    weather = Weather::instant;
    conformance::check_transport<MemoryFixture>();
}

}  // namespace
}  // namespace quicchat
