#pragma once

#include "quicchat/memory/core.hpp"

namespace quicchat::memory::detail {

QUICCHAT_DECL void Core::remove_endpoint(Endpoint endpoint) {
    EndpointState& state = *endpoints_[endpoint];
    state.alive = false;
    // In the order of dialling, not in that of the hash table.
    std::vector<std::uint64_t> numbers;
    for (const auto& entry : state.connections) numbers.push_back(entry.second->number);
    std::sort(numbers.begin(), numbers.end());
    for (const std::uint64_t number : numbers) {
        Connection* connection = find_number(number);
        end(*connection, state.role, {});
        connection = find_number(number);
        if (connection == nullptr) continue;  // the peer was gone already
        connection->severed = true;
        const Role peer = other(state.role);
        const bool dialling = !connection->end(peer).connected;
        const Limits& limits = endpoint_of(*connection, peer).limits;
        schedule_at(now_ + (dialling ? limits.handshake_timeout : limits.idle_timeout), *connection,
                    {.kind = Kind::lost,
                     .to = peer,
                     .errc = dialling ? Errc::handshake_timeout : Errc::idle_timeout});
    }
    state.events.clear();
}

QUICCHAT_DECL std::optional<Core::Endpoint> Core::listener(std::string_view address) const {
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
        const EndpointState& state = *endpoints_[i];
        if (state.alive && state.role == Role::server && state.address == address) {
            return static_cast<Endpoint>(i);
        }
    }
    return std::nullopt;
}

QUICCHAT_DECL Result<ConnectionId> Core::connect(Endpoint endpoint, TimePoint now) {
    EndpointState& state = *endpoints_[endpoint];
    if (state.role != Role::client) return Errc::invalid_request;
    auto owned = std::make_unique<Connection>();
    Connection& connection = *owned;
    connection.number = ++dialled_;
    connection.bytes_until_cut = config.cut_after_bytes;
    connection.page = config.page;
    connections_.emplace(connection.number, std::move(owned));
    ConnectionEnd& client = connection.end(Role::client);
    client.endpoint = endpoint;
    client.id = ConnectionId{state.next_connection++};
    state.connections.emplace(client.id, &connection);
    connection.end(Role::server).state = State::ended;  // until a listener took it

    const TimePoint start = std::max(now, now_);
    const std::optional<Endpoint> found = listener(state.address);
    if (config.dialling == Dialling::unanswered) {
        schedule_at(start + state.limits.handshake_timeout, connection,
                    {.kind = Kind::lost, .to = Role::client, .errc = Errc::handshake_timeout});
    } else if (config.dialling == Dialling::refused || !found) {
        schedule_at(start + draw_delay() + draw_delay(), connection,
                    {.kind = Kind::refused, .to = Role::client});
    } else {
        connection.end(Role::server).endpoint = *found;
        schedule_at(start + draw_delay(), connection, {.kind = Kind::request, .to = Role::server});
    }
    return client.id;
}

QUICCHAT_DECL Result<StreamId> Core::open_stream(Endpoint endpoint, ConnectionId id) {
    const Place place = find_open(endpoint, id);
    if (!place) return Errc::not_ready;
    // Only clients open streams (PROTOCOL.md §2); QUIC servers get no credit for it either.
    if (place.role == Role::server) return Errc::too_many_streams;
    Connection& connection = *place.connection;
    if (connection.streams_opened == connection.streams_max) return Errc::too_many_streams;
    const StreamId stream{4 * connection.streams_opened++};  // RFC 9000 §2.1
    const auto [entry, added] = connection.streams.try_emplace(
        stream, endpoint_of(connection, Role::server).limits.stream_receive_window,
        endpoint_of(connection, Role::client).limits.stream_receive_window);
    assert(added);
    entry->second.end(Role::client).known = true;
    return stream;
}

QUICCHAT_DECL Result<Backlog> Core::write(Endpoint endpoint, ConnectionId id, StreamId stream,
                                          Bytes bytes, bool fin) {
    const Place place = find_open(endpoint, id);
    Stream* found = place ? place.connection->find(stream) : nullptr;
    if (found == nullptr || !found->writable(place.role)) return Errc::not_ready;
    Link& link = found->from(place.role);
    place.end().unacknowledged += bytes.size();
    endpoints_[endpoint]->unacknowledged += bytes.size();
    link.write(std::move(bytes), fin);
    if (link.backlog() >= endpoints_[endpoint]->limits.stream_backlog_bytes_max) {
        found->end(place.role).backlogged = true;
    }
    queue(*place.connection, place.role, stream, *found);
    return Backlog{link.backlog()};
}

QUICCHAT_DECL void Core::reset_stream(Endpoint endpoint, ConnectionId id, StreamId stream,
                                      std::uint64_t code) {
    const Place place = find_open(endpoint, id);
    Stream* found = place ? place.connection->find(stream) : nullptr;
    if (found == nullptr || !found->end(place.role).known) return;
    StreamEnd& mine = found->end(place.role);
    if (mine.reset || found->finished(place.role)) return;
    mine.reset = mine.end_read = true;
    let_go(*place.connection, place.role, found->from(place.role).backlog());
    found->from(place.role).drop_backlog();
    found->from(other(place.role)).drop_in_flight();
    forget_events(*endpoints_[endpoint], [&](const TransportEvent& event) {
        if (const auto* data = std::get_if<StreamData>(&event)) {
            return data->connection == id && data->stream == stream;
        }
        if (const auto* writable = std::get_if<Writable>(&event)) {
            return writable->connection == id && writable->stream == stream;
        }
        return false;
    });
    place.end().resets.emplace_back(stream, code);
    need_turn(*place.connection, place.role);
    retire(*place.connection, stream, *found);
}

QUICCHAT_DECL Backlog Core::backlog(Endpoint endpoint, ConnectionId id, StreamId stream) const {
    const Place place = find_open(endpoint, id);
    Stream* found = place ? place.connection->find(stream) : nullptr;
    return {found != nullptr ? found->from(place.role).backlog() : 0};
}

QUICCHAT_DECL std::size_t Core::unacknowledged(Endpoint endpoint, ConnectionId id) const {
    const Place place = find_open(endpoint, id);
    return place ? place.end().unacknowledged : 0;
}

QUICCHAT_DECL std::size_t Core::unacknowledged(Endpoint endpoint) const {
    return endpoints_[endpoint]->unacknowledged;
}

QUICCHAT_DECL void Core::consume(Endpoint endpoint, ConnectionId id, StreamId stream,
                                 std::size_t bytes) {
    const Place place = find_open(endpoint, id);
    Stream* found = place ? place.connection->find(stream) : nullptr;
    if (found == nullptr) return;
    StreamEnd& mine = found->end(place.role);
    const std::size_t consumed = found->from(other(place.role)).consume(bytes);
    if (consumed == 0) return;
    if (mine.credit_due == 0) place.end().credits.push_back(stream);
    mine.credit_due += consumed;
    need_turn(*place.connection, place.role);
    retire(*place.connection, stream, *found);
}

QUICCHAT_DECL bool Core::send_datagram(Endpoint endpoint, ConnectionId id, Bytes bytes) {
    const Place place = find_open(endpoint, id);
    if (!place || bytes.size() > config.datagram_bytes_max) return false;
    if (place.end().datagrams.size() == datagrams_waiting_max) return false;
    place.end().datagrams.push_back(std::move(bytes));
    need_turn(*place.connection, place.role);
    return true;
}

QUICCHAT_DECL Result<ChannelBinding> Core::channel_binding(Endpoint endpoint,
                                                           ConnectionId id) const {
    const Place place = find_open(endpoint, id);
    if (!place) return Errc::not_ready;
    const bool is_page = place.role == Role::client && place.connection->page.has_value();
    if (config.channel_binding_fails || is_page) return Errc::transport_failed;
    Random random{config.seed ^ (place.connection->number * 0x9e3779b97f4a7c15)};
    ChannelBinding binding;
    for (std::byte& byte : binding) byte = static_cast<std::byte>(random.draw(0, 255));
    return binding;
}

QUICCHAT_DECL void Core::close(Endpoint endpoint, ConnectionId id, Errc why,
                               std::string_view text) {
    const Place place = find(endpoint, id);
    if (!place || place.end().state == State::closing) return;
    ConnectionEnd& end = place.end();
    // A server's application does not know the connection before Connected.
    if (end.state == State::dialling && place.role == Role::server) return;
    end.close_reason.errc = why;
    end.close_reason.text = text.substr(0, error_text_bytes_max);
    end.state = State::closing;
    forget_events(*endpoints_[endpoint], [&](const TransportEvent& event) {
        return std::visit([&](const auto& e) { return e.connection == id; }, event);
    });
    need_turn(*place.connection, place.role);
}

QUICCHAT_DECL std::optional<TransportEvent> Core::poll_event(Endpoint endpoint) {
    std::deque<TransportEvent>& events = endpoints_[endpoint]->events;
    if (events.empty()) {
        endpoints_[endpoint]->has_news = false;
        return std::nullopt;
    }
    TransportEvent event = std::move(events.front());
    events.pop_front();
    note_read(endpoint, event);
    return event;
}

/// A stream counts as finished only when the application knows, so that a peer cannot fill our
/// memory with news about ever new streams.
QUICCHAT_DECL void Core::note_read(Endpoint endpoint, const TransportEvent& event) {
    if (std::holds_alternative<DatagramReceived>(event)) --endpoints_[endpoint]->datagrams_waiting;
    ConnectionId id{};
    StreamId stream{};
    if (const auto* data = std::get_if<StreamData>(&event); data != nullptr && data->fin) {
        id = data->connection;
        stream = data->stream;
    } else if (const auto* reset = std::get_if<StreamReset>(&event)) {
        id = reset->connection;
        stream = reset->stream;
    } else {
        return;
    }
    const Place place = find_open(endpoint, id);
    Stream* found = place ? place.connection->find(stream) : nullptr;
    if (found == nullptr) return;
    found->end(place.role).end_read = true;
    retire(*place.connection, stream, *found);
}

QUICCHAT_DECL std::optional<TimePoint> Core::next_deadline(Endpoint endpoint) const {
    if (endpoints_[endpoint]->has_news) return now_;
    return schedule_.next(endpoint);
}

QUICCHAT_DECL std::optional<std::uint64_t> Core::number_of(Endpoint endpoint,
                                                           ConnectionId id) const {
    const Place place = find(endpoint, id);
    if (!place) return std::nullopt;
    return place.connection->number;
}

template <class Predicate>
void Core::forget_events(EndpointState& endpoint, Predicate predicate) {
    std::erase_if(endpoint.events, predicate);
    endpoint.datagrams_waiting = static_cast<std::size_t>(std::count_if(
        endpoint.events.begin(), endpoint.events.end(),
        [](const auto& event) { return std::holds_alternative<DatagramReceived>(event); }));
}

QUICCHAT_DECL void Core::stall(std::uint64_t number) {
    Connection* connection = find_number(number);
    if (connection == nullptr || connection->stalled) return;
    connection->stalled = true;
    ++connection->stalls;
    for (const Role role : both_roles) {
        const ConnectionEnd& end = connection->end(role);
        if (end.state == State::ended) continue;
        const Limits& limits = endpoint_of(*connection, role).limits;
        const bool dialling = end.state == State::dialling;
        schedule_at(now_ + (dialling ? limits.handshake_timeout : limits.idle_timeout), *connection,
                    {.kind = Kind::idle,
                     .to = role,
                     .errc = dialling ? Errc::handshake_timeout : Errc::idle_timeout,
                     .number = connection->stalls});
    }
}

QUICCHAT_DECL void Core::resume(std::uint64_t number) {
    Connection* connection = find_number(number);
    if (connection == nullptr) return;
    connection->stalled = false;
    for (Happening& happening : std::exchange(connection->held, {})) {
        schedule_at(now_, *connection, std::move(happening));
    }
}

QUICCHAT_DECL void Core::stall_stream(std::uint64_t number, StreamId stream, bool stalled) {
    Connection* connection = find_number(number);
    Stream* found = connection != nullptr ? connection->find(stream) : nullptr;
    if (found == nullptr) return;
    for (Link& link : found->links) link.stall(stalled);
    if (stalled || connection->stalled) return;
    for (Happening& happening : std::exchange(connection->held, {})) {
        schedule_at(now_, *connection, std::move(happening));
    }
}

QUICCHAT_DECL void Core::cut(std::uint64_t number) {
    if (Connection* connection = find_number(number)) lose(*connection);
}

QUICCHAT_DECL void Core::cut_after(std::uint64_t number, std::size_t bytes) {
    if (Connection* connection = find_number(number)) connection->bytes_until_cut = bytes;
}

}  // namespace quicchat::memory::detail
