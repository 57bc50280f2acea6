#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/server/io/connection.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat {

/// The connections of a Server and the transport that carries them: one cannot be ended or written
/// to without the other.
template <Transport T>
class Peers {
public:
    /// By id, which ascends: the oldest first.
    using Connections = std::map<ConnectionId, ServerConnection>;

    /// `limits` outlives it.
    Peers(T transport, const Limits& limits) : transport_(std::move(transport)), limits_(&limits) {}

    /// nullptr if there is no such connection, or not any more. Its address is stable.
    ServerConnection* find(ConnectionId id);

    /// The same for a connection that is logged in and not being closed.
    ServerConnection* find_ready(ConnectionId id);

    /// nullptr if there is no such stream.
    ServerStream* find_stream(ConnectionId id, StreamId stream);

    /// In the order in which they were opened.
    std::vector<StreamId> streams(ConnectionId id);

    /// An id that is not there yet.
    ServerConnection& add(ConnectionId id, ServerConnection connection);

    /// Takes a connection out that has ended; nothing if it is not there.
    std::optional<ServerConnection> remove(ConnectionId id);

    /// Ends the connection as `slow_consumer` if too much waits for its reader.
    void write_control(ConnectionId id, Bytes frame);

    /// Writes to a reader that may be slow. False if its stream is full now, or has ended.
    bool write(ConnectionId id, StreamId stream, Bytes frame);

    /// Says the last to a stream, and drops what comes on it from now on.
    void end_stream(ConnectionId id, StreamId stream_id, Queue<Bytes> frames);

    /// To everybody who is logged in.
    void write_control_to_all(const Bytes& frame);

    /// Ends a connection, unless that has begun. It stays here until the transport says that it is
    /// gone.
    void close(ConnectionId id, Errc errc);

    /// Ends what a device has open whose token was copied: one of the two is a thief.
    void close_device(const std::string& user, DeviceId device);

    /// The same for all of them.
    void close_all(Errc errc);

    /// What connections have used remains used, as far as it fits the new budgets.
    void handle_changed_limits(TimePoint now);

    /// Connections, those being closed included.
    std::size_t size() const { return connections_.size(); }
    /// To look at only.
    const Connections& all() const { return connections_; }
    /// Which all of this goes through.
    /// @{
    T& transport() { return transport_; }
    const T& transport() const { return transport_; }
    /// @}

private:
    T transport_;
    const Limits* limits_;
    Connections connections_;
};

}  // namespace quicchat

#include "quicchat/server/io/impl/peers.ipp"
