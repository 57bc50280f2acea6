#pragma once

#include "quicchat/server/config.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL void ServerConfig::take_over(const ServerConfig& next) {
    const std::size_t backlog_max = limits.stream_backlog_bytes_max;
    rooms = next.rooms;
    operators = next.operators;
    anybody_makes_rooms = next.anybody_makes_rooms;
    limits = next.limits;
    limits.stream_backlog_bytes_max = backlog_max;
}

QUICCHAT_RARE_DECL std::vector<std::string> ServerConfig::rulers() const {
    std::vector<std::string> names = operators;
    if (!speaker.empty()) names.push_back(speaker);
    return names;
}

}  // namespace quicchat
