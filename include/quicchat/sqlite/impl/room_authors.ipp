#pragma once

#include "quicchat/sqlite/room_authors.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL const Authors& RoomAuthors::at(RoomKey room) { return of(room); }

QUICCHAT_DECL Authors& RoomAuthors::of(RoomKey room) {
    if (newest_.second == nullptr || newest_.first != room) newest_ = {room, &rooms_[room]};
    return *newest_.second;
}

QUICCHAT_DECL void RoomAuthors::take(RoomKey room, Authors::Step&& step) {
    of(room).take(step);
    taken_.emplace_back(room, std::move(step));
}

QUICCHAT_DECL void RoomAuthors::load(RoomKey room, const Authors::Step& step) {
    of(room).take(step);
}

QUICCHAT_DECL void RoomAuthors::erase(RoomKey room) { dropped_.push_back(room); }

QUICCHAT_DECL void RoomAuthors::accept() {
    for (const RoomKey room : dropped_) rooms_.erase(room);
    forget_changes();
}

QUICCHAT_DECL void RoomAuthors::roll_back() {
    for (auto step = taken_.rbegin(); step != taken_.rend(); ++step) {
        Authors& authors = rooms_[step->first];
        authors.take_back(step->second);
        if (authors.empty()) rooms_.erase(step->first);
    }
    forget_changes();
}

QUICCHAT_DECL void RoomAuthors::forget_changes() {
    taken_.clear();
    dropped_.clear();
    newest_.second = nullptr;  // it may be gone
}

}  // namespace quicchat::sqlite::detail
