#pragma once

#include "quicchat/server/io/peers.hpp"

namespace quicchat {

template <Transport T>
ServerConnection* Peers<T>::find(ConnectionId id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : &found->second;
}

template <Transport T>
ServerConnection* Peers<T>::find_ready(ConnectionId id) {
    ServerConnection* connection = find(id);
    return connection && connection->session.state() == State::ready ? connection : nullptr;
}

template <Transport T>
ServerStream* Peers<T>::find_stream(ConnectionId id, StreamId stream) {
    ServerConnection* connection = find(id);
    return connection == nullptr ? nullptr : connection->find_stream(stream);
}

template <Transport T>
std::vector<StreamId> Peers<T>::streams(ConnectionId id) {
    std::vector<StreamId> all;
    const ServerConnection* connection = find(id);
    if (connection == nullptr) return all;
    for (const auto& [stream, state] : connection->streams) all.push_back(stream);
    return all;
}

template <Transport T>
ServerConnection& Peers<T>::add(ConnectionId id, ServerConnection connection) {
    return connections_.emplace(id, std::move(connection)).first->second;
}

template <Transport T>
std::optional<ServerConnection> Peers<T>::remove(ConnectionId id) {
    auto found = connections_.extract(id);
    if (found.empty()) return std::nullopt;
    return std::move(found.mapped());
}

template <Transport T>
void Peers<T>::write_control(ConnectionId id, Bytes frame) {
    const Result<Backlog> backlog = transport_.write(id, control_stream, std::move(frame), false);
    if (backlog && backlog->bytes > limits_->control_backlog_bytes_max) {
        close(id, Errc::slow_consumer);
    }
}

template <Transport T>
bool Peers<T>::write(ConnectionId id, StreamId stream, Bytes frame) {
    const Result<Backlog> backlog = transport_.write(id, stream, std::move(frame), false);
    return backlog && backlog->bytes < limits_->stream_backlog_bytes_max;
}

template <Transport T>
void Peers<T>::end_stream(ConnectionId id, StreamId stream_id, Queue<Bytes> frames) {
    ServerStream* stream = find_stream(id, stream_id);
    if (stream == nullptr) return;
    stream->member = nullptr;
    stream->ended = true;
    for (Bytes& frame : frames) (void)transport_.write(id, stream_id, std::move(frame), false);
    (void)transport_.write(id, stream_id, {}, true);
    transport_.consume(id, stream_id, std::exchange(stream->owed, 0));
    if (stream->fin) find(id)->streams.erase(stream_id);
}

template <Transport T>
void Peers<T>::write_control_to_all(const Bytes& frame) {
    for (auto& [id, connection] : connections_) {
        if (connection.session.state() == State::ready) write_control(id, frame);
    }
}

template <Transport T>
void Peers<T>::close(ConnectionId id, Errc errc) {
    ServerConnection* connection = find(id);
    if (connection == nullptr || connection->session.state() == State::draining) return;
    std::string text = connection->session.close_text();
    if (text.empty()) text = error_category().message(static_cast<int>(errc));
    connection->session.handle_close(Input::failed);
    transport_.close(id, errc, text);
}

template <Transport T>
void Peers<T>::close_device(const std::string& user, DeviceId device) {
    for (auto& [id, connection] : connections_) {
        const ServerSession& session = connection.session;
        if (session.state() != State::ready || session.device() != device) continue;
        if (canonical_name(session.user()) != canonical_name(user)) continue;
        close(id, Errc::token_refused);
    }
}

template <Transport T>
void Peers<T>::close_all(Errc errc) {
    for (auto& [id, connection] : connections_) close(id, errc);
}

template <Transport T>
void Peers<T>::handle_changed_limits(TimePoint now) {
    for (auto& [id, connection] : connections_) {
        connection.requests.cap(limits_->requests_per_connection, now);
    }
}

}  // namespace quicchat
