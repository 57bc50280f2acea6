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
    RoomAuthors() = default;
    RoomAuthors(const RoomAuthors&) = delete;
    RoomAuthors& operator=(const RoomAuthors&) = delete;

    const Authors& at(RoomKey room);

    void take(RoomKey room, Authors::Step&& step);

    /// What was there before any transaction.
    void load(RoomKey room, const Authors::Step& step);

    /// The same: who wrote what in a room, at the end of an earlier program.
    void restore(RoomKey room, Authors&& authors) { rooms_[room] = std::move(authors); }

    Authors leave(RoomKey room) { return std::move(rooms_[room]); }

    /// All that is known of a room goes with the transaction.
    void erase(RoomKey room);

    void accept();

    void roll_back();

private:
    Authors& of(RoomKey room);

    void forget_changes();

    std::map<RoomKey, Authors> rooms_;
    /// What was asked for last, if it is still there: an append asks several times.
    std::pair<RoomKey, Authors*> newest_{};
    std::vector<std::pair<RoomKey, Authors::Step>> taken_;
    std::vector<RoomKey> dropped_;
};

}  // namespace quicchat::sqlite::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/room_authors.ipp"
#endif
