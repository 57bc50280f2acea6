#pragma once

#include <map>
#include <utility>
#include <vector>

#include "quicchat/log/authors.hpp"
#include "quicchat/sqlite/operation.hpp"

namespace quicchat::sqlite::detail {

/// Who wrote what in all rooms, with the changes of the open transaction.
class RoomAuthors {
public:
    const Authors& at(RoomKey room) { return rooms_[room]; }

    void take(RoomKey room, Authors::Step step) {
        rooms_[room].take(step);
        taken_.emplace_back(room, std::move(step));
    }

    /// All that is known of a room goes with the transaction.
    void erase(RoomKey room) { dropped_.push_back(room); }

    void accept() {
        for (const RoomKey room : dropped_) rooms_.erase(room);
        forget_changes();
    }

    void roll_back() {
        for (auto step = taken_.rbegin(); step != taken_.rend(); ++step) {
            Authors& authors = rooms_[step->first];
            authors.take_back(step->second);
            if (authors.empty()) rooms_.erase(step->first);
        }
        forget_changes();
    }

private:
    void forget_changes() {
        taken_.clear();
        dropped_.clear();
    }

    std::map<RoomKey, Authors> rooms_;
    std::vector<std::pair<RoomKey, Authors::Step>> taken_;
    std::vector<RoomKey> dropped_;
};

}  // namespace quicchat::sqlite::detail
