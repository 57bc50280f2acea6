#pragma once

#include <algorithm>
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

    void push(TimePoint deadline, ConnectionId connection) {
        entries_.push_back({deadline, connection});
        std::push_heap(entries_.begin(), entries_.end(), later);
    }

    /// The earliest entry, if it is due.
    std::optional<Entry> pop_due(TimePoint now) {
        if (entries_.empty() || entries_.front().deadline > now) return std::nullopt;
        std::pop_heap(entries_.begin(), entries_.end(), later);
        const Entry entry = entries_.back();
        entries_.pop_back();
        return entry;
    }

    /// At or before the earliest deadline of all connections.
    std::optional<TimePoint> next() const {
        if (entries_.empty()) return std::nullopt;
        return entries_.front().deadline;
    }

    std::size_t size() const { return entries_.size(); }

private:
    static bool later(const Entry& a, const Entry& b) { return a.deadline > b.deadline; }

    std::vector<Entry> entries_;
};

}  // namespace quicchat::quic
