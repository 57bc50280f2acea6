#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/log/authors.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/operation.hpp"

// The ids whose records are gone, in the file: many in one row, since a row costs far more than the
// sixty bytes of an id. All functions that can fail give the result code of SQLite.

namespace quicchat::sqlite::detail {

/// What is left of the oldest records when they are dropped.
struct OldRecord {
    std::string author;
    DeviceId device;
    std::int64_t bytes = 0;
    OldId id;
    bool is_needed = false;  ///< It was dropped, and its id is to be recognised.
};

/// A block's ids stand at offsets within so many of its last one.
inline constexpr Offset offsets_per_block = 64;

/// Writes the blocks in the transactions of its owner, and knows which of their ids are still to be
/// recognised. A block is written anew once half of its ids are forgotten, so a file has at most
/// twice as many as are needed; which ones is not stored, and all are read at the start.
class IdBlocks {
public:
    explicit IdBlocks(Database& database);

    /// Gives all ids that are there to `take`, those of a room in the order of offsets.
    int load(const std::function<void(RoomKey, const OldRecord&)>& take);

    /// Ids that are newer than those of the room that are there, in the order of offsets.
    int insert(RoomKey room, std::span<const OldRecord> ids);

    /// Does nothing if the id at that offset is in no block.
    void forget(RoomKey room, Offset offset);

    int drop(RoomKey room);

    /// Before the transaction is committed: writes or deletes the blocks that have lost ids.
    int finish();

    void accept();

    void roll_back();

private:
    struct Block {
        std::int64_t row = 0;
        std::uint64_t live = 0;     ///< Bit n: the id at n before the last is to be recognised.
        std::uint32_t written = 0;  ///< So many ids are in the row.
        bool is_changed = false;    ///< By the open transaction.
    };
    using Blocks = std::map<Offset, Block>;  ///< By their last offsets.

    /// A block that the open transaction has changed, as it was before.
    struct Undo {
        RoomKey room{};
        Offset last = 0;
        std::optional<Block> before;
    };

    int insert_block(RoomKey room, std::span<const OldRecord> ids);

    Block* find(RoomKey room, Offset last);

    /// Leaves out what is forgotten.
    int rewrite(Offset last, const Block& block);

    std::map<RoomKey, Blocks> rooms_;
    std::int64_t newest_row_ = 0;  ///< Rows of all rooms stand in the order in which they came.
    std::vector<Undo> undo_;
    std::vector<RoomKey> dropped_;
    Statement select_all_;
    Statement select_;
    Statement insert_;
    Statement update_;
    Statement delete_;
};

/// For a file in which each id without a record has a row: puts them into blocks.
QUICCHAT_DECL int move_ids_to_blocks(Database& database);

}  // namespace quicchat::sqlite::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/id_blocks.ipp"
#endif
