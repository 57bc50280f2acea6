#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/io/connection.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat {

/// The connections of a Server and the transport that carries them: one cannot be ended or written
/// to without the other.
template <Transport T>
class Peers {
public:
    using Connections = std::map<ConnectionId, ServerConnection>;

    Peers(T transport, const Limits& limits) : transport_(std::move(transport)), limits_(&limits) {}

    ServerConnection* find(ConnectionId id) {
        const auto found = connections_.find(id);
        return found == connections_.end() ? nullptr : &found->second;
    }

    /// The same for a connection that is logged in and not being closed.
    ServerConnection* find_ready(ConnectionId id) {
        ServerConnection* connection = find(id);
        return connection && connection->session.state() == State::ready ? connection : nullptr;
    }

    ServerStream* find_stream(ConnectionId id, StreamId stream) {
        ServerConnection* connection = find(id);
        return connection == nullptr ? nullptr : connection->find_stream(stream);
    }

    /// In the order in which they were opened.
    std::vector<StreamId> streams(ConnectionId id) {
        std::vector<StreamId> all;
        const ServerConnection* connection = find(id);
        if (connection == nullptr) return all;
        for (const auto& [stream, state] : connection->streams) all.push_back(stream);
        return all;
    }

    void add(ConnectionId id, ServerConnection connection) {
        connections_.emplace(id, std::move(connection));
    }

    /// Takes a connection out that has ended; nothing if it is not there.
    std::optional<ServerConnection> remove(ConnectionId id) {
        auto found = connections_.extract(id);
        if (found.empty()) return std::nullopt;
        return std::move(found.mapped());
    }

    void write_control(ConnectionId id, Bytes frame) {
        const Result<Backlog> backlog =
            transport_.write(id, control_stream, std::move(frame), false);
        if (backlog && backlog->bytes > limits_->control_backlog_bytes_max) {
            close(id, Errc::slow_consumer);
        }
    }

    /// Writes to a reader that may be slow. False if its stream is full now, or has ended.
    bool write(ConnectionId id, StreamId stream, Bytes frame) {
        const Result<Backlog> backlog = transport_.write(id, stream, std::move(frame), false);
        return backlog && backlog->bytes < limits_->stream_backlog_bytes_max;
    }

    /// Says the last to a stream, and drops what comes on it from now on.
    void end_stream(ConnectionId id, StreamId stream_id, std::deque<Bytes> frames) {
        ServerStream* stream = find_stream(id, stream_id);
        if (stream == nullptr) return;
        stream->member = nullptr;
        stream->ended = true;
        for (Bytes& frame : frames) (void)transport_.write(id, stream_id, std::move(frame), false);
        (void)transport_.write(id, stream_id, {}, true);
        transport_.consume(id, stream_id, std::exchange(stream->owed, 0));
        if (stream->fin) find(id)->streams.erase(stream_id);
    }

    /// To everybody who is logged in.
    void write_control_to_all(const Bytes& frame) {
        for (auto& [id, connection] : connections_) {
            if (connection.session.state() == State::ready) write_control(id, frame);
        }
    }

    void close(ConnectionId id, Errc errc) {
        ServerConnection* connection = find(id);
        if (connection == nullptr || connection->session.state() == State::draining) return;
        std::string text = connection->session.close_text();
        if (text.empty()) text = error_category().message(static_cast<int>(errc));
        connection->session.handle_close(Input::failed);
        transport_.close(id, errc, text);
    }

    /// Ends what a device has open whose token was copied: one of the two is a thief.
    void close_device(const std::string& user, DeviceId device) {
        for (auto& [id, connection] : connections_) {
            const ServerSession& session = connection.session;
            if (session.state() != State::ready || session.device() != device) continue;
            if (canonical_name(session.user()) != canonical_name(user)) continue;
            close(id, Errc::token_refused);
        }
    }

    void close_all(Errc errc) {
        for (auto& [id, connection] : connections_) close(id, errc);
    }

    void handle_changed_limits(TimePoint now) {
        for (auto& [id, connection] : connections_) {
            connection.requests.cap(limits_->requests_per_connection, now);
        }
    }

    std::size_t size() const { return connections_.size(); }
    T& transport() { return transport_; }
    const T& transport() const { return transport_; }

private:
    T transport_;
    const Limits* limits_;
    Connections connections_;
};

}  // namespace quicchat
