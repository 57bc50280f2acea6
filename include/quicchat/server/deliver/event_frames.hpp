#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/server/turn_work.hpp"

namespace quicchat {

/// Makes the frames of records when they are written, from their offsets: so what was edited or
/// deleted while somebody did not read goes out as it is now. Each frame is made once for all who
/// want it: a room keeps those of its recent records; those of older ones, which members that catch
/// up and pages of history ask for, are kept here for a short while.
class EventFrames {
public:
    /// What it is given outlives it.
    EventFrames(const RoomLog& log, const Limits& limits, TurnWork& work);

    /// A record of the room as it is now; nothing if the log has dropped it, or cannot be read.
    /// What must be read for it is the reader's work.
    std::optional<Bytes> get(const Room& room, Offset offset, std::string_view reader);

    /// What was made of the records `first` to `last`.
    struct Run {
        Bytes bytes{};  ///< One frame behind the other.
        /// Both included.
        /// @{
        Offset first = 0;
        Offset last = 0;
        /// @}
    };

    /// The frames from `first` on that the room keeps, joined to one piece that all members share
    /// who are as far; just the first one if it is long. No bytes: the room does not keep that one.
    Run get_run(const Room& room, Offset first);

    /// A record was committed, and its room knows it: what it changes is made anew.
    void handle_commit(Room& room, const LoggedRecord& logged);

    /// The room's log begins at `first` now.
    void drop_before(const Room& room, Offset first);

    /// Why the log could not be read, once.
    Errc take_failure();
    /// True if `take_failure` has an error to give.
    bool has_failed() const { return failure_ != Errc{}; }

private:
    /// So many frames of older records are kept, for all rooms together.
    static constexpr std::size_t older_max = 256;
    static constexpr std::size_t older_bytes_max = 4 * 1024 * 1024;
    /// Members of a room differ little in how far they are.
    static constexpr std::size_t runs_max = 8;
    static constexpr std::size_t run_bytes_max = 16 * 1024;

    using Key = std::pair<Epoch, Offset>;  ///< An epoch is that of one room only.
    struct Older {
        Bytes frame;
        Offset target = 0;  ///< Of an edit.
    };
    using Map = std::map<Key, Older>;
    /// A run, and the head of its room when it was made: whatever adds a record or changes one
    /// moves it.
    struct Made {
        Run run;
        Epoch epoch{};
        Offset head = 0;
    };

    void keep(Epoch epoch, const LoggedRecord& logged, Bytes frame);

    Map::iterator drop(Map::iterator entry);

    void refresh(Room& room, Offset offset);

    const RoomLog* log_;
    const Limits* limits_;
    TurnWork* work_;
    Map older_;
    std::deque<Key> order_;  ///< In which they came.
    std::size_t bytes_ = 0;
    std::array<Made, runs_max> runs_;  ///< By their first offset.
    Errc failure_{};
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/event_frames.ipp"
#endif
