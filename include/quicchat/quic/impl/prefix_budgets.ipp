#pragma once

#include "quicchat/quic/prefix_budgets.hpp"

#include <algorithm>
#include <span>

#include "quicchat/base/config.hpp"
#include "quicchat/base/network.hpp"

namespace quicchat::quic {

QUICCHAT_DECL PrefixBudgets::PrefixBudgets(Random& random)
    : hash_(SipHash::Key{random.next(), random.next()}), rows_{Row(places), Row(places)} {}

QUICCHAT_DECL bool PrefixBudgets::take(const std::string& prefix, const Rate& rate, TimePoint now) {
    const Places network = find(prefix);
    if (!may(network, rate, now)) return false;
    const std::string site = site_of(prefix);
    if (!site.empty()) {
        const Rate more{rate.burst * networks_per_site, rate.per_second * networks_per_site};
        const Places of_site = find("/" + site);
        if (!may(of_site, more, now)) return false;
        spend(of_site, more, now);
    }
    spend(network, rate, now);
    return true;
}

QUICCHAT_DECL PrefixBudgets::Places PrefixBudgets::find(std::string_view key) {
    const std::uint64_t hash = hash_(std::as_bytes(std::span{key}));
    return {&rows_[0][hash % places], &rows_[1][hash / places % places]};
}

QUICCHAT_DECL bool PrefixBudgets::may(const Places& budgets, const Rate& rate, TimePoint now) {
    return std::ranges::any_of(
        budgets, [&](const Budget* budget) { return budget->wait(rate, 1, now) == Duration{}; });
}

QUICCHAT_DECL void PrefixBudgets::spend(const Places& budgets, const Rate& rate, TimePoint now) {
    for (Budget* budget : budgets) {
        budget->spend(rate, 1, now);
        budget->cap(rate, now);  // so that what is owed comes back in a time that is known
    }
}

}  // namespace quicchat::quic
