#include "server_runner.hpp"

#include <chrono>
#include <utility>
#include <variant>

#include "failure.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/quic/run.hpp"
#include "storage.hpp"

namespace quicchat::python {
namespace {

/// Of one of so many shards. The pairs were tried before.
std::error_code take_transport_settings(quic::WebTransport& transport, const ServerSettings& next,
                                        std::size_t shards) {
    transport.set_config({.path = next.web.path, .origins = next.web.origins});
    quic::Endpoint& endpoint = transport.inner();
    endpoint.set_limits(quic::limits_of_shard(next.limits, shards));
    if (const auto error = endpoint.set_certificate(next.certificate_pem, next.key_pem)) {
        return error;
    }
    return endpoint.set_http3_certificate(next.web_certificate_pem, next.web_key_pem);
}

}  // namespace

template <class Driver>
ServerRunnerOf<Driver>::ServerRunnerOf(ServerParts<Driver> parts, std::shared_ptr<ServerPort> port)
    : parts_(std::move(parts)), server_(parts_.driver->app()), port_(std::move(port)) {}

template <class Driver>
ServerRunnerOf<Driver>::~ServerRunnerOf() {
    port_->end_errands();
    parts_ = {};
    port_->inbox.push(ServerStopped{}, 64);
}

template <class Driver>
int ServerRunnerOf<Driver>::fd() const {
    return parts_.driver->fd();
}
template <class Driver>
std::array<int, 2> ServerRunnerOf<Driver>::wake_fds() const {
    return parts_.driver->wake_fds();
}
template <class Driver>
bool ServerRunnerOf<Driver>::wants_write() const {
    return parts_.driver->wants_write();
}
template <class Driver>
std::optional<TimePoint> ServerRunnerOf<Driver>::next_deadline() const {
    if (port_->has_questions() && port_->inbox.has_room()) return now_.steady;
    return parts_.driver->next_deadline();
}

template <class Driver>
void ServerRunnerOf<Driver>::turn(Now now) {
    now_ = now;
    if (port_->stop_asked.load()) server_.shutdown(now);
    give_answers();
    do_errands();
    const std::error_code error = parts_.driver->turn(now);
    watch_store();
    ask();
    if (parts_.checks_messages) ask_about_messages();
    tell_outcomes();
    tell_news();
    tell_told();
    tell_people();
    deliver();
    port_->connections.store(server_.connection_count());
    if (error) fail({Errc::transport_failed, error.message()});
    finished_ = error || server_.finished();
}

/// Nobody waits for clients that drain when the process ends: the server is told that the time for
/// it is over, so that it closes their connections.
template <class Driver>
void ServerRunnerOf<Driver>::abandon(Now now) {
    server_.shutdown(now);
    (void)parts_.driver->turn(now);
    (void)parts_.driver->turn({now.steady + parts_.drain_timeout, now.wall});
}

template <class Driver>
const AccountStore& ServerRunnerOf<Driver>::accounts() const {
    static const AccountStore none;
    return parts_.book ? parts_.book->accounts() : none;
}

template <class Driver>
void ServerRunnerOf<Driver>::replace_accounts(AccountStore next) {
    if (parts_.memory_book) parts_.memory_book->replace(std::move(next));
}

template <class Driver>
void ServerRunnerOf<Driver>::take_settings(const ServerSettings& next) {
    const ServerConfig config{.rooms = next.rooms,
                              .operators = next.operators,
                              .anybody_makes_rooms = next.anybody_makes_rooms,
                              .limits = next.limits};
    if (const Errc errc = server_.reload(config, now_); errc != Errc{}) {
        throw CoreFailure{errc};
    }
    parts_.drain_timeout = next.limits.drain_timeout;
    if (parts_.passwords) parts_.passwords->allow_page_passwords(next.web.passwords);
    if (parts_.tickets) parts_.tickets->set_rules(make_ticket_rules(next.web.tickets));
    if constexpr (requires { parts_.driver->for_each_shard([](auto&) {}); }) {
        std::error_code error;
        const std::size_t count = server_.transport().shards();
        server_.transport().set_limits(next.limits);
        parts_.driver->for_each_shard([&](quic::WebTransport& transport) {
            if (!error) error = take_transport_settings(transport, next, count);
        });
        if (error) throw CoreFailure{error};
    } else if constexpr (requires { quic::endpoint_below(server_.transport()); }) {
        const auto error = take_transport_settings(server_.transport(), next, 1);
        if (error) throw CoreFailure{error};
    }
}

template <class Driver>
void ServerRunnerOf<Driver>::do_errands() {
    for (ServerErrand& errand : port_->take_errands()) errand(*this);
    // Then the server has its turn, and what is left comes before the next one: whoever asks much
    // of the program holds up nobody else.
    constexpr Duration share = std::chrono::milliseconds{2};
    const TimePoint begin = quic::read_clock().steady;
    while (port_->inbox.has_room()) {
        std::optional<ServerErrand> question = port_->take_question();
        if (!question) return;
        (*question)(*this);
        if (quic::read_clock().steady - begin > share) return;
    }
}

/// So that pages of long texts fill the inbox, and not the memory.
template <class Driver>
void ServerRunnerOf<Driver>::answer(ServerAnswer answer) {
    std::size_t bytes = 512;
    if (const auto* page = std::get_if<ServerPage>(&answer.what)) {
        for (const RoomRecord& record : page->records) {
            bytes += std::visit(
                [](const auto& r) { return 256 + r.text.size() + r.attributes.size(); }, record);
        }
    }
    if (const auto* piece = std::get_if<Bytes>(&answer.what)) bytes += piece->size();
    port_->inbox.push(std::move(answer), bytes);
}

template <class Driver>
void ServerRunnerOf<Driver>::give_answers() {
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
template <class Driver>
void ServerRunnerOf<Driver>::watch_store() {
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
    server_.shutdown(now_);
}

/// Why the server stops. The first reason is the one that people should know.
template <class Driver>
void ServerRunnerOf<Driver>::fail(ServerFailed failure) {
    if (std::exchange(failed_, true)) return;
    port_->inbox.push(ServerEvent{std::move(failure)}, 256);
}

/// Events of a server need no answer: while nobody reads them the server drops the oldest, and its
/// clients notice nothing.
template <class Driver>
void ServerRunnerOf<Driver>::deliver() {
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

template <class Driver>
void ServerRunnerOf<Driver>::ask() {
    while (parts_.hook && port_->inbox.has_room()) {
        std::optional<DeferredQuestion> question = parts_.hook->poll_question();
        if (!question) return;
        port_->inbox.push(*std::move(question), 512);
    }
}

/// A question that finds no room here waits in the server, where its time goes on.
template <class Driver>
void ServerRunnerOf<Driver>::ask_about_messages() {
    while (port_->inbox.has_room()) {
        std::optional<CheckQuestion> question = server_.poll_question();
        if (!question) return;
        const MessageQuestion& q = question->question;
        const std::size_t bytes = 512 + q.text.size() + q.attributes.size();
        port_->inbox.push(*std::move(question), bytes);
    }
}

/// Each is of something that was asked, so there are no more than that.
template <class Driver>
void ServerRunnerOf<Driver>::tell_outcomes() {
    while (const std::optional<ProgramOutcome> outcome = server_.poll_outcome()) {
        if (outcome->error == Errc{}) {
            answer({outcome->ticket, outcome->ack});
        } else {
            answer({outcome->ticket, outcome->error});
        }
    }
    while (std::optional<ProgramFileOutcome> outcome = server_.poll_file_outcome()) {
        const std::uint64_t ticket = outcome->ticket;
        match(std::move(outcome->what), [&](auto&& what) {
            answer({ticket, std::forward<decltype(what)>(what)});
        });
    }
}

/// Each name once, so there are no more than rooms of the speaker.
template <class Driver>
void ServerRunnerOf<Driver>::tell_told() {
    while (port_->inbox.has_room()) {
        std::optional<std::string> room = server_.poll_told();
        if (!room) return;
        port_->inbox.push(ToldNews{*std::move(room)}, 256);
    }
}

/// Each account once, however often it came and went.
template <class Driver>
void ServerRunnerOf<Driver>::tell_people() {
    while (port_->inbox.has_room()) {
        std::optional<PersonReport> person = server_.poll_person();
        if (!person) return;
        port_->inbox.push(PersonNews{*std::move(person)}, 256);
    }
}

template <class Driver>
void ServerRunnerOf<Driver>::watch(const std::string& room) {
    const auto place = server_.room_admin().place(room);
    // What another reader has not been told yet stays to be told.
    watched_.try_emplace(canonical_name(room), place ? place->second : LogHead{});
    rooms_changed_ = true;
}

/// Of each room the newest only: what lags behind reads the log.
template <class Driver>
void ServerRunnerOf<Driver>::tell_news() {
    const std::uint64_t stored = server_.records_stored();
    if (stored == told_ && !rooms_changed_) return;
    for (auto next = watched_.begin(); next != watched_.end();) {
        const auto watched = next++;
        if (!port_->inbox.has_room()) return;
        const auto place = server_.room_admin().place(watched->first);
        if (!place) {
            port_->inbox.push(RoomNews{watched->first, {}, true}, 256);
            watched_.erase(watched);
        } else if (place->second.head != watched->second.head ||
                   place->second.epoch != watched->second.epoch) {
            watched->second = place->second;
            port_->inbox.push(RoomNews{watched->first, place->second, false}, 256);
        }
    }
    told_ = stored;
    rooms_changed_ = false;
}

template class ServerRunnerOf<ServerDriver>;
template class ServerRunnerOf<ShardedServerDriver>;
template class ServerRunnerOf<MemoryServerDriver>;

}  // namespace quicchat::python
