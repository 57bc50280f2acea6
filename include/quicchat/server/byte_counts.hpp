#pragma once

#include <cstddef>
#include <map>

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"

namespace quicchat {

/// How many bytes of something wait for each connection, and for all of them.
class ByteCounts {
public:
    /// Never less is there than is subtracted.
    /// @{
    void add(ConnectionId connection, std::size_t bytes);
    void subtract(ConnectionId connection, std::size_t bytes);
    /// @}

    /// 0 for a connection of which nothing waits.
    std::size_t of(ConnectionId connection) const;
    /// Of all connections together.
    std::size_t all() const { return all_; }

private:
    std::map<ConnectionId, std::size_t> counts_;
    std::size_t all_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/impl/byte_counts.ipp"
#endif
