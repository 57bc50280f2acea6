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
    std::string room;     ///< In any spelling.
    Epoch epoch{};        ///< Of the log that was read: offsets of another one mean nothing.
    Offset offset = 0;    ///< Read up to here, this record included.
    bool shared = false;  ///< The members of the room may know.
};

/// What a client has read, and has yet to say. The newest of each room is said again on every
/// connection, because there is no answer to it.
class ReadMarkers {
public:
    /// Unless it is behind the one that is there, of the same log.
    void note(ReadMarker marker);

    /// Everything has to be said again.
    void begin_again();

    /// The newest marker of a room that was not said yet; nothing: all were.
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
