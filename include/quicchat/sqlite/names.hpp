#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/sqlite/operation.hpp"

// Where the records of a room are by their names: (author, device, id). In memory, as an index in
// the file would be written all over at every commit; it is made from the records at the start.

namespace quicchat::sqlite::detail {

/// The records of one room by the hashes of their names: 8 bytes each, of which at most three
/// quarters are taken. Two names may share a hash; the record itself tells.
class NameTable {
public:
    void insert(std::uint64_t hash, Offset offset);

    /// Does nothing if it is not there.
    void erase(std::uint64_t hash, Offset offset);

    /// The records that may have a name of this hash. `head` is the newest in the table.
    std::vector<Offset> find(std::uint64_t hash, Offset head) const;

    std::size_t size() const { return count_; }

private:
    /// Half of the hash, never 0, and half of the offset: no room keeps 2^32 records.
    static std::uint64_t make_slot(std::uint64_t hash, Offset offset);

    std::size_t home(std::uint64_t slot) const;
    std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }
    std::size_t distance(std::size_t from, std::size_t to) const;

    void put(std::uint64_t slot);

    void grow();

    std::vector<std::uint64_t> slots_;  ///< A power of two of them; 0: free.
    std::size_t count_ = 0;
};

/// The names of all rooms, with the changes of the open transaction.
class Names {
public:
    explicit Names(const SipHash& hash = SipHash{});

    std::uint64_t hash(std::string_view author, BytesView device, BytesView id);

    void insert(RoomKey room, std::uint64_t hash, Offset offset);

    /// For a record that was dropped. It may still be found until the transaction is over.
    void erase(RoomKey room, std::uint64_t hash, Offset offset);

    /// The same for all records of a room.
    void erase(RoomKey room);

    std::vector<Offset> find(RoomKey room, std::uint64_t hash, Offset head) const;

    void accept();

    void roll_back();

private:
    struct Name {
        RoomKey room{};
        std::uint64_t hash = 0;
        Offset offset = 0;
    };

    void forget_changes();

    SipHash hash_;
    Buffer bytes_;  ///< Kept between calls for its memory only.
    std::map<RoomKey, NameTable> tables_;
    std::vector<Name> inserted_;
    std::vector<Name> erased_;
    std::vector<RoomKey> dropped_;
};

}  // namespace quicchat::sqlite::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/names.ipp"
#endif
