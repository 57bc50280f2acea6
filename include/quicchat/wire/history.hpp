#pragma once

#include <cstdint>
#include <string>

#include "quicchat/base/ids.hpp"
#include "quicchat/wire/frame_type.hpp"

// Frames of the streams on which records of a room are looked up (PROTOCOL.md §6.12 and §6.15).

namespace quicchat::wire {

/// Client, the only frame of a stream of its own: records of a room. The newest `before` of those
/// below `offset`, and the oldest `after` of the others.
struct HistoryRequest {
    static constexpr FrameType type = FrameType::history_request;
    RequestId request = 0;
    std::string room;
    Offset offset = 0;
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    friend bool operator==(const HistoryRequest&, const HistoryRequest&) = default;
};

/// Server, behind the Events of a page of history: that was all.
struct HistoryEnd {
    static constexpr FrameType type = FrameType::history_end;
    RequestId request = 0;
    Epoch epoch{};
    bool reaches_start = false;  ///< The log has nothing older.
    bool reaches_head = false;   ///< There was nothing newer.
    friend bool operator==(const HistoryEnd&, const HistoryEnd&) = default;
};

/// Client, the only frame of a stream of its own: the newest `count` records of a room below
/// `before` that have all of the words in their texts.
struct SearchRequest {
    static constexpr FrameType type = FrameType::search_request;
    RequestId request = 0;
    std::string room;
    std::string words;
    Offset before = 0;
    std::uint64_t count = 0;
    friend bool operator==(const SearchRequest&, const SearchRequest&) = default;
};

/// Server, behind the Events that were found, the newest first: that was all for now.
struct SearchEnd {
    static constexpr FrameType type = FrameType::search_end;
    RequestId request = 0;
    Epoch epoch{};
    Offset next = 0;  ///< The records below it were not looked at yet; 0: there are none.
    friend bool operator==(const SearchEnd&, const SearchEnd&) = default;
};

}  // namespace quicchat::wire
