#pragma once

#include "quicchat/server/io/rate_limits.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

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

namespace quicchat::detail {

QUICCHAT_DECL std::string ipv6_prefix(std::string_view address) {
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
    return (front + back).substr(0, 14);
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_DECL std::string address_prefix(std::string_view address) {
    const std::string_view host = address.substr(0, address.rfind(':'));
    if (host.starts_with('[')) return detail::ipv6_prefix(host.substr(1, host.size() - 2));
    const bool is_v4 = std::count(host.begin(), host.end(), '.') == 3;
    return std::string{is_v4 ? host.substr(0, host.rfind('.')) : host};
}

QUICCHAT_DECL RateLimits::RateLimits(const Limits& limits) : limits_(&limits) {}

QUICCHAT_DECL Duration RateLimits::publish(std::string_view user, const std::string& prefix,
                                           const std::string& room, std::uint64_t bytes,
                                           std::uint64_t readers, TimePoint now) {
    sweep(now);
    const std::string account = canonical_name(user);
    Budget& by_account = messages_by_account_[account];
    Budget& by_bytes = bytes_by_account_[account];
    Budget& by_stored = stored_by_account_[account + " " + room];
    const std::uint64_t bytes_out = bytes * readers;
    Budget& by_room = messages_by_room_[room];
    Budget& by_prefix = messages_by_prefix_[prefix];
    const Limits& l = *limits_;
    const Duration wait = std::max({by_account.wait(l.messages_per_account, 1, now),
                                    by_bytes.wait(l.output_bytes_per_account, bytes_out, now),
                                    by_stored.wait(l.stored_bytes_per_account, bytes, now),
                                    by_room.wait(l.messages_per_room, 1, now),
                                    by_prefix.wait(l.messages_per_prefix, 1, now)});
    if (wait > Duration{}) return wait;
    by_account.spend(l.messages_per_account, 1, now);
    by_bytes.spend(l.output_bytes_per_account, bytes_out, now);
    by_stored.spend(l.stored_bytes_per_account, bytes, now);
    by_room.spend(l.messages_per_room, 1, now);
    by_prefix.spend(l.messages_per_prefix, 1, now);
    return {};
}

QUICCHAT_DECL Duration RateLimits::hand_out(std::string_view user, std::uint64_t bytes,
                                            TimePoint now) {
    sweep(now);
    return take(file_bytes_by_account_[canonical_name(user)], limits_->file_bytes_per_account, now,
                bytes);
}

QUICCHAT_DECL Duration RateLimits::take_in(std::string_view user, std::uint64_t bytes,
                                           TimePoint now) {
    sweep(now);
    Budget& budget = upload_bytes_by_account_[canonical_name(user)];
    budget.spend(limits_->upload_bytes_per_account, bytes, now);
    return budget.wait(limits_->upload_bytes_per_account, 1, now);
}

QUICCHAT_DECL Duration RateLimits::ask(std::string_view user, Budget& of_connection, TimePoint now,
                                       std::uint64_t cost) {
    sweep(now);
    Budget& by_account = requests_by_account_[canonical_name(user)];
    const Limits& l = *limits_;
    const Duration wait = std::max(of_connection.wait(l.requests_per_connection, cost, now),
                                   by_account.wait(l.requests_per_account, cost, now));
    if (wait > Duration{}) return wait;
    of_connection.spend(l.requests_per_connection, cost, now);
    by_account.spend(l.requests_per_account, cost, now);
    return {};
}

QUICCHAT_DECL Duration RateLimits::mark_read(std::string_view user, TimePoint now) {
    sweep(now);
    return take(markers_by_account_[canonical_name(user)], limits_->markers_per_account, now);
}

QUICCHAT_DECL Duration RateLimits::connect(const std::string& prefix, TimePoint now) {
    sweep(now);
    return take(connections_by_prefix_[prefix], limits_->connections_per_prefix, now);
}

QUICCHAT_DECL Duration RateLimits::try_password(const std::string& prefix, std::string_view user,
                                                TimePoint now) const {
    const auto found = failures_by_account_.find(prefix + " " + canonical_name(user));
    if (found == failures_by_account_.end()) return {};
    return found->second.wait(limits_->failed_logins_per_account, failed_login_cost, now);
}

QUICCHAT_DECL void RateLimits::note_failed_password(const std::string& prefix,
                                                    std::string_view user, TimePoint now) {
    failures_by_account_[prefix + " " + canonical_name(user)].spend(
        limits_->failed_logins_per_account, failed_login_cost, now);
}

QUICCHAT_DECL bool RateLimits::note_failed_login(const std::string& prefix, TimePoint now) {
    sweep(now);
    return take(failures_by_prefix_[prefix], limits_->failed_logins_per_prefix, now) > Duration{};
}

QUICCHAT_DECL void RateLimits::handle_changed_limits(TimePoint now) {
    const auto cap = [now](Budgets& budgets, const Rate& rate) {
        for (auto& [key, budget] : budgets) budget.cap(rate, now);
    };
    cap(messages_by_account_, limits_->messages_per_account);
    cap(bytes_by_account_, limits_->output_bytes_per_account);
    cap(file_bytes_by_account_, limits_->file_bytes_per_account);
    cap(upload_bytes_by_account_, limits_->upload_bytes_per_account);
    cap(messages_by_room_, limits_->messages_per_room);
    cap(stored_by_account_, limits_->stored_bytes_per_account);
    cap(requests_by_account_, limits_->requests_per_account);
    cap(markers_by_account_, limits_->markers_per_account);
    cap(messages_by_prefix_, limits_->messages_per_prefix);
    cap(connections_by_prefix_, limits_->connections_per_prefix);
    // Not the failed logins: who guesses passwords would be forgiven.
}

QUICCHAT_DECL std::size_t RateLimits::size() const {
    std::size_t size = 0;
    for (const Budgets* budgets : all(*this)) size += budgets->size();
    return size;
}

QUICCHAT_DECL Duration RateLimits::take(Budget& budget, const Rate& rate, TimePoint now,
                                        std::uint64_t cost) {
    const Duration wait = budget.wait(rate, cost, now);
    if (wait == Duration{}) budget.spend(rate, cost, now);
    return wait;
}

QUICCHAT_DECL void RateLimits::sweep(TimePoint now) {
    if (now < next_sweep_) return;
    next_sweep_ = now + sweep_period;
    for (Budgets* budgets : all(*this)) {
        std::erase_if(*budgets, [&](const auto& entry) { return entry.second.is_full(now); });
    }
}

}  // namespace quicchat
