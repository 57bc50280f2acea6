#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/log/name_table.hpp"
#include "quicchat/sqlite/operation.hpp"

// Where the records of a room are by their names: (author, device, id). In memory, as an index in
// the file would be written all over at every commit; it is made from the records at the start.

namespace quicchat::sqlite::detail {

/// The names of all rooms, with the changes of the open transaction.
class Names {
public:
    explicit Names(const SipHash& hash = SipHash{});

    std::uint64_t hash(std::string_view author, BytesView device, BytesView id) const {
        return hash_name(hash_, author, device, id);
    }

    void insert(RoomKey room, std::uint64_t hash, Offset offset);

    /// For a record that was there before any transaction.
    void load(RoomKey room, std::uint64_t hash, Offset offset);

    /// The table that a room had at the end of an earlier program.
    void restore(RoomKey room, NameTable&& names) { tables_[room] = std::move(names); }

    /// It is not used any more.
    NameTable leave(RoomKey room) { return std::move(tables_[room]); }

    /// For a record that was dropped. It may still be found until the transaction is over.
    void erase(RoomKey room, std::uint64_t hash, Offset offset);

    /// The same for all records of a room.
    void erase(RoomKey room);

    std::vector<Offset> find(RoomKey room, std::uint64_t hash, Offset head);

    void accept();

    void roll_back();

private:
    /// The table of a room, which is looked for again and again.
    NameTable& table_of(RoomKey room);

    struct Name {
        RoomKey room{};
        std::uint64_t hash = 0;
        Offset offset = 0;
    };

    void forget_changes();

    SipHash hash_;
    std::map<RoomKey, NameTable> tables_;
    /// Which one was asked for last, if it is still there.
    std::pair<RoomKey, NameTable*> newest_{};
    std::vector<Name> inserted_;
    std::vector<Name> erased_;
    std::vector<RoomKey> dropped_;
};

}  // namespace quicchat::sqlite::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/names.ipp"
#endif
