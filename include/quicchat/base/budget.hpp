#pragma once

#include <cstdint>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// What may be spent of something by one who is limited in it: a Rate, so far used. By the generic
/// cell rate algorithm (ITU-T I.371 §A): one time says it all.
class Budget {
public:
    /// How long one must wait until `cost` may be spent; zero: now.
    Duration wait(const Rate& rate, std::uint64_t cost, TimePoint now) const;

    /// Spends it without a check: ask `wait` first. What is spent too much is owed.
    void spend(const Rate& rate, std::uint64_t cost, TimePoint now);

    /// After the rate has changed: nobody owes more than the whole budget.
    void cap(const Rate& rate, TimePoint now);

    /// True if nothing is used: it is as good as new.
    bool is_full(TimePoint now) const;

private:
    static Duration time_for(const Rate& rate, std::uint64_t cost);

    TimePoint full_at_{};
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/budget.ipp"
#endif
