#pragma once

#include "quicchat/transport/archetype.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL Result<ConnectionId> Archetype::connect(TimePoint) { return Errc::unreachable; }

QUICCHAT_DECL Result<StreamId> Archetype::open_stream(ConnectionId) { return Errc::not_ready; }

QUICCHAT_DECL Result<Backlog> Archetype::write(ConnectionId, StreamId, Bytes, bool) {
    return Errc::not_ready;
}

QUICCHAT_DECL Result<ChannelBinding> Archetype::channel_binding(ConnectionId) const {
    return Errc::not_ready;
}

QUICCHAT_DECL std::optional<TransportEvent> Archetype::poll_event() { return std::nullopt; }

QUICCHAT_DECL std::optional<TimePoint> Archetype::next_deadline() const { return std::nullopt; }

}  // namespace quicchat
