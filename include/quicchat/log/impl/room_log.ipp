#pragma once

#include "quicchat/log/room_log.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::optional<int> RoomLog::wake_fd() const { return std::nullopt; }

}  // namespace quicchat
