#pragma once

#include "quicchat/shards/transport.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/match.hpp"

namespace quicchat::shards {

QUICCHAT_DECL Transport::Transport(std::vector<std::shared_ptr<Link>> links, const Limits& limits)
    : state_(std::make_unique<State>()) {
    for (auto& link : links) state_->lanes.push_back({std::move(link)});
    state_->backlog_max = limits.stream_backlog_bytes_max;
    set_limits(limits);
}

QUICCHAT_DECL void Transport::set_limits(const Limits& limits) {
    state_->connections_max = limits.connections_max;
}

QUICCHAT_DECL std::size_t Transport::shards() const { return state_->lanes.size(); }

QUICCHAT_DECL std::size_t Transport::streams(ConnectionId id) const {
    const Connection* connection = find_open(id);
    return connection != nullptr ? connection->streams.size() : 0;
}

// --- Requests.

QUICCHAT_DECL Transport::Stream* Transport::Connection::find(StreamId id) {
    const auto place =
        std::lower_bound(streams.begin(), streams.end(), id,
                         [](const Stream& stream, StreamId wanted) { return stream.id < wanted; });
    return place != streams.end() && place->id == id ? &*place : nullptr;
}

QUICCHAT_DECL Transport::Connection* Transport::find_open(ConnectionId id) const {
    const auto found = state_->connections.find(id);
    if (found == state_->connections.end() || found->second.closed) return nullptr;
    return &found->second;
}

QUICCHAT_DECL Command& Transport::command(Command::Kind kind, ConnectionId id,
                                          const Connection& connection) const {
    Lane& lane = state_->lanes[connection.shard];
    lane.newest = {};
    lane.due |= kind != Command::Kind::measure;
    Command& command = lane.commands.emplace_back();
    command.kind = kind;
    command.connection = id;
    return command;
}

QUICCHAT_DECL Result<StreamId> Transport::open_stream(ConnectionId id) {
    return find_open(id) != nullptr ? Errc::unsupported : Errc::not_ready;
}

QUICCHAT_DECL Result<Backlog> Transport::write(ConnectionId id, StreamId stream_id, Bytes bytes,
                                               bool fin) {
    Connection* connection = find_open(id);
    Stream* stream = connection != nullptr ? connection->find(stream_id) : nullptr;
    if (stream == nullptr || stream->finished || stream->was_reset) return Errc::not_ready;
    Lane& lane = state_->lanes[connection->shard];
    const BytesView newest = bytes.view();
    const bool same = !newest.empty() && lane.newest.data() == newest.data() &&
                      lane.newest.size() == newest.size();
    lane.written += newest.size();
    connection->written += newest.size();
    stream->written += newest.size();
    stream->finished = fin;

    Command& write = command(Command::Kind::write, id, *connection);
    lane.newest = newest;
    write.stream = stream_id;
    write.fin = fin;
    write.same = same;
    if (!same) write.bytes = std::move(bytes);
    const Backlog backlog{stream->backlog()};
    if (!stream->full && backlog.bytes >= state_->backlog_max) write.full = stream->full = true;
    // Seldom enough that it costs nothing, and often enough that nobody is taken for slow.
    if (write.full || stream->written - stream->asked_at >= state_->backlog_max / 4) {
        stream->asked_at = write.number = stream->written;
        write.written = connection->written;
        write.measures = true;
    }
    if (fin && stream->peer_finished) forget(*connection, *stream);
    return backlog;
}

QUICCHAT_DECL void Transport::forget(Connection& connection, const Stream& stream) {
    connection.streams.erase(connection.streams.begin() + (&stream - connection.streams.data()));
}

QUICCHAT_DECL void Transport::reset_stream(ConnectionId id, StreamId stream_id,
                                           std::uint64_t code) {
    Connection* connection = find_open(id);
    if (connection == nullptr) return;
    Command& reset = command(Command::Kind::reset, id, *connection);
    reset.stream = stream_id;
    reset.number = code;
    reset.written = connection->written;
    if (Stream* stream = connection->find(stream_id)) stream->was_reset = true;
}

QUICCHAT_DECL void Transport::measure(ConnectionId id, Connection& connection,
                                      Stream* stream) const {
    // Once at a time: who is asked about often is not measured more often.
    bool& asked = stream != nullptr ? stream->asked : connection.asked;
    if (std::exchange(asked, true)) return;
    Command& measure = command(Command::Kind::measure, id, connection);
    measure.written = connection.written;
    measure.stream = no_stream;
    if (stream == nullptr) return;
    measure.stream = stream->id;
    measure.number = stream->asked_at = stream->written;
}

QUICCHAT_DECL Backlog Transport::backlog(ConnectionId id, StreamId stream_id) const {
    Connection* connection = find_open(id);
    Stream* stream = connection != nullptr ? connection->find(stream_id) : nullptr;
    if (stream == nullptr || stream->was_reset) return {};
    const Backlog backlog{stream->backlog()};
    if (backlog.bytes != 0) measure(id, *connection, stream);
    return backlog;
}

QUICCHAT_DECL std::size_t Transport::unacknowledged(ConnectionId id) const {
    Connection* connection = find_open(id);
    if (connection == nullptr) return 0;
    const std::size_t held = connection->unacknowledged();
    if (held != 0) measure(id, *connection, nullptr);
    return held;
}

QUICCHAT_DECL std::size_t Transport::unacknowledged() const {
    std::uint64_t held = 0;
    for (const Lane& lane : state_->lanes) held += lane.written - lane.link->released_bytes();
    return static_cast<std::size_t>(held);
}

QUICCHAT_DECL void Transport::consume(ConnectionId id, StreamId stream, std::size_t bytes) {
    const Connection* connection = find_open(id);
    if (connection == nullptr || bytes == 0) return;
    Command& consume = command(Command::Kind::consume, id, *connection);
    consume.stream = stream;
    consume.number = bytes;
}

QUICCHAT_DECL bool Transport::send_datagram(ConnectionId id, Bytes bytes) {
    const Connection* connection = find_open(id);
    if (connection == nullptr) return false;
    command(Command::Kind::send_datagram, id, *connection).bytes = std::move(bytes);
    return true;
}

QUICCHAT_DECL Result<ChannelBinding> Transport::channel_binding(ConnectionId id) const {
    const Connection* connection = find_open(id);
    if (connection == nullptr) return Errc::not_ready;
    return connection->binding;
}

QUICCHAT_DECL void Transport::close(ConnectionId id, Errc why, std::string_view text) {
    Connection* connection = find_open(id);
    if (connection == nullptr) return;
    Command& close = command(Command::Kind::close, id, *connection);
    close.number = static_cast<std::uint64_t>(why);
    close.bytes = Bytes::copy_of(as_bytes(text));
    connection->closed = true;
    connection->streams = std::vector<Stream>{};
}

QUICCHAT_DECL void Transport::note_login(ConnectionId id) {
    const Connection* connection = find_open(id);
    if (connection != nullptr) command(Command::Kind::note_login, id, *connection);
}

// --- Inputs and outputs.

QUICCHAT_DECL void Transport::handle_timeout(TimePoint now) {
    state_->now = now;
    state_->paths.reset();
    for (const Lane& lane : state_->lanes) lane.link->take_news(state_->news);
    for (News& news : state_->news) take(std::move(news));
    state_->news.clear();
}

QUICCHAT_DECL std::optional<TransportEvent> Transport::poll_event() {
    std::optional<TransportEvent> event = pop_front(state_->events);
    if (event && std::holds_alternative<DatagramReceived>(*event)) --state_->datagrams;
    return event;
}

QUICCHAT_DECL std::optional<TimePoint> Transport::next_deadline() const {
    for (const Lane& lane : state_->lanes) {
        if (lane.due) return state_->now;
    }
    return std::nullopt;
}

QUICCHAT_DECL void Transport::flush() {
    for (Lane& lane : state_->lanes) {
        lane.newest = {};  // its memory may be another's soon
        lane.due = false;
        if (!lane.commands.empty()) lane.link->post(lane.commands);
    }
}

QUICCHAT_DECL void Transport::take(News news) {
    match(
        std::move(news), [&](Opened&& opened) { open(std::move(opened)); },
        [&](StreamData&& data) { take_data(std::move(data)); },
        [&](StreamReset&& reset) {
            Connection* connection = find_open(reset.connection);
            Stream* stream = connection != nullptr ? connection->find(reset.stream) : nullptr;
            if (stream == nullptr || stream->was_reset) return;
            forget(*connection, *stream);
            push(reset);
        },
        [&](Writable&& writable) {
            Connection* connection = find_open(writable.connection);
            Stream* stream = connection != nullptr ? connection->find(writable.stream) : nullptr;
            if (stream == nullptr || !std::exchange(stream->full, false)) return;
            // Whatever was measured: so little waits of what was written until it was full.
            const std::size_t most = state_->backlog_max / 2 - 1;
            if (stream->measured > most) stream->measured = most;
            push(writable);
        },
        [&](DatagramReceived&& datagram) {
            if (find_open(datagram.connection) == nullptr) return;
            if (state_->datagrams >= datagrams_waiting_max) return;
            ++state_->datagrams;
            push(std::move(datagram));
        },
        [&](Disconnected&& gone) {
            if (state_->connections.erase(gone.connection) != 0) push(std::move(gone));
        },
        [&](Measured&& measured) { take_measured(measured); });
}

QUICCHAT_DECL void Transport::open(Opened opened) {
    const ConnectionId id = opened.connected.connection;
    const auto shard =
        static_cast<std::size_t>(static_cast<std::uint64_t>(id) % state_->lanes.size());
    Connection connection{opened.binding, shard};
    if (state_->connections.size() >= state_->connections_max) {
        // Each shard counts its own only; this is nobody that the chat hears of.
        Command& close = command(Command::Kind::close, id, connection);
        close.number = static_cast<std::uint64_t>(Errc::server_full);
        return;
    }
    state_->connections.emplace(id, std::move(connection));
    push(std::move(opened.connected));
}

QUICCHAT_DECL void Transport::take_data(StreamData data) {
    Connection* connection = find_open(data.connection);
    if (connection == nullptr) return;
    auto place =
        std::lower_bound(connection->streams.begin(), connection->streams.end(), data.stream,
                         [](const Stream& stream, StreamId wanted) { return stream.id < wanted; });
    if (place == connection->streams.end() || place->id != data.stream) {
        place = connection->streams.insert(place, Stream{.id = data.stream});
    }
    if (place->was_reset) return;
    place->peer_finished |= data.fin;
    if (place->peer_finished && place->finished) connection->streams.erase(place);
    push(std::move(data));
}

QUICCHAT_DECL void Transport::take_measured(const Measured& measured) {
    Connection* connection = find_open(measured.connection);
    if (connection == nullptr) return;
    connection->measured_at = measured.written;
    connection->measured = measured.unacknowledged;
    connection->asked = false;
    Stream* stream = connection->find(measured.stream);
    if (stream == nullptr) return;
    if (measured.was_reset) return forget(*connection, *stream);
    stream->measured_at = measured.number;
    stream->measured = measured.backlog;
    stream->asked = false;
}

// --- What the transports at the shards may do beyond the concept.

QUICCHAT_DECL TransportStats Transport::stats() const {
    TransportStats sum;
    for (const Lane& lane : state_->lanes) {
        lane.link->run([&](CarrierPort& carrier) { sum.add(carrier.stats()); });
    }
    return sum;
}

QUICCHAT_DECL std::optional<PathStats> Transport::path_stats(ConnectionId id) const {
    if (!state_->paths) {
        auto& paths = state_->paths.emplace();
        for (const Lane& lane : state_->lanes) {
            lane.link->run([&](CarrierPort& carrier) {
                for (const auto& [open, connection] : state_->connections) {
                    if (&state_->lanes[connection.shard] != &lane) continue;
                    if (const auto path = carrier.path_stats(open)) paths.emplace(open, *path);
                }
            });
        }
    }
    const auto found = state_->paths->find(id);
    if (found == state_->paths->end()) return std::nullopt;
    return found->second;
}

QUICCHAT_DECL void Transport::drain() {
    for (const Lane& lane : state_->lanes) {
        lane.link->post_call([](CarrierPort& carrier) { carrier.drain(); });
    }
}

QUICCHAT_DECL bool Transport::says_farewell() const {
    return std::any_of(state_->lanes.begin(), state_->lanes.end(), [](const Lane& lane) {
        return !lane.commands.empty() || !lane.link->is_idle() || lane.link->says_farewell();
    });
}

}  // namespace quicchat::shards
