#pragma once

#include "quicchat/sqlite/id_blocks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/sqlite/account_table.hpp"

namespace quicchat::sqlite::detail {

/// Writes the ids of a block: of each, oldest first, how far it is before the last one and whose it
/// is, one byte each; 16 bytes of id, and 8 each for time and mark, the lowest byte first. Whose:
/// the n-th owner in this block, from 1; 0: another one, who follows with the device, two bytes of
/// length, and the name.
class BlockWriter {
public:
    explicit BlockWriter(Offset last) : last_(last) {}

    void add(const OldRecord& old) {
        put_number(last_ - old.id.offset, 1);
        const std::size_t owner = find_owner(old);
        put_number(owner, 1);
        append(bytes_, old.id.id.bytes);
        put_number(static_cast<std::uint64_t>(to_number(old.id.time)), 8);
        put_number(old.id.mark, 8);
        if (owner != 0) return;
        append(bytes_, old.device.bytes);
        put_number(old.author.size(), 2);
        append(bytes_, as_bytes(old.author));
        owners_.push_back(&old);
    }

    BytesView bytes() const { return bytes_; }

private:
    std::size_t find_owner(const OldRecord& old) const {
        const auto is_same = [&](const OldRecord* owner) {
            return owner->device == old.device && owner->author == old.author;
        };
        const auto found = std::ranges::find_if(owners_, is_same);
        return found == owners_.end() ? 0 : static_cast<std::size_t>(found - owners_.begin()) + 1;
    }

    void put_number(std::uint64_t number, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            bytes_.push_back(static_cast<std::byte>(number >> (8 * i)));
        }
    }

    Offset last_;
    Buffer bytes_;
    std::vector<const OldRecord*> owners_;
};

/// Reads what a BlockWriter has written. False: it is none of that.
inline bool read_block(BytesView bytes, Offset last, std::vector<OldRecord>& ids) {
    constexpr std::size_t head_bytes = 1 + 1 + 16 + 8 + 8;
    const auto number = [&](std::size_t size) {
        const std::uint64_t read = load_word(bytes.first(size));
        bytes = bytes.subspan(size);
        return read;
    };
    const auto copy = [&](std::array<std::byte, 16>& to) {
        std::ranges::copy(bytes.first(16), to.begin());
        bytes = bytes.subspan(16);
    };
    std::vector<std::size_t> owners;  // where in `ids` they come first
    while (!bytes.empty()) {
        if (bytes.size() < head_bytes) return false;
        OldRecord old;
        const std::uint64_t distance = number(1);
        const auto owner = static_cast<std::size_t>(number(1));
        if (distance >= offsets_per_block || owner > owners.size()) return false;
        old.id.offset = last - distance;
        copy(old.id.id.bytes);
        old.id.time = to_time(static_cast<std::int64_t>(number(8)));
        old.id.mark = number(8);
        if (owner != 0) {
            const OldRecord& first = ids[owners[owner - 1]];
            old.device = first.device;
            old.author = first.author;
        } else {
            if (bytes.size() < 16 + 2) return false;
            copy(old.device.bytes);
            const auto size = static_cast<std::size_t>(number(2));
            if (bytes.size() < size) return false;
            old.author = as_text(bytes.first(size));
            bytes = bytes.subspan(size);
            owners.push_back(ids.size());
        }
        ids.push_back(std::move(old));
    }
    return true;
}

QUICCHAT_DECL IdBlocks::IdBlocks(Database& database)
    : select_all_(database, "SELECT id, room, last, ids FROM id_block ORDER BY id"),
      select_(database, "SELECT ids FROM id_block WHERE id=?1"),
      insert_(database, "INSERT INTO id_block VALUES(?1, ?2, ?3, ?4)"),
      update_(database, "UPDATE id_block SET ids=?2 WHERE id=?1"),
      delete_(database, "DELETE FROM id_block WHERE id=?1") {}

QUICCHAT_DECL int IdBlocks::load(const std::function<void(RoomKey, const OldRecord&)>& take) {
    Rows rows = select_all_.query();
    std::vector<OldRecord> ids;
    while (rows.next()) {
        const RoomKey room{rows.number(1)};
        const auto last = static_cast<Offset>(rows.number(2));
        newest_row_ = rows.number(0);
        Block& block = rooms_[room][last];
        block.row = newest_row_;
        ids.clear();
        if (!read_block(rows.bytes(3), last, ids)) return SQLITE_CORRUPT;
        block.written = static_cast<std::uint32_t>(ids.size());
        for (const OldRecord& id : ids) {
            block.live |= std::uint64_t{1} << (last - id.id.offset);
            take(room, id);
        }
    }
    return rows.code();
}

QUICCHAT_DECL int IdBlocks::insert(RoomKey room, std::span<const OldRecord> ids) {
    while (!ids.empty()) {
        std::size_t count = 1;
        const Offset first = ids.front().id.offset;
        while (count < ids.size() && ids[count].id.offset - first < offsets_per_block) ++count;
        if (const int code = insert_block(room, ids.first(count))) return code;
        ids = ids.subspan(count);
    }
    return SQLITE_OK;
}

QUICCHAT_DECL int IdBlocks::insert_block(RoomKey room, std::span<const OldRecord> ids) {
    const Offset last = ids.back().id.offset;
    Block block{.row = ++newest_row_,
                .written = static_cast<std::uint32_t>(ids.size()),
                .is_changed = true};
    BlockWriter bytes{last};
    for (const OldRecord& id : ids) {
        block.live |= std::uint64_t{1} << (last - id.id.offset);
        bytes.add(id);
    }
    undo_.push_back({room, last, std::nullopt});
    rooms_[room][last] = block;
    return insert_.run(block.row, room, last, bytes.bytes());
}

QUICCHAT_DECL int IdBlocks::drop(RoomKey room) {
    dropped_.push_back(room);
    const auto blocks = rooms_.find(room);
    if (blocks == rooms_.end()) return SQLITE_OK;
    for (const auto& [last, block] : blocks->second) {
        if (const int code = delete_.run(block.row)) return code;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL void IdBlocks::forget(RoomKey room, Offset offset) {
    const auto blocks = rooms_.find(room);
    if (blocks == rooms_.end()) return;
    const auto found = blocks->second.lower_bound(offset);
    if (found == blocks->second.end()) return;
    auto& [last, block] = *found;
    if (last - offset >= offsets_per_block) return;
    const std::uint64_t bit = std::uint64_t{1} << (last - offset);
    if ((block.live & bit) == 0) return;
    if (!block.is_changed) undo_.push_back({room, last, block});
    block.is_changed = true;
    block.live &= ~bit;
}

QUICCHAT_DECL int IdBlocks::finish() {
    for (const Undo& undo : undo_) {
        Block* const block = find(undo.room, undo.last);
        if (block == nullptr) continue;
        const auto live = static_cast<std::uint32_t>(std::popcount(block->live));
        int code = SQLITE_OK;
        if (live == 0) {
            code = delete_.run(block->row);
        } else if (2 * live <= block->written) {
            block->written = live;
            code = rewrite(undo.last, *block);
        }
        if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL void IdBlocks::accept() {
    for (const Undo& undo : undo_) {
        Block* const block = find(undo.room, undo.last);
        if (block == nullptr) continue;
        block->is_changed = false;
        if (block->live == 0) rooms_.at(undo.room).erase(undo.last);
    }
    undo_.clear();
    for (const RoomKey room : dropped_) rooms_.erase(room);
    dropped_.clear();
}

QUICCHAT_DECL void IdBlocks::roll_back() {
    for (const Undo& undo : undo_) {
        Blocks& blocks = rooms_.at(undo.room);
        if (undo.before) {
            blocks.at(undo.last) = *undo.before;
        } else {
            blocks.erase(undo.last);
        }
    }
    undo_.clear();
    dropped_.clear();
}

QUICCHAT_DECL IdBlocks::Block* IdBlocks::find(RoomKey room, Offset last) {
    const auto blocks = rooms_.find(room);
    if (blocks == rooms_.end()) return nullptr;
    const auto found = blocks->second.find(last);
    return found == blocks->second.end() ? nullptr : &found->second;
}

QUICCHAT_DECL int IdBlocks::rewrite(Offset last, const Block& block) {
    std::vector<OldRecord> ids;
    {
        Rows rows = select_.query(block.row);
        if (rows.next() && !read_block(rows.bytes(0), last, ids)) return SQLITE_CORRUPT;
        if (rows.code() != SQLITE_OK) return rows.code();
    }
    BlockWriter left{last};
    for (const OldRecord& id : ids) {
        if ((block.live >> (last - id.id.offset) & 1) != 0) left.add(id);
    }
    return update_.run(block.row, left.bytes());
}

QUICCHAT_DECL int move_ids_to_blocks(Database& database) {
    constexpr std::size_t ids_at_once = 1024;
    IdBlocks blocks{database};
    {
        Statement select{database,
                         "SELECT room, offset, author, device, id, time, mark FROM old_id "
                         "ORDER BY room, offset"};
        Rows rows = select.query();
        RoomKey room{};
        std::vector<OldRecord> ids;
        while (rows.next()) {
            const RoomKey next{rows.number(0)};
            if (next != room || ids.size() == ids_at_once) {
                if (const int code = blocks.insert(room, ids)) return code;
                ids.clear();
                room = next;
            }
            OldRecord& id = ids.emplace_back();
            id.id.offset = static_cast<Offset>(rows.number(1));
            id.author = rows.text(2);
            rows.copy_to(3, id.device.bytes);
            rows.copy_to(4, id.id.id.bytes);
            id.id.time = to_time(rows.number(5));
            id.id.mark = static_cast<std::uint64_t>(rows.number(6));
        }
        if (rows.code() != SQLITE_OK) return rows.code();
        if (const int code = blocks.insert(room, ids)) return code;
    }
    return database.run("DROP TABLE old_id");
}

}  // namespace quicchat::sqlite::detail
