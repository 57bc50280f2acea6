#pragma once

#include "quicchat/sqlite/names.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL void NameTable::insert(std::uint64_t hash, Offset offset) {
    if (4 * (count_ + 1) > 3 * slots_.size()) grow();
    put(make_slot(hash, offset));
    ++count_;
}

QUICCHAT_DECL void NameTable::erase(std::uint64_t hash, Offset offset) {
    if (slots_.empty()) return;
    const std::uint64_t wanted = make_slot(hash, offset);
    std::size_t hole = home(wanted);
    while (slots_[hole] != wanted) {
        if (slots_[hole] == 0) return;
        hole = next(hole);
    }
    // Those that had to go past the hole come nearer to where they are looked for.
    for (std::size_t i = next(hole); slots_[i] != 0; i = next(i)) {
        if (distance(home(slots_[i]), i) < distance(hole, i)) continue;
        slots_[hole] = slots_[i];
        hole = i;
    }
    slots_[hole] = 0;
    --count_;
}

QUICCHAT_DECL std::vector<Offset> NameTable::find(std::uint64_t hash, Offset head) const {
    std::vector<Offset> found;
    if (slots_.empty()) return found;
    const std::uint64_t wanted = make_slot(hash, 0);
    for (std::size_t i = home(wanted); slots_[i] != 0; i = next(i)) {
        if (slots_[i] >> 32 != wanted >> 32) continue;
        const auto age = static_cast<std::uint32_t>(head - slots_[i]);
        found.push_back(head - age);
    }
    return found;
}

QUICCHAT_DECL std::uint64_t NameTable::make_slot(std::uint64_t hash, Offset offset) {
    return (hash | (std::uint64_t{1} << 32)) >> 32 << 32 | static_cast<std::uint32_t>(offset);
}

QUICCHAT_DECL std::size_t NameTable::home(std::uint64_t slot) const {
    return static_cast<std::size_t>(slot >> 33) & (slots_.size() - 1);
}

QUICCHAT_DECL std::size_t NameTable::distance(std::size_t from, std::size_t to) const {
    return (to - from) & (slots_.size() - 1);
}

QUICCHAT_DECL void NameTable::put(std::uint64_t slot) {
    std::size_t i = home(slot);
    while (slots_[i] != 0) i = next(i);
    slots_[i] = slot;
}

QUICCHAT_DECL void NameTable::grow() {
    const std::vector<std::uint64_t> old =
        std::exchange(slots_, std::vector<std::uint64_t>(slots_.empty() ? 16 : 2 * slots_.size()));
    for (const std::uint64_t slot : old) {
        if (slot != 0) put(slot);
    }
}

QUICCHAT_DECL Names::Names(const SipHash& hash) : hash_(hash) {}

QUICCHAT_DECL std::uint64_t Names::hash(std::string_view author, BytesView device, BytesView id) {
    bytes_.clear();
    append(bytes_, device);
    append(bytes_, id);
    append(bytes_, as_bytes(author));
    return hash_(bytes_);
}

QUICCHAT_DECL void Names::insert(RoomKey room, std::uint64_t hash, Offset offset) {
    tables_[room].insert(hash, offset);
    inserted_.push_back({room, hash, offset});
}

QUICCHAT_DECL void Names::erase(RoomKey room, std::uint64_t hash, Offset offset) {
    erased_.push_back({room, hash, offset});
}

QUICCHAT_DECL void Names::erase(RoomKey room) { dropped_.push_back(room); }

QUICCHAT_DECL std::vector<Offset> Names::find(RoomKey room, std::uint64_t hash, Offset head) const {
    const auto table = tables_.find(room);
    return table == tables_.end() ? std::vector<Offset>{} : table->second.find(hash, head);
}

QUICCHAT_DECL void Names::accept() {
    for (const Name& name : erased_) tables_[name.room].erase(name.hash, name.offset);
    for (const RoomKey room : dropped_) tables_.erase(room);
    forget_changes();
}

QUICCHAT_DECL void Names::roll_back() {
    for (const Name& name : inserted_) tables_[name.room].erase(name.hash, name.offset);
    forget_changes();
}

QUICCHAT_DECL void Names::forget_changes() {
    inserted_.clear();
    erased_.clear();
    dropped_.clear();
}

}  // namespace quicchat::sqlite::detail
