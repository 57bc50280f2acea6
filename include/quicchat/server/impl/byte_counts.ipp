#pragma once

#include "quicchat/server/byte_counts.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL void ByteCounts::add(ConnectionId connection, std::size_t bytes) {
    if (bytes == 0) return;
    counts_[connection] += bytes;
    all_ += bytes;
}

QUICCHAT_DECL void ByteCounts::subtract(ConnectionId connection, std::size_t bytes) {
    if (bytes == 0) return;
    const auto found = counts_.find(connection);
    found->second -= bytes;
    if (found->second == 0) counts_.erase(found);
    all_ -= bytes;
}

QUICCHAT_DECL std::size_t ByteCounts::of(ConnectionId connection) const {
    const auto found = counts_.find(connection);
    return found == counts_.end() ? 0 : found->second;
}

}  // namespace quicchat
