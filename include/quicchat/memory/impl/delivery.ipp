#pragma once

#include <cstring>

#include "quicchat/memory/core.hpp"

namespace quicchat::memory::detail {

QUICCHAT_DECL void Core::advance_to(TimePoint now) {
    while (true) {
        const std::optional<TimePoint> next = schedule_.next();
        if (!next || *next > now) break;
        auto [at, happening] = schedule_.take();
        now_ = std::max(now_, at);
        happen(happening);
    }
    now_ = std::max(now_, now);
}

QUICCHAT_DECL Duration Core::draw_delay() {
    return Duration{static_cast<Duration::rep>(
        random_.draw(static_cast<std::uint64_t>(config.delay_min.count()),
                     static_cast<std::uint64_t>(config.delay_max.count())))};
}

QUICCHAT_DECL void Core::schedule_at(TimePoint at, Connection& connection, Happening happening) {
    happening.connection = connection.number;
    schedule_.add(connection.end(happening.to).endpoint, at, std::move(happening));
}

QUICCHAT_DECL void Core::send(Connection& connection, Happening happening) {
    const TimePoint at = std::max(now_ + draw_delay(), connection.end(happening.to).not_before);
    schedule_at(at, connection, std::move(happening));
}

QUICCHAT_DECL void Core::need_turn(Connection& connection, Role role) {
    ConnectionEnd& end = connection.end(role);
    if (std::exchange(end.turn_is_due, true)) return;
    schedule_at(now_, connection, {.kind = Kind::turn, .to = role});
}

/// Notes that a stream has something to send, if its window permits.
QUICCHAT_DECL void Core::queue(Connection& connection, Role role, StreamId id, Stream& stream) {
    StreamEnd& mine = stream.end(role);
    const Link& link = stream.from(role);
    const bool fin = link.fin_written() && !link.fin_sent() && link.backlog() == 0;
    if (mine.queued || mine.reset || (link.sendable() == 0 && !fin)) return;
    mine.queued = true;
    connection.end(role).sendable.push_back(id);
    need_turn(connection, role);
}

/// Forgets a stream, once both ends are through with it and all of it was consumed.
QUICCHAT_DECL void Core::retire(Connection& connection, StreamId id, Stream& stream) {
    if (!stream.finished(Role::client) || !stream.finished(Role::server)) return;
    if (!std::exchange(stream.retired, true)) {
        send(connection, {.kind = Kind::more_streams, .to = Role::client});
    }
    const bool was_reset = stream.end(Role::client).reset || stream.end(Role::server).reset;
    for (const Link& link : stream.links) {
        if (!was_reset && link.unconsumed() > 0) return;
    }
    for (const Role role : both_roles) {
        ConnectionEnd& end = connection.end(role);
        end.outstanding -= stream.from(role).outstanding();
        let_go(connection, role, stream.from(role).outstanding() + stream.from(role).backlog());
        if (!end.sendable.empty()) need_turn(connection, role);
    }
    connection.streams.erase(id);
}

/// Bytes of a stream are nobody's concern any more.
QUICCHAT_DECL void Core::let_go(Connection& connection, Role role, std::size_t bytes) {
    ConnectionEnd& end = connection.end(role);
    if (end.state == State::ended) return;  // all of them are counted out already
    end.unacknowledged -= bytes;
    endpoint_of(connection, role).unacknowledged -= bytes;
}

QUICCHAT_DECL void Core::happen(Happening& happening) {
    Connection* connection = find_number(happening.connection);
    if (connection == nullptr) return;
    if (crosses_the_wire(happening.kind)) {
        if (connection->severed) return;
        Stream* stream =
            happening.kind == Kind::piece ? connection->find(happening.stream) : nullptr;
        const bool stalled = stream != nullptr && stream->from(other(happening.to)).stalled();
        if (connection->stalled || stalled) {
            connection->held.push_back(std::move(happening));
            return;
        }
    }
    ++happened_;
    note(*connection, happening);
    dispatch(*connection, happening);
}

QUICCHAT_DECL void Core::dispatch(Connection& connection, Happening& happening) {
    const Role to = happening.to;
    const bool open = connection.end(to).state == State::open;
    switch (happening.kind) {
        case Kind::request:
            return take_request(connection);
        case Kind::accepted:
            return take_accepted(connection);
        case Kind::refused:
            if (connection.end(to).state == State::closing) return;
            return end(connection, to, {.errc = Errc::unreachable});
        case Kind::established:
            return take_established(connection);
        case Kind::piece:
            return open ? take_piece(connection, happening) : void();
        case Kind::credit:
            return open ? take_credit(connection, happening) : void();
        case Kind::reset:
            return open ? take_reset(connection, happening) : void();
        case Kind::more_streams:
            ++connection.streams_max;
            return;
        case Kind::datagram:
            return open ? take_datagram(connection, happening) : void();
        case Kind::closed:
            if (!open) return;  // our own close came first
            return end(connection, to,
                       {.errc = happening.errc,
                        .by_peer = true,
                        .text = to_string(happening.bytes.view())});
        case Kind::turn:
            return take_turn(connection, to);
        case Kind::lost:
            return end(connection, to, {.errc = happening.errc});
        case Kind::idle:
            return take_idle(connection, happening);
    }
}

QUICCHAT_DECL void Core::take_request(Connection& connection) {
    ConnectionEnd& server = connection.end(Role::server);
    EndpointState& state = endpoint_of(connection, Role::server);
    if (!state.alive || state.connections.size() >= state.limits.connections_max) {
        return send(connection, {.kind = Kind::refused, .to = Role::client});
    }
    server.state = State::dialling;
    server.id = ConnectionId{state.next_connection++};
    state.connections.emplace(server.id, &connection);
    const Limits& client_limits = endpoint_of(connection, Role::client).limits;
    server.window = client_limits.connection_receive_window;
    connection.end(Role::client).window = state.limits.connection_receive_window;
    connection.streams_max = state.limits.rooms_per_connection_max + streams_beside_rooms_max;
    send(connection, {.kind = Kind::accepted, .to = Role::client});
}

QUICCHAT_DECL void Core::take_accepted(Connection& connection) {
    ConnectionEnd& client = connection.end(Role::client);
    if (client.state != State::dialling) return;
    client.state = State::open;
    client.connected = true;
    report(connection, Role::client,
           Connected{client.id, endpoint_of(connection, Role::client).address, {}});
    ConnectionEnd& server = connection.end(Role::server);
    server.not_before = now_ + draw_delay();
    schedule_at(server.not_before, connection, {.kind = Kind::established, .to = Role::server});
}

QUICCHAT_DECL void Core::take_established(Connection& connection) {
    ConnectionEnd& server = connection.end(Role::server);
    if (server.state != State::dialling) return;
    server.state = State::open;
    server.connected = true;
    std::string from = endpoint_of(connection, Role::client).from;
    if (from.empty()) from = "memory:" + std::to_string(connection.number);
    Connected connected{server.id, std::move(from), {}};
    if (connection.page) {
        connected.alpn = http3_alpn;
        connected.certificate_hash = connection.page->certificate;
        connected.origin = connection.page->origin;
    }
    report(connection, Role::server, std::move(connected));
}

QUICCHAT_DECL void Core::take_piece(Connection& connection, Happening& happening) {
    Stream* stream = connection.find(happening.stream);
    if (stream == nullptr) return;
    const Role to = happening.to;
    Link& link = stream->from(other(to));
    if (stream->end(to).reset) return link.drop_in_flight();
    if (link.front() == nullptr) return;
    Piece piece = link.take();
    mix(piece.bytes.view());
    stream->end(to).known = true;
    std::optional<std::size_t>& until_cut = connection.bytes_until_cut;
    const bool cut_here = until_cut && piece.bytes.size() >= *until_cut;
    if (cut_here) {
        piece.fin = piece.fin && piece.bytes.size() == *until_cut;
        piece.bytes = piece.bytes.first(*until_cut);
    } else if (until_cut) {
        *until_cut -= piece.bytes.size();
    }
    if (!piece.bytes.empty() || piece.fin) {
        report(
            connection, to,
            StreamData{connection.end(to).id, happening.stream, std::move(piece.bytes), piece.fin});
    }
    if (cut_here) return lose(connection);
    if (const Piece* next = link.front()) {
        schedule_at(std::max(now_, next->arrival), connection, std::move(happening));
    }
}

QUICCHAT_DECL void Core::take_credit(Connection& connection, const Happening& happening) {
    Stream* stream = connection.find(happening.stream);
    if (stream == nullptr) return;  // all was given back when it was forgotten
    const auto bytes = static_cast<std::size_t>(happening.number);
    stream->from(happening.to).credit(bytes);
    ConnectionEnd& mine = connection.end(happening.to);
    mine.outstanding -= bytes;
    let_go(connection, happening.to, bytes);
    queue(connection, happening.to, happening.stream, *stream);
    if (!mine.sendable.empty()) need_turn(connection, happening.to);
}

QUICCHAT_DECL void Core::take_reset(Connection& connection, const Happening& happening) {
    Stream* stream = connection.find(happening.stream);
    const Role to = happening.to;
    if (stream == nullptr || stream->end(to).reset || stream->finished(to)) return;
    StreamEnd& mine = stream->end(to);
    mine.known = mine.reset = true;
    mine.backlogged = false;
    let_go(connection, to, stream->from(to).backlog());
    stream->from(to).drop_backlog();
    for (Link& link : stream->links) link.drop_in_flight();
    report(connection, to, StreamReset{connection.end(to).id, happening.stream, happening.number});
}

QUICCHAT_DECL void Core::take_datagram(Connection& connection, Happening& happening) {
    EndpointState& state = endpoint_of(connection, happening.to);
    if (state.datagrams_waiting == datagrams_waiting_max) return;
    ++state.datagrams_waiting;
    report(connection, happening.to,
           DatagramReceived{connection.end(happening.to).id, std::move(happening.bytes)});
}

QUICCHAT_DECL void Core::take_turn(Connection& connection, Role role) {
    ConnectionEnd& mine = connection.end(role);
    mine.turn_is_due = false;
    if (mine.state == State::closing) {
        if (!connection.severed && mine.connected) {
            Happening closed{.kind = Kind::closed, .to = other(role)};
            closed.errc = from_wire_code(wire_code(mine.close_reason.errc));
            Buffer text;
            append(text, as_bytes(mine.close_reason.text));
            closed.bytes = Bytes{std::move(text)};
            send(connection, std::move(closed));
        }
        return end(connection, role, std::move(mine.close_reason));
    }
    if (mine.state != State::open || connection.severed) return;
    send_small_things(connection, role);
    send_streams(connection, role);
}

QUICCHAT_DECL void Core::send_small_things(Connection& connection, Role role) {
    ConnectionEnd& mine = connection.end(role);
    const Role to = other(role);
    for (const auto& [stream, code] : std::exchange(mine.resets, {})) {
        send(connection, {.kind = Kind::reset, .to = to, .stream = stream, .number = code});
    }
    for (const StreamId id : std::exchange(mine.credits, {})) {
        Stream* stream = connection.find(id);
        if (stream == nullptr) continue;
        const std::size_t bytes = std::exchange(stream->end(role).credit_due, 0);
        send(connection, {.kind = Kind::credit, .to = to, .stream = id, .number = bytes});
    }
    for (Bytes& bytes : std::exchange(mine.datagrams, {})) {
        if (random_.chance(config.datagram_loss_percent)) continue;
        send(connection, {.kind = Kind::datagram, .to = to, .bytes = std::move(bytes)});
    }
}

QUICCHAT_DECL void Core::send_streams(Connection& connection, Role role) {
    std::deque<StreamId>& sendable = connection.end(role).sendable;
    for (std::size_t idle = 0; idle < sendable.size();) {
        const StreamId id = sendable.front();
        sendable.pop_front();
        Stream* stream = connection.find(id);
        if (stream == nullptr) continue;
        stream->end(role).queued = false;
        if (stream->end(role).reset) continue;
        // The first that the connection's window stops comes first when there is credit again.
        idle = send_stream(connection, role, id, *stream) ? 0 : idle + 1;
    }
}

/// Sends a turn's worth of one stream; false if nothing of it may be sent.
QUICCHAT_DECL bool Core::send_stream(Connection& connection, Role role, StreamId id,
                                     Stream& stream) {
    ConnectionEnd& mine = connection.end(role);
    const Role to = other(role);
    Link& link = stream.from(role);
    const bool was_idle = link.front() == nullptr;
    const bool had_fin = link.fin_sent();
    const std::size_t sent =
        link.transmit(now_, connection.end(to).not_before,
                      std::min(turn_bytes_max, mine.window - mine.outstanding), config, random_);
    mine.outstanding += sent;
    if (was_idle && link.front() != nullptr) {
        schedule_at(link.front()->arrival, connection,
                    {.kind = Kind::piece, .to = to, .stream = id});
    }
    StreamEnd& end = stream.end(role);
    const std::size_t low = endpoint_of(connection, role).limits.stream_backlog_bytes_max / 2;
    if (end.backlogged && link.backlog() < low) {
        end.backlogged = false;
        report(connection, role, Writable{mine.id, id});
    }
    if (link.sendable() > 0) {
        end.queued = true;
        mine.sendable.push_back(id);
    }
    const bool progress = sent > 0 || link.fin_sent() != had_fin;
    retire(connection, id, stream);  // last: the stream may be gone after it
    return progress;
}

QUICCHAT_DECL void Core::take_idle(Connection& connection, const Happening& happening) {
    if (!connection.stalled || connection.stalls != happening.number) return;
    // Who got connected in the meantime has a longer time; it is over soon enough.
    end(connection, happening.to, {.errc = happening.errc});
}

/// Nothing crosses the wire any more; either side notices in its own time.
QUICCHAT_DECL void Core::lose(Connection& connection) {
    if (std::exchange(connection.severed, true)) return;
    connection.held.clear();
    for (const Role role : both_roles) {
        if (connection.end(role).state == State::ended) continue;
        schedule_at(now_ + draw_delay(), connection,
                    {.kind = Kind::lost, .to = role, .errc = Errc::transport_failed});
    }
}

/// Ends one end. After it the connection may be gone.
QUICCHAT_DECL void Core::end(Connection& connection, Role role, CloseReason reason) {
    ConnectionEnd& mine = connection.end(role);
    if (mine.state == State::ended) return;
    let_go(connection, role, mine.unacknowledged);
    mine.state = State::ended;
    EndpointState& state = endpoint_of(connection, role);
    state.connections.erase(mine.id);
    // A server's application never heard of an attempt that did not succeed.
    if (role == Role::client || mine.connected) {
        reason.datagrams_received = mine.connected ? 1 : 0;
        report(connection, role, Disconnected{mine.id, std::move(reason)});
    }
    ConnectionEnd& peer = connection.end(other(role));
    if (role == Role::client && !mine.connected && peer.state == State::dialling) {
        return end(connection, Role::server, {});
    }
    if (peer.state == State::ended) connections_.erase(connection.number);
}

QUICCHAT_DECL void Core::note(const Connection& connection, const Happening& happening) {
    if (happening.kind == Kind::turn) return;  // nothing that anybody could see
    mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    mix(connection.number * 64 + static_cast<std::uint64_t>(happening.kind) * 2 +
        index(happening.to));
    mix(static_cast<std::uint64_t>(happening.stream));
    mix(happening.number);
    mix(happening.bytes.view());
}

QUICCHAT_DECL void Core::mix(std::uint64_t value) {
    trace_ = (trace_ ^ value) * 0x9e3779b97f4a7c15;
    trace_ ^= trace_ >> 29;
}

QUICCHAT_DECL void Core::mix(BytesView bytes) {
    mix(bytes.size());
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const std::size_t length = std::min(bytes.size(), sizeof word);
        std::memcpy(&word, bytes.data(), length);
        mix(word);
        bytes = bytes.subspan(length);
    }
}

}  // namespace quicchat::memory::detail
