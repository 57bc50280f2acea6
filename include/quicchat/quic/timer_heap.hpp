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
    struct Entry {
        TimePoint deadline;
        ConnectionId connection;
    };

    void push(TimePoint deadline, ConnectionId connection);

    /// The earliest entry, if it is due.
    std::optional<Entry> pop_due(TimePoint now);

    /// At or before the earliest deadline of all connections.
    std::optional<TimePoint> next() const;

    std::size_t size() const { return entries_.size(); }

private:
    static bool later(const Entry& a, const Entry& b);

    std::vector<Entry> entries_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/timer_heap.ipp"
#endif
