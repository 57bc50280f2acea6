#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

// What the pages of a database file were when they were written, so that one that has changed by
// itself is noticed when it is read.

namespace quicchat::sqlite {

/// XXH64 (Collet, 2014) with the seed 0: finds accidents, not attacks. As this machine orders the
/// bytes of a number.
QUICCHAT_DECL std::uint64_t sum_of(BytesView bytes);

/// The sums of a file by blocks, as they were last written. Of what was not written they are as
/// first read. Any thread may call it.
class PageSums {
public:
    /// Pages have so many bytes, or a multiple.
    static constexpr std::size_t block_bytes = 4096;

    /// Call before it is written, and `forget` if that fails. A block that is written in part is
    /// not known any more.
    void note_write(std::uint64_t at, BytesView bytes);

    /// False: a block is not what was written.
    bool check_read(std::uint64_t at, BytesView bytes);

    /// Nothing is known any more of the blocks in which these bytes are.
    void forget(std::uint64_t at, std::size_t size);

    /// The same for all blocks.
    void forget_all();

    /// The file ends there now.
    void truncate(std::uint64_t size);

    /// By block; 0: not known.
    std::vector<std::uint64_t> all() const;

    /// What `all` gave for the file as it is.
    void restore(std::vector<std::uint64_t> sums);

private:
    /// Calls for each block: which one, and its bytes if all of it is there.
    template <class Visit>
    static void visit_blocks(std::uint64_t at, BytesView bytes, const Visit& visit);

    /// Never 0.
    static std::uint64_t sum_of_block(BytesView bytes);

    std::uint64_t& at(std::uint64_t block);

    mutable std::mutex mutex_;
    std::vector<std::uint64_t> sums_;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/page_sums.ipp"
#endif
