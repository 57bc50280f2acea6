#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "quicchat/memory/core.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat::memory {

/// One participant of a simulated network: `Network::listen` and `Network::dial` make them. All
/// transports of one network are used from one thread.
///
/// A transport that is destroyed disappears without a word, like a crashed process: its peers get
/// Disconnected{idle_timeout} after their `Limits::idle_timeout`.
class Transport {
public:
    /// For Network, which all transports of one network share.
    Transport(std::shared_ptr<detail::Core> core, detail::Core::Endpoint endpoint);
    /// One that was moved from may only be destroyed or assigned to. Assigning leaves the network.
    /// @{
    Transport(Transport&&) noexcept = default;
    Transport& operator=(Transport&& from) noexcept;
    /// @}

    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    ~Transport() { leave(); }

    /// Moves the time of the whole network on to `now`, if it is not there yet.
    void handle_timeout(TimePoint now) { core_->handle_timeout(endpoint_, now); }

    /// Dials the address that the transport was made for. `invalid_request` on a listener.
    Result<ConnectionId> connect(TimePoint now) { return core_->connect(endpoint_, now); }

    /// Only clients open streams: `too_many_streams` on a listener.
    Result<StreamId> open_stream(ConnectionId connection);
    /// As the concept Transport has it.
    /// @{
    Result<Backlog> write(ConnectionId connection, StreamId stream, Bytes bytes, bool fin);
    /// Abandons both directions. What the application did not read yet is forgotten.
    void reset_stream(ConnectionId connection, StreamId stream, std::uint64_t code);
    void consume(ConnectionId connection, StreamId stream, std::size_t bytes);
    /// False if it was refused. True does not mean that it arrives.
    bool send_datagram(ConnectionId connection, Bytes bytes);
    /// What was not polled yet is forgotten; only Disconnected follows.
    void close(ConnectionId connection, Errc why, std::string_view text);

    std::optional<TransportEvent> poll_event() { return core_->poll_event(endpoint_); }
    /// When the next thing happens to this transport: at once if something did already, because
    /// somebody else moved the time on. Events that were left unread are no reason.
    std::optional<TimePoint> next_deadline() const { return core_->next_deadline(endpoint_); }

    Backlog backlog(ConnectionId connection, StreamId stream) const;
    /// Counts until the peer consumed it.
    std::size_t unacknowledged(ConnectionId connection) const;
    std::size_t unacknowledged() const { return core_->unacknowledged(endpoint_); }
    Result<ChannelBinding> channel_binding(ConnectionId connection) const;
    /// @}

    /// The number by which `Network`'s faults know a connection that has not ended.
    std::optional<std::uint64_t> network_number(ConnectionId connection) const;

private:
    void leave() noexcept;

    std::shared_ptr<detail::Core> core_;  // null when moved from
    detail::Core::Endpoint endpoint_;
};

static_assert(DialingTransport<Transport>);

}  // namespace quicchat::memory

#ifndef QUICCHAT_COMPILED
#include "quicchat/memory/impl/calls.ipp"
#include "quicchat/memory/impl/delivery.ipp"
#include "quicchat/memory/impl/transport.ipp"
#endif
