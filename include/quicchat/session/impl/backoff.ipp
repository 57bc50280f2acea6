#pragma once

#include "quicchat/session/backoff.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::optional<Duration> Backoff::handle_lost(Errc why, TimePoint now,
                                                           Entropy& entropy) {
    if (online_since_ && now - *online_since_ >= policy_.stable) attempts_ = 0;
    if (online_since_ || !offline_since_) offline_since_ = now;
    was_online_ = was_online_ || online_since_.has_value();
    online_since_.reset();
    const ErrorClass kind = error_class(why);
    const bool helps = kind == ErrorClass::retry || kind == ErrorClass::retry_after;
    if (!policy_.enabled || !helps) return std::nullopt;
    if (!was_online_ && !policy_.before_first_login) return std::nullopt;

    const bool busy = kind == ErrorClass::retry_after;
    const Duration max = busy ? policy_.busy_delay_max : policy_.delay_max;
    Duration delay = busy ? policy_.busy_delay_min : policy_.delay_min;
    for (std::uint64_t i = 0; i < attempts_ && delay < max; ++i) delay *= 2;
    delay = std::min(delay, max);
    const auto half = static_cast<std::uint64_t>(delay.count() / 2);
    delay -= Duration{static_cast<Duration::rep>(entropy.draw_number() % (half + 1))};
    ++attempts_;
    const bool over =
        policy_.give_up_after && now + delay - *offline_since_ > *policy_.give_up_after;
    return over ? std::nullopt : std::optional{delay};
}

}  // namespace quicchat
