#pragma once

#include "quicchat/log/name_table.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::uint64_t hash_name(const SipHash& hash, std::string_view author,
                                      BytesView device, BytesView id) {
    const std::size_t size = device.size() + id.size() + author.size();
    const auto hash_at = [&](std::byte* const name) {
        std::byte* to = name;
        for (const BytesView part : {device, id, as_bytes(author)}) {
            to = std::copy(part.begin(), part.end(), to);
        }
        return hash({name, size});
    };
    std::byte small[128];
    if (size <= sizeof small) return hash_at(small);
    return hash_at(Buffer(size).data());
}

QUICCHAT_DECL std::optional<NameTable> NameTable::restore(std::vector<std::uint64_t> slots) {
    NameTable table;
    for (const std::uint64_t slot : slots) table.count_ += slot != 0 ? 1 : 0;
    // Whoever looks for a name stops at a free slot.
    if (table.count_ > 0 && table.count_ == slots.size()) return std::nullopt;
    table.slots_ = std::move(slots);
    return table;
}

QUICCHAT_DECL void NameTable::insert(std::uint64_t hash, Offset offset) {
    if (5 * (count_ + 1) > 4 * slots_.size()) {
        grow(std::max<std::size_t>(16, slots_.size() * 5 / 4));
    }
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
    constexpr int hash_bits = 31;
    return static_cast<std::size_t>((slot >> 33) * slots_.size() >> hash_bits);
}

QUICCHAT_DECL std::size_t NameTable::distance(std::size_t from, std::size_t to) const {
    return to >= from ? to - from : to + slots_.size() - from;
}

QUICCHAT_DECL void NameTable::put(std::uint64_t slot) {
    std::size_t i = home(slot);
    while (slots_[i] != 0) i = next(i);
    slots_[i] = slot;
}

QUICCHAT_DECL void NameTable::grow(std::size_t slots) {
    const std::vector<std::uint64_t> old = std::exchange(slots_, std::vector<std::uint64_t>(slots));
    for (const std::uint64_t slot : old) {
        if (slot != 0) put(slot);
    }
}

}  // namespace quicchat
