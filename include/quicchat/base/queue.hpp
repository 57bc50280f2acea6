#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace quicchat {

/// First in, first out, for what there are many of and what is mostly empty: unlike std::deque,
/// which takes half a kilobyte from the start, it has nearly no memory while it is.
template <class T>
class Queue {
public:
    /// For `pop_front` below, as in the containers of std.
    using value_type = T;

    /// Whether it holds nothing; it may still have memory, see `clear`.
    bool empty() const { return head_ == items_.size(); }
    /// Elements in the queue.
    std::size_t size() const { return items_.size() - head_; }
    /// Where its memory is.
    const T* memory() const { return items_.data(); }
    /// For how many elements it has memory.
    std::size_t capacity() const { return items_.capacity(); }

    /// The oldest element. Not of an empty queue.
    /// @{
    T& front() { return items_[head_]; }
    const T& front() const { return items_[head_]; }
    /// @}

    /// The oldest has index 0. There must be so many.
    /// @{
    T& operator[](std::size_t index) { return items_[head_ + index]; }
    const T& operator[](std::size_t index) const { return items_[head_ + index]; }
    /// @}

    /// From the oldest to the newest. Every change of the queue invalidates them.
    /// @{
    auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
    auto end() { return items_.end(); }
    auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
    auto end() const { return items_.end(); }
    /// @}

    /// May move all elements: references to them are good until then.
    void push_back(T value) { items_.push_back(std::move(value)); }

    /// Drops the oldest one and what it holds. Not of an empty queue.
    void pop_front() {
        items_[head_] = T{};  // what it holds is let go now
        ++head_;
        if (empty()) return clear();
        // Each element is moved at most once for each that has gone.
        if (head_ >= moved_at_once && head_ * 2 >= items_.size()) {
            items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
            head_ = 0;
        }
    }

    /// Drops all, and gives memory back where there is more than a little of it.
    void clear() {
        head_ = 0;
        items_.clear();
        if (items_.capacity() * sizeof(T) > kept_bytes_max) items_ = std::vector<T>{};
    }

private:
    static constexpr std::size_t kept_bytes_max = 512;
    static constexpr std::size_t moved_at_once = 32;

    std::vector<T> items_;  ///< Those before `head_` have gone.
    std::size_t head_ = 0;
};

/// Takes the oldest element out of a queue; nothing if there is none.
template <class Queue>
std::optional<typename Queue::value_type> pop_front(Queue& queue) {
    std::optional<typename Queue::value_type> front;
    if (!queue.empty()) {
        front.emplace(std::move(queue.front()));
        queue.pop_front();
    }
    return front;
}

}  // namespace quicchat
