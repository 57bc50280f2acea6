#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat::quic {

/// When to look after which connection, for thousands of them. Lazy: a connection whose deadline
/// moved back keeps its old entry, and who pops it looks again. So most packets, which only move
/// deadlines back, cost nothing here.
class TimerHeap {
public:
    /// Look after this connection then.
    struct Entry {
        /// The deadline may be an old one: look again at that of the connection.
        /// @{
        TimePoint deadline;
        ConnectionId connection;
        /// @}
    };

    /// May be there already, for the same connection and other times.
    void push(TimePoint deadline, ConnectionId connection);

    /// The earliest entry, if it is due.
    std::optional<Entry> pop_due(TimePoint now);

    /// At or before the earliest deadline of all connections.
    std::optional<TimePoint> next() const;

    /// Entries, which may be more than there are connections.
    std::size_t size() const { return entries_.size(); }

private:
    static bool later(const Entry& a, const Entry& b);

    std::vector<Entry> entries_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/timer_heap.ipp"
#endif
