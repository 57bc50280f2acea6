#include "server_runner.hpp"

#include <utility>

namespace quicchat::python {

ServerRunner::ServerRunner(std::unique_ptr<ServerDriver> driver, std::shared_ptr<ServerPort> port,
                           Duration drain_timeout)
    : driver_(std::move(driver)),
      server_(driver_->app()),
      port_(std::move(port)),
      drain_timeout_(drain_timeout) {}

int ServerRunner::fd() const { return driver_->fd(); }
bool ServerRunner::wants_write() const { return driver_->wants_write(); }
std::optional<TimePoint> ServerRunner::next_deadline() const { return driver_->next_deadline(); }

void ServerRunner::turn(Now now) {
    if (port_->stop_asked.load()) server_.shutdown(now);
    const std::error_code error = driver_->turn(now);
    deliver();
    port_->connections.store(server_.connection_count());
    if (finished_ || !(error || server_.finished())) return;
    if (error) port_->inbox.push(ServerFailed{Errc::transport_failed, error.message()}, 256);
    finished_ = true;
    port_->inbox.push(ServerStopped{}, 64);
}

/// Nobody waits for clients that drain when the process ends: the server is told that the time for
/// it is over, so that it closes their connections.
void ServerRunner::abandon(Now now) {
    server_.shutdown(now);
    (void)driver_->turn(now);
    (void)driver_->turn({now.steady + drain_timeout_, now.wall});
}

/// Events of a server need no answer: while nobody reads them the server drops the oldest, and its
/// clients notice nothing.
void ServerRunner::deliver() {
    while (port_->inbox.has_room()) {
        std::optional<ServerEvent> event = server_.poll_event();
        if (!event) return;
        port_->inbox.push(*std::move(event), 256);
    }
}

}  // namespace quicchat::python
