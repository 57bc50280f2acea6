#include "probe.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "failure.hpp"
#include "quicchat/quic/run.hpp"
#include "trust.hpp"

namespace quicchat::python {

Probe::Probe(ProbeOptions options) : begun_at_(quic::read_clock().steady) {
    quic::Destination destination{.host = options.host, .port = options.port};
    for (const std::string& text : options.addresses) {
        const auto address = quic::SocketAddress::parse(text);
        if (!address) throw CoreFailure{std::make_error_code(std::errc::invalid_argument)};
        destination.known.push_back(*address);
    }
    auto dialler = value_or_throw(quic::Dialler::create(std::move(destination)));
    quic::ClientConfig target{
        .routes_later = true,
        .server_name = std::move(options.host),
        .trust = make_trust(options.trust, std::move(options.pem), options.keys)};
    quic::Config config{.alpn = {std::move(options.alpn)}};
    config.limits.handshake_timeout = options.timeout;
    auto endpoint = value_or_throw(quic::Endpoint::client(std::move(target), std::move(config)));
    driver_ =
        std::make_unique<quic::ClientDriver<App>>(std::move(dialler), App{std::move(endpoint)});
}

/// A server should not wait for somebody who has gone.
Probe::~Probe() {
    if (app().connected && !app().reason) {
        driver_->app().endpoint.close(app().connected->connection, Errc::closed, "");
        (void)driver_->turn(quic::read_clock());
    }
}

void Probe::step(Duration patience) { run(patience, true); }

void Probe::stay(Duration patience) { run(patience, false); }

std::optional<PathStats> Probe::path() const {
    if (!app().connected) return std::nullopt;
    return app().endpoint.path_stats(app().connected->connection);
}

void Probe::App::process(Now now) {
    if (!std::exchange(dialled, true)) (void)endpoint.connect(now.steady);
    while (auto event = endpoint.poll_event()) {
        if (auto* news = std::get_if<Connected>(&*event)) {
            certificate = endpoint.peer_certificate(news->connection);
            connected = std::move(*news);
        } else if (auto* end = std::get_if<Disconnected>(&*event)) {
            reason = std::move(end->reason);
        } else {
            continue;
        }
        if (over_at == TimePoint{}) over_at = now.steady;
    }
}

void Probe::run(Duration patience, bool until_over) {
    const TimePoint end = quic::read_clock().steady + patience;
    for (;;) {
        (void)driver_->turn(quic::read_clock());
        const TimePoint now = quic::read_clock().steady;
        if (now >= end || app().reason || (until_over && is_over())) return;
        const TimePoint next = std::min(end, driver_->next_deadline().value_or(end));
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now);
        pollfd readable{driver_->fd(), POLLIN, 0};
        ::poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
    }
}

}  // namespace quicchat::python
