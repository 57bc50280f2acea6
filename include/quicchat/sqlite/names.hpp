#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/operation.hpp"

// Where the records of a room are by their names: (author, device, id). In memory, as an index in
// the file would be written all over at every commit; it is made from the records at the start.

namespace quicchat::sqlite::detail {

/// The records of one room by the hashes of their names: 8 bytes each, of which at most three
/// quarters are taken. Two names may share a hash; the record itself tells.
class NameTable {
public:
    void insert(std::uint64_t hash, Offset offset) {
        if (4 * (count_ + 1) > 3 * slots_.size()) grow();
        put(make_slot(hash, offset));
        ++count_;
    }

    /// Does nothing if it is not there.
    void erase(std::uint64_t hash, Offset offset) {
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

    /// The records that may have a name of this hash. `head` is the newest in the table.
    std::vector<Offset> find(std::uint64_t hash, Offset head) const {
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

    std::size_t size() const { return count_; }

private:
    /// Half of the hash, never 0, and half of the offset: no room keeps 2^32 records.
    static std::uint64_t make_slot(std::uint64_t hash, Offset offset) {
        return (hash | (std::uint64_t{1} << 32)) >> 32 << 32 | static_cast<std::uint32_t>(offset);
    }

    std::size_t home(std::uint64_t slot) const {
        return static_cast<std::size_t>(slot >> 33) & (slots_.size() - 1);
    }
    std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }
    std::size_t distance(std::size_t from, std::size_t to) const {
        return (to - from) & (slots_.size() - 1);
    }

    void put(std::uint64_t slot) {
        std::size_t i = home(slot);
        while (slots_[i] != 0) i = next(i);
        slots_[i] = slot;
    }

    void grow() {
        const std::vector<std::uint64_t> old = std::exchange(
            slots_, std::vector<std::uint64_t>(slots_.empty() ? 16 : 2 * slots_.size()));
        for (const std::uint64_t slot : old) {
            if (slot != 0) put(slot);
        }
    }

    std::vector<std::uint64_t> slots_;  ///< A power of two of them; 0: free.
    std::size_t count_ = 0;
};

/// The names of all rooms, with the changes of the open transaction.
class Names {
public:
    explicit Names(const SipHash& hash = SipHash{}) : hash_(hash) {}

    std::uint64_t hash(std::string_view author, BytesView device, BytesView id) {
        bytes_.clear();
        append(bytes_, device);
        append(bytes_, id);
        append(bytes_, as_bytes(author));
        return hash_(bytes_);
    }

    void insert(RoomKey room, std::uint64_t hash, Offset offset) {
        tables_[room].insert(hash, offset);
        inserted_.push_back({room, hash, offset});
    }

    /// For a record that was dropped. It may still be found until the transaction is over.
    void erase(RoomKey room, std::uint64_t hash, Offset offset) {
        erased_.push_back({room, hash, offset});
    }

    /// The same for all records of a room.
    void erase(RoomKey room) { dropped_.push_back(room); }

    std::vector<Offset> find(RoomKey room, std::uint64_t hash, Offset head) const {
        const auto table = tables_.find(room);
        return table == tables_.end() ? std::vector<Offset>{} : table->second.find(hash, head);
    }

    void accept() {
        for (const Name& name : erased_) tables_[name.room].erase(name.hash, name.offset);
        for (const RoomKey room : dropped_) tables_.erase(room);
        forget_changes();
    }

    void roll_back() {
        for (const Name& name : inserted_) tables_[name.room].erase(name.hash, name.offset);
        forget_changes();
    }

private:
    struct Name {
        RoomKey room{};
        std::uint64_t hash = 0;
        Offset offset = 0;
    };

    void forget_changes() {
        inserted_.clear();
        erased_.clear();
        dropped_.clear();
    }

    SipHash hash_;
    Buffer bytes_;  ///< Kept between calls for its memory only.
    std::map<RoomKey, NameTable> tables_;
    std::vector<Name> inserted_;
    std::vector<Name> erased_;
    std::vector<RoomKey> dropped_;
};

}  // namespace quicchat::sqlite::detail
