#pragma once

#include "quicchat/quic/timer_heap.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void TimerHeap::push(TimePoint deadline, ConnectionId connection) {
    entries_.push_back({deadline, connection});
    std::push_heap(entries_.begin(), entries_.end(), later);
}

QUICCHAT_DECL std::optional<TimerHeap::Entry> TimerHeap::pop_due(TimePoint now) {
    if (entries_.empty() || entries_.front().deadline > now) return std::nullopt;
    std::pop_heap(entries_.begin(), entries_.end(), later);
    const Entry entry = entries_.back();
    entries_.pop_back();
    return entry;
}

QUICCHAT_DECL std::optional<TimePoint> TimerHeap::next() const {
    if (entries_.empty()) return std::nullopt;
    return entries_.front().deadline;
}

QUICCHAT_DECL bool TimerHeap::later(const Entry& a, const Entry& b) {
    return a.deadline > b.deadline;
}

}  // namespace quicchat::quic
