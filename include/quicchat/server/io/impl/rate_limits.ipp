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
    Account& account = of(user);
    Budget& by_stored = account.stored[room];
    const std::uint64_t bytes_out = bytes * readers;
    Budget& by_room = messages_by_room_[room];
    const Limits& l = *limits_;
    const Duration wait =
        std::max({account.messages.wait(l.messages_per_account, 1, now),
                  account.bytes.wait(l.output_bytes_per_account, bytes_out, now),
                  by_stored.wait(l.stored_bytes_per_account, bytes, now),
                  by_room.wait(l.messages_per_room, 1, now),
                  messages_by_prefix_.wait(prefix, l.messages_per_prefix, 1, now)});
    if (wait > Duration{}) return wait;
    account.messages.spend(l.messages_per_account, 1, now);
    account.bytes.spend(l.output_bytes_per_account, bytes_out, now);
    by_stored.spend(l.stored_bytes_per_account, bytes, now);
    by_room.spend(l.messages_per_room, 1, now);
    messages_by_prefix_.spend(prefix, l.messages_per_prefix, 1, now);
    return {};
}

QUICCHAT_DECL Duration RateLimits::hand_out(std::string_view user, std::uint64_t bytes,
                                            TimePoint now) {
    sweep(now);
    return take(of(user).file_bytes, limits_->file_bytes_per_account, now, bytes);
}

QUICCHAT_DECL Duration RateLimits::take_in(std::string_view user, std::uint64_t bytes,
                                           TimePoint now) {
    sweep(now);
    Budget& budget = of(user).upload_bytes;
    budget.spend(limits_->upload_bytes_per_account, bytes, now);
    return budget.wait(limits_->upload_bytes_per_account, 1, now);
}

QUICCHAT_DECL Duration RateLimits::ask(std::string_view user, Budget& of_connection, TimePoint now,
                                       std::uint64_t cost) {
    sweep(now);
    Budget& by_account = of(user).requests;
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
    return take(of(user).markers, limits_->markers_per_account, now);
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
    for (auto& [name, account] : accounts_) account.cap(*limits_, now);
    for (auto& [room, budget] : messages_by_room_) budget.cap(limits_->messages_per_room, now);
    messages_by_prefix_.cap(limits_->messages_per_prefix, now);
    // Not the failed logins: who guesses passwords would be forgiven.
}

QUICCHAT_DECL std::size_t RateLimits::size() const {
    return accounts_.size() + messages_by_room_.size() + messages_by_prefix_.size() +
           failures_by_account_.size() + failures_by_prefix_.size();
}

QUICCHAT_DECL RateLimits::Account& RateLimits::of(std::string_view user) {
    return accounts_[canonical_name(user)];
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
    for (auto& [name, account] : accounts_) sweep(account.stored, now);
    std::erase_if(accounts_, [&](const auto& entry) { return entry.second.is_full(now); });
    sweep(messages_by_room_, now);
    messages_by_prefix_.sweep(now);
    failures_by_account_.sweep(now);
    failures_by_prefix_.sweep(now);
}

QUICCHAT_DECL void RateLimits::sweep(Budgets& budgets, TimePoint now) {
    std::erase_if(budgets, [&](const auto& entry) { return entry.second.is_full(now); });
}

QUICCHAT_DECL void RateLimits::Account::cap(const Limits& limits, TimePoint now) {
    messages.cap(limits.messages_per_account, now);
    bytes.cap(limits.output_bytes_per_account, now);
    file_bytes.cap(limits.file_bytes_per_account, now);
    upload_bytes.cap(limits.upload_bytes_per_account, now);
    requests.cap(limits.requests_per_account, now);
    markers.cap(limits.markers_per_account, now);
    for (auto& [room, budget] : stored) budget.cap(limits.stored_bytes_per_account, now);
}

QUICCHAT_DECL bool RateLimits::Account::is_full(TimePoint now) const {
    const Budget* const all[] = {&messages,     &bytes,    &file_bytes,
                                 &upload_bytes, &requests, &markers};
    return stored.empty() &&
           std::ranges::all_of(all, [&](const Budget* budget) { return budget->is_full(now); });
}

}  // namespace quicchat
