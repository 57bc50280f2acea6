#pragma once

#include "quicchat/base/network.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::detail {

QUICCHAT_DECL std::string ipv6_prefix(std::string_view address, std::size_t bits) {
    std::string front;  // four digits for each group
    std::string back;   // the same behind "::"
    bool compressed = false;
    while (!address.empty()) {
        const std::size_t end = std::min(address.find(':'), address.size());
        const std::string_view group = address.substr(0, end);
        std::string& half = compressed ? back : front;
        if (!group.empty()) half += std::string(4 - std::min<std::size_t>(group.size(), 4), '0');
        half += group;
        address.remove_prefix(end);
        compressed = compressed || address.starts_with("::");
        address.remove_prefix(
            std::min<std::size_t>(address.starts_with("::") ? 2 : 1, address.size()));
    }
    front.resize(32 - std::min<std::size_t>(back.size(), 32), '0');
    return "[" + (front + back).substr(0, bits / 4);
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_DECL std::string address_host(std::string_view address) {
    const std::string_view host = address.substr(0, address.rfind(':'));
    if (host.starts_with('[')) return detail::ipv6_prefix(host.substr(1, host.size() - 2), 64);
    return std::string{host};
}

QUICCHAT_DECL std::string address_prefix(std::string_view address) {
    const std::string_view host = address.substr(0, address.rfind(':'));
    if (host.starts_with('[')) return detail::ipv6_prefix(host.substr(1, host.size() - 2), 56);
    const bool is_v4 = std::count(host.begin(), host.end(), '.') == 3;
    return std::string{is_v4 ? host.substr(0, host.rfind('.')) : host};
}

QUICCHAT_DECL std::string site_of(std::string_view prefix) {
    constexpr std::size_t digits = 48 / 4;
    return prefix.starts_with('[') ? std::string{prefix.substr(0, 1 + digits)} : std::string{};
}

QUICCHAT_DECL Duration NetworkBudgets::wait(const std::string& prefix, const Rate& rate,
                                            std::uint64_t cost, TimePoint now,
                                            const std::string& suffix) const {
    const auto wait_of = [&](const Budgets& budgets, const std::string& key, const Rate& its) {
        const auto found = budgets.find(key);
        return (found == budgets.end() ? Budget{} : found->second).wait(its, cost, now);
    };
    const Duration wait = wait_of(networks_, prefix + suffix, rate);
    const std::string site = site_of(prefix);
    if (site.empty()) return wait;
    return std::max(wait, wait_of(sites_, site + suffix, of_site(rate)));
}

QUICCHAT_DECL void NetworkBudgets::spend(const std::string& prefix, const Rate& rate,
                                         std::uint64_t cost, TimePoint now,
                                         const std::string& suffix) {
    networks_[prefix + suffix].spend(rate, cost, now);
    const std::string site = site_of(prefix);
    if (!site.empty()) sites_[site + suffix].spend(of_site(rate), cost, now);
}

QUICCHAT_DECL Duration NetworkBudgets::take(const std::string& prefix, const Rate& rate,
                                            TimePoint now) {
    const Duration time = wait(prefix, rate, 1, now);
    if (time == Duration{}) spend(prefix, rate, 1, now);
    return time;
}

QUICCHAT_DECL void NetworkBudgets::cap(const Rate& rate, TimePoint now) {
    for (auto& [key, budget] : networks_) budget.cap(rate, now);
    for (auto& [key, budget] : sites_) budget.cap(of_site(rate), now);
}

QUICCHAT_DECL void NetworkBudgets::sweep(TimePoint now) {
    for (Budgets* budgets : {&networks_, &sites_}) {
        std::erase_if(*budgets, [&](const auto& entry) { return entry.second.is_full(now); });
    }
}

QUICCHAT_DECL Rate NetworkBudgets::of_site(const Rate& rate) {
    return {rate.burst * networks_per_site, rate.per_second * networks_per_site};
}

QUICCHAT_DECL std::optional<ConnectionId> Newcomers::add(ConnectionId id, std::string_view address,
                                                         std::size_t per_prefix_max,
                                                         std::size_t all_max) {
    const std::string prefix = address_prefix(address);
    const Source source{address_host(address), prefix, site_of(prefix)};
    waiting_.emplace(id, source);
    for (std::size_t level = 0; level < source.size(); ++level) ++counts_[level][source[level]];

    // Where there are too many: in a network, in a site, or in all.
    std::optional<std::size_t> level;
    if (count(1, source) > per_prefix_max) {
        level = 1;
    } else if (!source[2].empty() && count(2, source) > per_prefix_max * networks_per_site) {
        level = 2;
    }
    if (!level && waiting_.size() <= all_max) return std::nullopt;
    std::optional<ConnectionId> found;
    std::pair<std::size_t, std::size_t> most;
    for (const auto& [other, its] : waiting_) {
        if (level && its[*level] != source[*level]) continue;
        const std::pair counts{count(1, its), count(0, its)};
        if (found && counts <= most) continue;
        found = other;
        most = counts;
    }
    if (found) remove(*found);
    return found;
}

QUICCHAT_DECL void Newcomers::remove(ConnectionId id) {
    const auto source = waiting_.extract(id);
    if (source.empty()) return;
    for (std::size_t level = 0; level < counts_.size(); ++level) {
        const auto found = counts_[level].find(source.mapped()[level]);
        if (--found->second == 0) counts_[level].erase(found);
    }
}

QUICCHAT_DECL std::size_t Newcomers::count(std::size_t level, const Source& source) const {
    return counts_[level].at(source[level]);
}

}  // namespace quicchat
