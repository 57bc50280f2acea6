#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/search_words.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room.hpp"

namespace quicchat {

/// What the searches of a server may do in one turn, all together: a few milliseconds. The unit is
/// about a byte that is compared with one word.
struct SearchEffort {
    /// A few milliseconds on the machines of today.
    static constexpr std::size_t turn_max = 1 << 20;
    static constexpr std::size_t record = 1024;  ///< What reading one costs, however short it is.

    std::size_t spent = 0;  ///< In this turn, in the unit above.
    /// True if no search should begin another slice in this turn.
    bool is_over() const { return spent >= turn_max; }
};

/// One search in a room's log, from the newest record down, a slice at a time (PROTOCOL.md §6.15).
class Search {
public:
    /// Records of one slice: then others have their turn.
    static constexpr std::size_t slice_records_max = 64;

    /// It begins below `m.before`, or with the newest record.
    Search(std::string user, const Room& room, const wire::SearchRequest& m, const Limits& limits);

    /// Who searches.
    const std::string& user() const { return user_; }
    /// That of the room; see `Room::key`.
    const std::string& key() const { return key_; }
    /// The number that the answer has.
    RequestId request() const { return request_; }

    /// The room is about to go: the search ends, and what it found goes along.
    void forget();

    /// True if there is nothing to hand over before `look` was called again.
    bool wants_look() const { return found_.empty() && !complete_; }

    /// True once there is nothing left to look at, or enough was found.
    bool is_complete() const { return complete_; }

    /// The records below this one were not looked at; 0: there are none.
    Offset next() const { return next_; }

    /// Looks at a slice of the log, or at less of it if that costs much or finds `found_max`
    /// records.
    Errc look(const RoomLog& log, std::size_t found_max, SearchEffort& effort);

    /// The next record that was found, as it is now, if it still has the words; nothing: there is
    /// none before `look` is called again.
    Result<std::optional<LoggedRecord>> next_record(const RoomLog& log);

    /// The same as the next frame for the stream, or the one that ends it.
    Result<std::optional<Bytes>> next_frame(const RoomLog& log);

    bool ended = false;  ///< The last frame was handed over.

private:
    bool has_words(const Record& record) const;

    void take(const LoggedRecord& logged, Offset first, SearchEffort& effort);

    std::string user_;
    std::string key_;
    RequestId request_;
    Epoch epoch_;
    SearchWords words_;
    Offset next_;
    Offset unfound_;  ///< So many more are wanted.
    Offset unseen_;   ///< So many more may be looked at.
    bool complete_ = false;
    std::deque<Offset> found_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/search.ipp"
#endif
