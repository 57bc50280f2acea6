#pragma once

#include "quicchat/auth/ticket_desk.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL const char* ticket_rules_problem(const TicketRules& rules) {
    if (rules.keys.empty()) return nullptr;
    if (rules.keys.size() > TicketRules::keys_max) return "there are more than two keys";
    for (const Secret& key : rules.keys) {
        const std::size_t size = key.view().size();
        if (size < ticket_key_bytes_min) return "a key is shorter than 32 bytes";
        if (size > ticket_key_bytes_max) return "a key is longer than 512 bytes";
    }
    if (rules.audience.empty() || rules.audience.size() > ticket_text_bytes_max ||
        !is_clean_text(rules.audience)) {
        return "the audience is no text of 1 to 255 bytes";
    }
    if (rules.hosts.size() > TicketRules::hosts_max) return "there are more than 16 hosts";
    const bool are_hosts = std::all_of(rules.hosts.begin(), rules.hosts.end(),
                                       [](const auto& host) { return is_page_host(host); });
    return are_hosts ? nullptr : "a host is not of the form host:port";
}

QUICCHAT_RARE_DECL std::int64_t TicketDesk::seconds_of(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

QUICCHAT_RARE_DECL bool TicketDesk::is_for_us(const PageBinding& binding,
                                              const PageSession& page) const {
    if (binding.host().empty()) return binding.has_certificate(page.certificate);
    return std::find(rules_.hosts.begin(), rules_.hosts.end(), binding.host()) !=
           rules_.hosts.end();
}

QUICCHAT_RARE_DECL Result<std::string> TicketDesk::use(std::string_view signed_part,
                                                       const PageSession& page, WallTime now) {
    const std::optional<TicketClaims> claims = read_ticket(signed_part);
    const std::int64_t seconds = seconds_of(now);
    if (!claims || !is_good(*claims, page, seconds)) return Errc::ticket_refused;
    forget(seconds);
    const std::string account = canonical_name(claims->user);
    const auto found = used_by_.find(account);
    const std::size_t used_by_one = found == used_by_.end() ? 0 : found->second;
    if (used_.size() >= used_max_ || used_by_one >= used_by_one_max_) return Errc::ticket_refused;
    const auto [place, is_new] = used_.emplace(claims->id, account);
    if (!is_new) return Errc::ticket_refused;
    ++used_by_[account];
    by_expiry_.emplace(claims->expiry, place);
    return claims->user;
}

QUICCHAT_RARE_DECL void TicketDesk::forget(std::int64_t now) {
    for (auto oldest = by_expiry_.begin(); oldest != by_expiry_.end() && oldest->first <= now;
         oldest = by_expiry_.erase(oldest)) {
        const auto by = used_by_.find(oldest->second->second);
        if (--by->second == 0) used_by_.erase(by);
        used_.erase(oldest->second);
        forgotten_until_ = std::max(forgotten_until_, oldest->first);
    }
}

QUICCHAT_RARE_DECL bool TicketDesk::is_good(const TicketClaims& claims, const PageSession& page,
                                            std::int64_t now) const {
    const std::int64_t latest = now + ticket_clock_skew_max.count();
    return claims.audience == rules_.audience && claims.expiry > now &&
           claims.expiry > forgotten_until_ && claims.expiry <= now + ticket_lifetime_max.count() &&
           claims.issued >= started_ && claims.issued <= latest &&
           claims.not_before.value_or(0) <= latest &&
           (!claims.origin || *claims.origin == page.origin);
}

}  // namespace quicchat
