#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "quicchat/base/queue.hpp"
#include "quicchat/session/event.hpp"

namespace quicchat {

/// What a server tells the program around it, which need not listen: the oldest news are dropped.
class EventQueue {
public:
    explicit EventQueue(const std::size_t& events_max) : events_max_(&events_max) {}

    void push(ServerEvent event) {
        while (events_.size() >= *events_max_) events_.pop_front();
        events_.push_back(std::move(event));
    }
    std::optional<ServerEvent> poll() { return pop_front(events_); }

private:
    const std::size_t* events_max_;
    std::deque<ServerEvent> events_;
};

}  // namespace quicchat
