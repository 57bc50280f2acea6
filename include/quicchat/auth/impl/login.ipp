#pragma once

#include "quicchat/auth/login.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL std::optional<LoginStep> LoginExchange::poll(Now) { return std::nullopt; }

QUICCHAT_RARE_DECL std::optional<TimePoint> LoginExchange::deadline() const { return std::nullopt; }

}  // namespace quicchat
