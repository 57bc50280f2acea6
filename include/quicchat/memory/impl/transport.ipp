#pragma once

#include "quicchat/memory/transport.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::memory {

QUICCHAT_DECL Transport::Transport(std::shared_ptr<detail::Core> core,
                                   detail::Core::Endpoint endpoint)
    : core_(std::move(core)), endpoint_(endpoint) {}

QUICCHAT_DECL Transport& Transport::operator=(Transport&& from) noexcept {
    if (this == &from) return *this;
    leave();
    core_ = std::move(from.core_);
    endpoint_ = from.endpoint_;
    return *this;
}

QUICCHAT_DECL Result<StreamId> Transport::open_stream(ConnectionId connection) {
    return core_->open_stream(endpoint_, connection);
}

QUICCHAT_DECL Result<Backlog> Transport::write(ConnectionId connection, StreamId stream,
                                               Bytes bytes, bool fin) {
    return core_->write(endpoint_, connection, stream, std::move(bytes), fin);
}

QUICCHAT_DECL void Transport::reset_stream(ConnectionId connection, StreamId stream,
                                           std::uint64_t code) {
    core_->reset_stream(endpoint_, connection, stream, code);
}

QUICCHAT_DECL void Transport::consume(ConnectionId connection, StreamId stream, std::size_t bytes) {
    core_->consume(endpoint_, connection, stream, bytes);
}

QUICCHAT_DECL bool Transport::send_datagram(ConnectionId connection, Bytes bytes) {
    return core_->send_datagram(endpoint_, connection, std::move(bytes));
}

QUICCHAT_DECL void Transport::close(ConnectionId connection, Errc why, std::string_view text) {
    core_->close(endpoint_, connection, why, text);
}

QUICCHAT_DECL Backlog Transport::backlog(ConnectionId connection, StreamId stream) const {
    return core_->backlog(endpoint_, connection, stream);
}

QUICCHAT_DECL std::size_t Transport::unacknowledged(ConnectionId connection) const {
    return core_->unacknowledged(endpoint_, connection);
}

QUICCHAT_DECL Result<ChannelBinding> Transport::channel_binding(ConnectionId connection) const {
    return core_->channel_binding(endpoint_, connection);
}

QUICCHAT_DECL std::optional<std::uint64_t> Transport::network_number(
    ConnectionId connection) const {
    return core_->number_of(endpoint_, connection);
}

QUICCHAT_DECL void Transport::leave() noexcept {
    if (core_ != nullptr) core_->remove_endpoint(endpoint_);
    core_.reset();
}

}  // namespace quicchat::memory
