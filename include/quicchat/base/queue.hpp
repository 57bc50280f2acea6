#pragma once

#include <deque>
#include <optional>
#include <utility>

namespace quicchat {

/// Takes the oldest element out of a queue; nothing if there is none.
template <class T>
std::optional<T> pop_front(std::deque<T>& queue) {
    if (queue.empty()) return std::nullopt;
    std::optional<T> front{std::move(queue.front())};
    queue.pop_front();
    return front;
}

}  // namespace quicchat
