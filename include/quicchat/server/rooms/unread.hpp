#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// Who wrote the newest records of a room and whom they mention: enough to count what somebody has
/// not read without the texts. Up to `unread_max` records, of a kilobyte each at most.
class UnreadCounter {
public:
    /// The next record of the room.
    void push(const LoggedRecord& logged);

    /// Records right before those that it knows. `is_all`: there are none before them.
    void add_older(const std::vector<LoggedRecord>& older, bool is_all);

    /// There are no others than the newest `count` records any more.
    void keep_newest(Offset count);

    /// How many of the newest records it knows.
    std::size_t known() const { return entries_.size(); }

    /// True if it knows the newest `count` records, or as many as it may know.
    bool knows(Offset count) const;

    /// The messages of others among the newest `count` records that are known.
    std::uint64_t count_unread(Offset count, std::string_view user) const;

    /// Those of them that mention the account.
    std::uint64_t count_mentions(Offset count, std::string_view user) const;

private:
    template <class Predicate>
    std::uint64_t count_if(Offset count, const std::string& user, Predicate counts) const;

    static std::string entry_of(const Record& record);

    /// Behind the author: "ada@bob@carl@".
    static void add_mentions(std::string& entry, std::string_view text);

    /// An empty one: it was nothing that counts.
    std::deque<std::string> entries_;
    bool is_filled_ = false;  ///< There are no older ones that count.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/unread.ipp"
#endif
