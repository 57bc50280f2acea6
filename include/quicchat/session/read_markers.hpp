#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// How far a room was read.
struct ReadMarker {
    std::string room;
    Epoch epoch{};
    Offset offset = 0;
    bool shared = false;
};

/// What a client has read, and has yet to say. The newest of each room is said again on every
/// connection, because there is no answer to it.
class ReadMarkers {
public:
    void note(ReadMarker marker) {
        const std::string key = canonical_name(marker.room);
        const auto [place, added] = markers_.try_emplace(key);
        const bool same_log = !added && place->second.epoch == marker.epoch;
        if (same_log && place->second.offset >= marker.offset) return;
        place->second = std::move(marker);
        unsaid_.insert(key);
        if (markers_.size() > rooms_max) markers_.erase(markers_.begin());
    }

    /// Everything has to be said again.
    void begin_again() {
        unsaid_.clear();
        for (const auto& [key, marker] : markers_) unsaid_.insert(key);
    }

    std::optional<ReadMarker> poll() {
        while (!unsaid_.empty()) {
            const auto found = markers_.find(*unsaid_.begin());
            unsaid_.erase(unsaid_.begin());
            if (found != markers_.end()) return found->second;
        }
        return std::nullopt;
    }

private:
    static constexpr std::size_t rooms_max = 1000;

    std::map<std::string, ReadMarker> markers_;  ///< By canonical name.
    std::set<std::string> unsaid_;
};

}  // namespace quicchat
