#pragma once

#include "quicchat/quic/prefix_budgets.hpp"

#include <algorithm>
#include <chrono>
#include <span>

#include "quicchat/base/config.hpp"
#include "quicchat/base/network.hpp"

namespace quicchat::quic {

QUICCHAT_DECL PrefixBudgets::PrefixBudgets(Random& random)
    : hash_(SipHash::Key{random.next(), random.next()}), rows_{Row(places), Row(places)} {}

QUICCHAT_DECL bool PrefixBudgets::take(const std::string& prefix, const Rate& rate, TimePoint now) {
    const Account network = find(prefix, rate);
    if (!may(network, now)) return false;
    const std::string site = site_of(prefix);
    if (!site.empty()) {
        const Rate more{rate.burst * networks_per_site, rate.per_second * networks_per_site};
        const Account of_site = find("/" + site, more);
        if (!may(of_site, now)) return false;
        spend(of_site, now);
    }
    spend(network, now);
    return true;
}

QUICCHAT_DECL PrefixBudgets::Account PrefixBudgets::find(std::string_view key, const Rate& rate) {
    const std::uint64_t hash = hash_(std::as_bytes(std::span{key}));
    const Duration step =
        std::chrono::duration_cast<Duration>(std::chrono::seconds{1}) / rate.per_second;
    return {{&rows_[0][hash % places], &rows_[1][hash / places % places]},
            step,
            step * static_cast<Duration::rep>(rate.burst)};
}

QUICCHAT_DECL bool PrefixBudgets::may(const Account& account, TimePoint now) {
    return std::any_of(account.full_at.begin(), account.full_at.end(), [&](const TimePoint* full) {
        return *full + account.step <= now + account.depth;
    });
}

QUICCHAT_DECL void PrefixBudgets::spend(const Account& account, TimePoint now) {
    // Nobody owes more than the whole budget, so that it comes back in a time that is known.
    for (TimePoint* full : account.full_at) {
        *full = std::min(std::max(*full, now) + account.step, now + account.depth);
    }
}

}  // namespace quicchat::quic
