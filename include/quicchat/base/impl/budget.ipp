#pragma once

#include "quicchat/base/budget.hpp"

#include <algorithm>
#include <chrono>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL Duration Budget::wait(const Rate& rate, std::uint64_t cost, TimePoint now) const {
    const Duration room = time_for(rate, rate.burst) - (std::max(full_at_, now) - now);
    const Duration need = time_for(rate, std::min(cost, rate.burst));
    return std::max(need - room, Duration{});
}

QUICCHAT_DECL void Budget::spend(const Rate& rate, std::uint64_t cost, TimePoint now) {
    full_at_ = std::max(full_at_, now) + time_for(rate, cost);
}

QUICCHAT_DECL void Budget::cap(const Rate& rate, TimePoint now) {
    full_at_ = std::min(full_at_, now + time_for(rate, rate.burst));
}

QUICCHAT_DECL bool Budget::is_full(TimePoint now) const { return full_at_ <= now; }

QUICCHAT_DECL Duration Budget::time_for(const Rate& rate, std::uint64_t cost) {
    const double seconds = static_cast<double>(cost) / static_cast<double>(rate.per_second);
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds});
}

}  // namespace quicchat
