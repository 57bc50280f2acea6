#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "quicchat/base/ids.hpp"

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
    void note(ReadMarker marker);

    /// Everything has to be said again.
    void begin_again();

    std::optional<ReadMarker> poll();

private:
    static constexpr std::size_t rooms_max = 1000;

    std::map<std::string, ReadMarker> markers_;  ///< By canonical name.
    std::set<std::string> unsaid_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/read_markers.ipp"
#endif
