#include "server_runner.hpp"

#include <utility>

#include "failure.hpp"

namespace quicchat::python {

ServerRunner::ServerRunner(ServerParts parts, std::shared_ptr<ServerPort> port)
    : parts_(std::move(parts)), server_(parts_.driver->app()), port_(std::move(port)) {}

ServerRunner::~ServerRunner() {
    port_->end_errands();
    parts_ = {};
    port_->inbox.push(ServerStopped{}, 64);
}

int ServerRunner::fd() const { return parts_.driver->fd(); }
std::array<int, 2> ServerRunner::wake_fds() const { return parts_.driver->wake_fds(); }
bool ServerRunner::wants_write() const { return parts_.driver->wants_write(); }
std::optional<TimePoint> ServerRunner::next_deadline() const {
    return parts_.driver->next_deadline();
}

void ServerRunner::turn(Now now) {
    if (port_->stop_asked.load()) server_.shutdown(now);
    give_answers();
    do_errands();
    const std::error_code error = parts_.driver->turn(now);
    watch_store(now);
    ask();
    if (parts_.checks_messages) ask_about_messages();
    deliver();
    port_->connections.store(server_.connection_count());
    if (error) fail({Errc::transport_failed, error.message()});
    finished_ = error || server_.finished();
}

/// Nobody waits for clients that drain when the process ends: the server is told that the time for
/// it is over, so that it closes their connections.
void ServerRunner::abandon(Now now) {
    server_.shutdown(now);
    (void)parts_.driver->turn(now);
    (void)parts_.driver->turn({now.steady + parts_.drain_timeout, now.wall});
}

void ServerRunner::take_settings(const ServerSettings& next) {
    const ServerConfig config{.rooms = next.rooms,
                              .operators = next.operators,
                              .anybody_makes_rooms = next.anybody_makes_rooms,
                              .limits = next.limits};
    if (const Errc errc = server_.reload(config, read_clock()); errc != Errc{}) {
        throw CoreFailure{errc};
    }
    parts_.drain_timeout = next.limits.drain_timeout;
    quic::Endpoint& endpoint = server_.transport();
    endpoint.set_limits(next.limits);
    const auto error = endpoint.set_certificate(next.certificate_pem, next.key_pem);
    if (error) throw CoreFailure{error};  // was tried before
}

void ServerRunner::do_errands() {
    for (ServerErrand& errand : port_->take_errands()) errand(*this);
}

void ServerRunner::give_answers() {
    if (parts_.hook) {
        for (LoginAnswer& answer : port_->take_answers()) {
            parts_.hook->answer(answer.ticket, std::move(answer.decision));
        }
    }
    if (!parts_.checks_messages) return;
    for (CheckAnswer& answer : port_->take_check_answers()) {
        server_.answer(answer.ticket, std::move(answer.decision));
    }
}

/// The server itself finds out with the next message that it cannot store; logins need no message.
void ServerRunner::watch_store(Now now) {
    if (failed_ || parts_.store == nullptr) return;
    const std::optional<StorageError> trouble = parts_.store->trouble();
    if (trouble.has_value() != in_trouble_ && port_->inbox.has_room()) {
        in_trouble_ = trouble.has_value();
        const StorageError news = trouble.value_or(StorageError{Errc{}, ""});
        port_->inbox.push(ServerEvent{StorageTrouble{news.errc, news.text}}, 256);
    }
    const std::optional<StorageError> failure = parts_.store->failure();
    if (!failure) return;
    fail({failure->errc, failure->text});
    server_.shutdown(now);
}

/// Why the server stops. The first reason is the one that people should know.
void ServerRunner::fail(ServerFailed failure) {
    if (std::exchange(failed_, true)) return;
    port_->inbox.push(ServerEvent{std::move(failure)}, 256);
}

/// Events of a server need no answer: while nobody reads them the server drops the oldest, and its
/// clients notice nothing.
void ServerRunner::deliver() {
    while (port_->inbox.has_room()) {
        std::optional<ServerEvent> event = server_.poll_event();
        if (!event) return;
        if (auto* failure = std::get_if<ServerFailed>(&*event)) {
            fail(std::move(*failure));
        } else {
            port_->inbox.push(*std::move(event), 256);
        }
    }
}

void ServerRunner::ask() {
    while (parts_.hook && port_->inbox.has_room()) {
        std::optional<DeferredQuestion> question = parts_.hook->poll_question();
        if (!question) return;
        port_->inbox.push(*std::move(question), 512);
    }
}

/// A question that finds no room here waits in the server, where its time goes on.
void ServerRunner::ask_about_messages() {
    while (port_->inbox.has_room()) {
        std::optional<CheckQuestion> question = server_.poll_question();
        if (!question) return;
        const MessageQuestion& q = question->question;
        const std::size_t bytes = 512 + q.text.size() + q.attributes.size();
        port_->inbox.push(*std::move(question), bytes);
    }
}

}  // namespace quicchat::python
