#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "quicchat/session/event.hpp"

namespace quicchat {

/// What a server tells the program around it, which need not listen: the oldest news are dropped.
class EventQueue {
public:
    /// The bound outlives it, and may be changed.
    explicit EventQueue(const std::size_t& events_max);

    /// Drops the oldest events if there are too many.
    void push(ServerEvent event);
    /// The oldest one; nothing: there is none.
    std::optional<ServerEvent> poll();

private:
    const std::size_t* events_max_;
    std::deque<ServerEvent> events_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/io/impl/event_queue.ipp"
#endif
