#pragma once

#include "quicchat/session/read_markers.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_DECL void ReadMarkers::note(ReadMarker marker) {
    const std::string key = canonical_name(marker.room);
    const auto [place, added] = markers_.try_emplace(key);
    const bool same_log = !added && place->second.epoch == marker.epoch;
    if (same_log && place->second.offset >= marker.offset) return;
    place->second = std::move(marker);
    unsaid_.insert(key);
    if (markers_.size() > rooms_max) markers_.erase(markers_.begin());
}

QUICCHAT_DECL void ReadMarkers::begin_again() {
    unsaid_.clear();
    for (const auto& [key, marker] : markers_) unsaid_.insert(key);
}

QUICCHAT_DECL std::optional<ReadMarker> ReadMarkers::poll() {
    while (!unsaid_.empty()) {
        const auto found = markers_.find(*unsaid_.begin());
        unsaid_.erase(unsaid_.begin());
        if (found != markers_.end()) return found->second;
    }
    return std::nullopt;
}

}  // namespace quicchat
