#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "support/datagram_link.hpp"
#include "support/literals.hpp"

namespace quicchat::test {

using namespace std::chrono_literals;

inline WallTime wall_now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

/// A pair for "localhost", made once per process.
inline const quic::CertificatePair& test_pair() {
    static const quic::CertificatePair pair =
        quic::make_self_signed({"localhost", "127.0.0.1", "::1"}, 30, wall_now()).value();
    return pair;
}

/// One endpoint in the world, with everything it reported.
struct Host {
    quic::Endpoint endpoint;
    quic::SocketAddress address;         ///< What it believes its own address to be.
    quic::SocketAddress public_address;  ///< What the others see: a NAT may change it.
    std::vector<TransportEvent> events{};
    bool echo = false;      ///< Sends everything back.
    bool consumes = true;   ///< Gives credit for what it receives.
    bool listening = true;  ///< False: what is sent to it vanishes.
    std::uint64_t bytes_received = 0;
    std::string text{};  ///< The bytes of all streams, in order of arrival.
    std::optional<StreamData> last_data{};
};

/// Real endpoints on a network and a clock that only exist in memory.
class World {
public:
    explicit World(LinkConfig config = {}) : link(config) {}

    static quic::Config config(std::uint64_t seed) {
        quic::Config config;
        config.seed = quic::test_seed(seed);
        config.udp_payload_bytes_max = quic::PacketSize::ordinary;  // whatever this machine has
        return config;
    }

    Host& add_server(quic::ServerConfig server, quic::Config config, std::uint16_t port = 4433) {
        if (server.certificate_pem.empty()) {
            server.certificate_pem = test_pair().certificate_pem;
            server.key_pem = test_pair().key_pem;
        }
        const auto address = *quic::SocketAddress::from_numeric("10.0.0.1", port);
        return add(quic::Endpoint::server(std::move(server), std::move(config)).value(), address);
    }
    Host& add_server() { return add_server({}, config(1)); }

    Host& add_client(quic::ClientConfig client, quic::Config config) {
        const auto address =
            *quic::SocketAddress::from_numeric("10.0.1." + std::to_string(hosts.size() % 250 + 1),
                                               static_cast<std::uint16_t>(10'000 + hosts.size()));
        if (client.remote.empty()) client.remote = *quic::SocketAddress::parse("10.0.0.1:4433");
        if (client.server_name.empty()) client.server_name = "localhost";
        client.local = address;
        return add(quic::Endpoint::client(std::move(client), std::move(config)).value(), address);
    }
    Host& add_client() {
        return add_client({.trust = quic::Trust::insecure()}, config(100 + hosts.size()));
    }

    Host& add(quic::Endpoint endpoint, quic::SocketAddress address) {
        hosts.push_back(std::make_unique<Host>(Host{std::move(endpoint), address, address}));
        return *hosts.back();
    }

    /// Everything that happens at one moment: applications, packets out.
    void flush() {
        for (auto& host : hosts) {
            process(*host);
            transmit(*host);
            process(*host);
        }
    }

    /// As `step`, but lets no application read its events.
    bool step_network(TimePoint until) {
        for (auto& host : hosts) transmit(*host);
        return advance(until);
    }

    /// Moves to the next moment at which something happens. False if nothing ever will.
    bool step(TimePoint until) {
        flush();
        if (!advance(until)) return false;
        flush();
        return true;
    }

    void run_for(Duration time) {
        const TimePoint until = now + time;
        while (step(until)) {
        }
    }

    /// Runs until `done`, at most for that long. True if it was done.
    template <class Done>
    bool run_until(Done done, Duration time = std::chrono::seconds{60}) {
        const TimePoint until = now + time;
        flush();
        while (!done()) {
            if (!step(until)) return done();
        }
        return true;
    }

    DatagramLink link;
    TimePoint now{std::chrono::seconds{1000}};
    std::vector<std::unique_ptr<Host>> hosts;
    std::function<void(DatagramLink::Letter&)> tamper;     ///< Sees every letter that arrives.
    std::function<void(const DatagramLink::Letter&)> spy;  ///< Sees every letter that is sent.
    /// Which of the hosts of one address, from 0 on in their order, a letter goes to.
    std::function<std::size_t(const DatagramLink::Letter&)> steer;

private:
    bool advance(TimePoint until) {
        std::optional<TimePoint> next = link.next_arrival();
        for (auto& host : hosts) next = earlier(next, host->endpoint.next_deadline());
        if (!next || *next > until) {
            if (until != TimePoint::max()) now = std::max(now, until);
            return false;
        }
        now = std::max(now, *next);
        while (auto letter = link.receive(now)) arrive(std::move(*letter));
        for (auto& host : hosts) host->endpoint.handle_timeout(now);
        for (auto& host : hosts) transmit(*host);
        return true;
    }

    void transmit(Host& host) {
        while (const auto transmit = host.endpoint.poll_transmit(now)) send(host, *transmit);
    }

    void send(Host& host, const quic::Transmit& transmit) {
        BytesView rest = transmit.bytes;
        while (!rest.empty()) {
            const std::size_t size = std::min(transmit.segment_size, rest.size());
            const BytesView datagram = rest.first(size);
            DatagramLink::Letter letter{host.public_address, transmit.remote, transmit.ecn,
                                        Buffer(datagram.begin(), datagram.end())};
            if (spy) spy(letter);
            link.send(now, std::move(letter));
            rest = rest.subspan(size);
        }
    }

    void arrive(DatagramLink::Letter letter) {
        if (tamper) tamper(letter);
        std::size_t before = 0;
        const std::size_t place = steer ? steer(letter) : 0;
        for (auto& host : hosts) {
            if (!host->listening || !(host->public_address == letter.to)) continue;
            if (steer && before++ != place) continue;
            host->endpoint.handle_datagram({host->address, letter.from, letter.ecn, letter.bytes},
                                           now);
        }
    }

    void process(Host& host) {
        while (auto event = host.endpoint.poll_event()) {
            if (auto* data = std::get_if<StreamData>(&*event)) receive(host, *data);
            host.events.push_back(std::move(*event));
        }
    }

    void receive(Host& host, const StreamData& data) {
        host.bytes_received += data.bytes.size();
        if (host.text.size() < 10'000) host.text += to_string(data.bytes.view());
        host.last_data = data;
        if (host.consumes) host.endpoint.consume(data.connection, data.stream, data.bytes.size());
        if (host.echo) {
            (void)host.endpoint.write(data.connection, data.stream, data.bytes, data.fin);
        }
    }
};

template <class Event>
const Event* find_event(const Host& host) {
    for (const TransportEvent& event : host.events) {
        if (const auto* found = std::get_if<Event>(&event)) return found;
    }
    return nullptr;
}

/// That client's connection, once it is connected. Throws if it never is.
inline ConnectionId connected(World& world, Host& client) {
    const ConnectionId id = client.endpoint.connect(world.now).value();
    if (!world.run_until([&] { return find_event<Connected>(client) != nullptr; })) {
        throw std::runtime_error{"the client does not connect"};
    }
    return id;
}

template <class Event>
std::size_t count_events(const Host& host) {
    return static_cast<std::size_t>(std::count_if(
        host.events.begin(), host.events.end(),
        [](const TransportEvent& event) { return std::holds_alternative<Event>(event); }));
}

}  // namespace quicchat::test
