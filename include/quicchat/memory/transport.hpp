#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "quicchat/memory/calls.hpp"
#include "quicchat/memory/core.hpp"
#include "quicchat/memory/delivery.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat::memory {

/// One participant of a simulated network: `Network::listen` and `Network::dial` make them. All
/// transports of one network are used from one thread.
///
/// A transport that is destroyed disappears without a word, like a crashed process: its peers get
/// Disconnected{idle_timeout} after their `Limits::idle_timeout`.
class Transport {
public:
    Transport(std::shared_ptr<detail::Core> core, detail::Core::Endpoint endpoint)
        : core_(std::move(core)), endpoint_(endpoint) {}
    Transport(Transport&&) noexcept = default;
    Transport& operator=(Transport&& from) noexcept {
        if (this == &from) return *this;
        leave();
        core_ = std::move(from.core_);
        endpoint_ = from.endpoint_;
        return *this;
    }
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    ~Transport() { leave(); }

    /// Moves the time of the whole network on to `now`, if it is not there yet.
    void handle_timeout(TimePoint now) { core_->handle_timeout(endpoint_, now); }

    /// Dials the address that the transport was made for. `invalid_request` on a listener.
    Result<ConnectionId> connect(TimePoint now) { return core_->connect(endpoint_, now); }

    /// Only clients open streams: `too_many_streams` on a listener.
    Result<StreamId> open_stream(ConnectionId connection) {
        return core_->open_stream(endpoint_, connection);
    }
    Result<Backlog> write(ConnectionId connection, StreamId stream, Bytes bytes, bool fin) {
        return core_->write(endpoint_, connection, stream, std::move(bytes), fin);
    }
    /// Abandons both directions. What the application did not read yet is forgotten.
    void reset_stream(ConnectionId connection, StreamId stream, std::uint64_t code) {
        core_->reset_stream(endpoint_, connection, stream, code);
    }
    void consume(ConnectionId connection, StreamId stream, std::size_t bytes) {
        core_->consume(endpoint_, connection, stream, bytes);
    }
    /// False if it was refused. True does not mean that it arrives.
    bool send_datagram(ConnectionId connection, Bytes bytes) {
        return core_->send_datagram(endpoint_, connection, std::move(bytes));
    }
    /// What was not polled yet is forgotten; only Disconnected follows.
    void close(ConnectionId connection, Errc why, std::string_view text) {
        core_->close(endpoint_, connection, why, text);
    }

    std::optional<TransportEvent> poll_event() { return core_->poll_event(endpoint_); }
    /// When the next thing happens to this transport: at once if something did already, because
    /// somebody else moved the time on. Events that were left unread are no reason.
    std::optional<TimePoint> next_deadline() const { return core_->next_deadline(endpoint_); }

    Backlog backlog(ConnectionId connection, StreamId stream) const {
        return core_->backlog(endpoint_, connection, stream);
    }
    Result<ChannelBinding> channel_binding(ConnectionId connection) const {
        return core_->channel_binding(endpoint_, connection);
    }

    /// The number by which `Network`'s faults know a connection that has not ended.
    std::optional<std::uint64_t> network_number(ConnectionId connection) const {
        return core_->number_of(endpoint_, connection);
    }

private:
    void leave() noexcept {
        if (core_ != nullptr) core_->remove_endpoint(endpoint_);
        core_.reset();
    }

    std::shared_ptr<detail::Core> core_;  // null when moved from
    detail::Core::Endpoint endpoint_;
};

static_assert(DialingTransport<Transport>);

}  // namespace quicchat::memory
