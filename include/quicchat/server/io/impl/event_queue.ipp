#pragma once

#include "quicchat/server/io/event_queue.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/queue.hpp"

namespace quicchat {

QUICCHAT_DECL EventQueue::EventQueue(const std::size_t& events_max) : events_max_(&events_max) {}

QUICCHAT_DECL void EventQueue::push(ServerEvent event) {
    while (events_.size() >= *events_max_) events_.pop_front();
    events_.push_back(std::move(event));
}

QUICCHAT_DECL std::optional<ServerEvent> EventQueue::poll() { return pop_front(events_); }

}  // namespace quicchat
