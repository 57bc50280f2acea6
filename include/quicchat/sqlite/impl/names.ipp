#pragma once

#include "quicchat/sqlite/names.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL Names::Names(const SipHash& hash) : hash_(hash) {}

QUICCHAT_DECL void Names::insert(RoomKey room, std::uint64_t hash, Offset offset) {
    table_of(room).insert(hash, offset);
    inserted_.push_back({room, hash, offset});
}

QUICCHAT_DECL void Names::load(RoomKey room, std::uint64_t hash, Offset offset) {
    table_of(room).insert(hash, offset);
}

QUICCHAT_DECL void Names::erase(RoomKey room, std::uint64_t hash, Offset offset) {
    erased_.push_back({room, hash, offset});
}

QUICCHAT_DECL void Names::erase(RoomKey room) { dropped_.push_back(room); }

QUICCHAT_DECL std::vector<Offset> Names::find(RoomKey room, std::uint64_t hash, Offset head) {
    return table_of(room).find(hash, head);
}

QUICCHAT_DECL NameTable& Names::table_of(RoomKey room) {
    if (newest_.second == nullptr || newest_.first != room) newest_ = {room, &tables_[room]};
    return *newest_.second;
}

QUICCHAT_DECL void Names::accept() {
    for (const Name& name : erased_) table_of(name.room).erase(name.hash, name.offset);
    for (const RoomKey room : dropped_) tables_.erase(room);
    forget_changes();
}

QUICCHAT_DECL void Names::roll_back() {
    for (const Name& name : inserted_) table_of(name.room).erase(name.hash, name.offset);
    forget_changes();
}

QUICCHAT_DECL void Names::forget_changes() {
    inserted_.clear();
    erased_.clear();
    dropped_.clear();
    newest_.second = nullptr;  // it may be gone
}

}  // namespace quicchat::sqlite::detail
