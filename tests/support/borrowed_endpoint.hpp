#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "quicchat/quic/endpoint.hpp"

namespace quicchat::test {

/// An endpoint of a World, which owns it.
class Borrowed {
public:
    explicit Borrowed(quic::Endpoint& endpoint) : endpoint_(&endpoint) {}

    Result<ConnectionId> connect(TimePoint now) { return endpoint_->connect(now); }
    Result<StreamId> open_stream(ConnectionId id) { return endpoint_->open_stream(id); }
    Result<StreamId> open_uni_stream(ConnectionId id) { return endpoint_->open_uni_stream(id); }
    Result<Backlog> write(ConnectionId id, StreamId stream, Bytes bytes, bool fin) {
        return endpoint_->write(id, stream, std::move(bytes), fin);
    }
    void reset_stream(ConnectionId id, StreamId stream, std::uint64_t code) {
        endpoint_->reset_stream(id, stream, code);
    }
    Backlog backlog(ConnectionId id, StreamId stream) const {
        return endpoint_->backlog(id, stream);
    }
    std::size_t unacknowledged(ConnectionId id) const { return endpoint_->unacknowledged(id); }
    std::size_t unacknowledged() const { return endpoint_->unacknowledged(); }
    void consume(ConnectionId id, StreamId stream, std::size_t bytes) {
        endpoint_->consume(id, stream, bytes);
    }
    bool send_datagram(ConnectionId id, Bytes bytes) {
        return endpoint_->send_datagram(id, std::move(bytes));
    }
    Result<ChannelBinding> channel_binding(ConnectionId id) const {
        return endpoint_->channel_binding(id);
    }
    void close(ConnectionId id, Errc why, std::string_view text) {
        endpoint_->close(id, why, text);
    }
    std::optional<TransportEvent> poll_event() { return endpoint_->poll_event(); }
    void handle_timeout(TimePoint now) { endpoint_->handle_timeout(now); }
    std::optional<TimePoint> next_deadline() const { return endpoint_->next_deadline(); }

private:
    quic::Endpoint* endpoint_;
};

}  // namespace quicchat::test
