#pragma once

#include "quicchat/server/io/late_markers.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL void LateMarkers::keep(ConnectionId connection, wire::MarkRead marker,
                                     TimePoint due) {
    auto& markers = markers_[connection];
    if (markers.size() >= rooms_max && markers.count(marker.room) == 0) return;
    const std::string room = marker.room;
    markers.insert_or_assign(room, std::move(marker));
    due_.set(connection, due);
}

QUICCHAT_DECL void LateMarkers::forget(ConnectionId connection) {
    markers_.erase(connection);
    due_.erase(connection);
}

QUICCHAT_DECL std::optional<std::pair<ConnectionId, wire::MarkRead>> LateMarkers::take_due(
    TimePoint now) {
    const std::optional<ConnectionId> connection = due_.take_due(now);
    if (!connection) return std::nullopt;
    const auto found = markers_.find(*connection);
    const auto first = found->second.begin();
    std::pair due{*connection, std::move(first->second)};
    found->second.erase(first);
    if (found->second.empty()) {
        markers_.erase(found);
    } else {
        due_.set(*connection, now);
    }
    return due;
}

QUICCHAT_DECL std::optional<TimePoint> LateMarkers::next_deadline() const { return due_.next(); }

}  // namespace quicchat
