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
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::history_request;
    RequestId request = 0;  ///< Answered by its HistoryEnd or Error.
    std::string room;       ///< As the account calls it.
    Offset offset = 0;  ///< Counts as the nearest that there is, up to one above the newest record.
    std::uint64_t before = 0;  ///< So many below the offset.
    std::uint64_t after = 0;   ///< So many from it on; with `before` at most a page.
    friend bool operator==(const HistoryRequest&, const HistoryRequest&) = default;
    /// @}
};

/// Server, behind the Events of a page of history: that was all.
struct HistoryEnd {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::history_end;
    RequestId request = 0;       ///< The request that it answers.
    Epoch epoch{};               ///< Of the room's log.
    bool reaches_start = false;  ///< The log has nothing older.
    bool reaches_head = false;   ///< There was nothing newer.
    friend bool operator==(const HistoryEnd&, const HistoryEnd&) = default;
    /// @}
};

/// Client, the only frame of a stream of its own: the newest `count` records of a room below
/// `before` that have all of the words in their texts.
struct SearchRequest {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::search_request;
    RequestId request = 0;    ///< Answered by its SearchEnd or Error.
    std::string room;         ///< As the account calls it.
    std::string words;        ///< With spaces between them.
    Offset before = 0;        ///< An offset above the newest record's: from that one on.
    std::uint64_t count = 0;  ///< At least 1.
    friend bool operator==(const SearchRequest&, const SearchRequest&) = default;
    /// @}
};

/// Server, behind the Events that were found, the newest first: that was all for now.
struct SearchEnd {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::search_end;
    RequestId request = 0;  ///< The request that it answers.
    Epoch epoch{};          ///< Of the room's log.
    Offset next = 0;        ///< The records below it were not looked at yet; 0: there are none.
    friend bool operator==(const SearchEnd&, const SearchEnd&) = default;
    /// @}
};

}  // namespace quicchat::wire
