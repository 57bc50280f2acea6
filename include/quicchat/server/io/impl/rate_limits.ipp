#pragma once

#include "quicchat/server/io/rate_limits.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

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
    const Limits& l = *limits_;
    const Duration wait =
        std::max({by_account.wait(l.messages_per_account, 1, now),
                  by_bytes.wait(l.output_bytes_per_account, bytes_out, now),
                  by_stored.wait(l.stored_bytes_per_account, bytes, now),
                  by_room.wait(l.messages_per_room, 1, now),
                  messages_by_prefix_.wait(prefix, l.messages_per_prefix, 1, now)});
    if (wait > Duration{}) return wait;
    by_account.spend(l.messages_per_account, 1, now);
    by_bytes.spend(l.output_bytes_per_account, bytes_out, now);
    by_stored.spend(l.stored_bytes_per_account, bytes, now);
    by_room.spend(l.messages_per_room, 1, now);
    messages_by_prefix_.spend(prefix, l.messages_per_prefix, 1, now);
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

QUICCHAT_DECL Duration RateLimits::try_password(const std::string& prefix, std::string_view user,
                                                TimePoint now) const {
    return failures_by_account_.wait(prefix, limits_->failed_logins_per_account, failed_login_cost,
                                     now, " " + canonical_name(user));
}

QUICCHAT_DECL void RateLimits::note_failed_password(const std::string& prefix,
                                                    std::string_view user, TimePoint now) {
    failures_by_account_.spend(prefix, limits_->failed_logins_per_account, failed_login_cost, now,
                               " " + canonical_name(user));
}

QUICCHAT_DECL bool RateLimits::note_failed_login(const std::string& prefix, TimePoint now) {
    sweep(now);
    return failures_by_prefix_.take(prefix, limits_->failed_logins_per_prefix, now) > Duration{};
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
    messages_by_prefix_.cap(limits_->messages_per_prefix, now);
    // Not the failed logins: who guesses passwords would be forgiven.
}

QUICCHAT_DECL std::size_t RateLimits::size() const {
    std::size_t size = 0;
    for (const Budgets* budgets : all(*this)) size += budgets->size();
    for (const NetworkBudgets* budgets : all_of_networks(*this)) size += budgets->size();
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
    for (NetworkBudgets* budgets : all_of_networks(*this)) budgets->sweep(now);
}

}  // namespace quicchat
