#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/siphash.hpp"

namespace quicchat {

/// The hash of what names a record in its room: (author, device, id). Clients choose ids, so it
/// has a key.
QUICCHAT_DECL std::uint64_t hash_name(const SipHash& hash, std::string_view author,
                                      BytesView device, BytesView id);

/// The records of one room by the hashes of their names: 8 bytes each, of which two thirds to four
/// fifths are taken. Two names may share a hash; the record itself tells.
class NameTable {
public:
    /// The table whose `slots` they are. Nothing: no table has them.
    static std::optional<NameTable> restore(std::vector<std::uint64_t> slots);

    /// The same record must not be in it yet.
    void insert(std::uint64_t hash, Offset offset);

    /// Does nothing if it is not there.
    void erase(std::uint64_t hash, Offset offset);

    /// The records that may have a name of this hash. `head` is the newest in the table.
    std::vector<Offset> find(std::uint64_t hash, Offset head) const;

    /// How many records are in it.
    std::size_t size() const { return count_; }

    /// All that is in it, for `restore`.
    std::span<const std::uint64_t> slots() const { return slots_; }

private:
    /// Half of the hash, never 0, and half of the offset: no room keeps 2^32 records.
    static std::uint64_t make_slot(std::uint64_t hash, Offset offset);

    /// The higher the hash, the further back: so a larger table is filled from front to back.
    std::size_t home(std::uint64_t slot) const;
    std::size_t next(std::size_t i) const { return i + 1 == slots_.size() ? 0 : i + 1; }
    std::size_t distance(std::size_t from, std::size_t to) const;

    void put(std::uint64_t slot);

    void grow(std::size_t slots);

    std::vector<std::uint64_t> slots_;  ///< 0: free.
    std::size_t count_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/log/impl/name_table.ipp"
#endif
