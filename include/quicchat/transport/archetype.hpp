#pragma once

#include "quicchat/transport/concept.hpp"

namespace quicchat {

/// The least that satisfies DialingTransport. Nothing ever happens on it; instantiating a template
/// with it proves that the template uses nothing outside the concept.
class Archetype {
public:
    Archetype() = default;
    /// It moves, as every transport must, and is not copied.
    /// @{
    Archetype(Archetype&&) = default;
    Archetype& operator=(Archetype&&) = default;
    /// @}

    Archetype(const Archetype&) = delete;
    Archetype& operator=(const Archetype&) = delete;

    /// What the concepts Transport and DialingTransport ask for, without a connection.
    /// @{
    Result<ConnectionId> connect(TimePoint);
    Result<StreamId> open_stream(ConnectionId);
    Result<Backlog> write(ConnectionId, StreamId, Bytes, bool);
    void reset_stream(ConnectionId, StreamId, std::uint64_t) {}
    Backlog backlog(ConnectionId, StreamId) const { return {}; }
    std::size_t unacknowledged(ConnectionId) const { return 0; }
    std::size_t unacknowledged() const { return 0; }
    void consume(ConnectionId, StreamId, std::size_t) {}
    bool send_datagram(ConnectionId, Bytes) { return false; }
    Result<ChannelBinding> channel_binding(ConnectionId) const;
    void close(ConnectionId, Errc, std::string_view) {}
    std::optional<TransportEvent> poll_event();
    void handle_timeout(TimePoint) {}
    std::optional<TimePoint> next_deadline() const;
    /// @}
};

static_assert(DialingTransport<Archetype>);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/transport/impl/archetype.ipp"
#endif
