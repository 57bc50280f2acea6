#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "quicchat/base/time.hpp"

namespace quicchat::memory::detail {

/// What is due when, for many owners. Things due at the same moment come in the order in which they
/// were added. Each owner knows its own next moment, so that a driver wakes only whom it must.
template <class Item>
class Schedule {
public:
    using Owner = std::uint32_t;

    Owner add_owner() {
        heaps_.emplace_back();
        return static_cast<Owner>(heaps_.size() - 1);
    }

    void add(Owner owner, TimePoint at, Item item) {
        const Entry entry{at, next_sequence_++, owner, store(std::move(item))};
        std::vector<Entry>& heap = heaps_[owner];
        push(heap, entry);
        if (heap.front().sequence == entry.sequence) push(tops_, entry);
    }

    /// When something is due at all.
    std::optional<TimePoint> next() const {
        discard_stale();
        if (tops_.empty()) return std::nullopt;
        return tops_.front().at;
    }

    /// When something is due for `owner`.
    std::optional<TimePoint> next(Owner owner) const {
        const std::vector<Entry>& heap = heaps_[owner];
        if (heap.empty()) return std::nullopt;
        return heap.front().at;
    }

    /// Takes what is due first. There must be something.
    std::pair<TimePoint, Item> take() {
        discard_stale();
        assert(!tops_.empty());
        const Entry entry = tops_.front();
        pop(tops_);
        std::vector<Entry>& heap = heaps_[entry.owner];
        pop(heap);
        if (!heap.empty()) push(tops_, heap.front());
        free_.push_back(entry.slot);
        return {entry.at, std::exchange(items_[entry.slot], Item{})};
    }

private:
    struct Entry {
        TimePoint at;
        std::uint64_t sequence;
        Owner owner;
        std::uint32_t slot;
    };

    static bool later(const Entry& a, const Entry& b) {
        return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
    static void push(std::vector<Entry>& heap, const Entry& entry) {
        heap.push_back(entry);
        std::push_heap(heap.begin(), heap.end(), later);
    }
    static void pop(std::vector<Entry>& heap) {
        std::pop_heap(heap.begin(), heap.end(), later);
        heap.pop_back();
    }

    std::uint32_t store(Item item) {
        if (free_.empty()) {
            items_.push_back(std::move(item));
            return static_cast<std::uint32_t>(items_.size() - 1);
        }
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        items_[slot] = std::move(item);
        return slot;
    }

    // An owner's top that was overtaken by an earlier one stays in tops_ until it surfaces.
    void discard_stale() const {
        while (!tops_.empty()) {
            const Entry& top = tops_.front();
            const std::vector<Entry>& heap = heaps_[top.owner];
            if (!heap.empty() && heap.front().sequence == top.sequence) return;
            pop(tops_);
        }
    }

    std::vector<std::vector<Entry>> heaps_;
    mutable std::vector<Entry> tops_;  // the first of each heap, and stale ones
    std::vector<Item> items_;
    std::vector<std::uint32_t> free_;
    std::uint64_t next_sequence_ = 0;
};

}  // namespace quicchat::memory::detail
