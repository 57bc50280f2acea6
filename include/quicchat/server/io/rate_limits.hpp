#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// What may be spent of something by one who is limited in it: a Rate, so far used. By the generic
/// cell rate algorithm (ITU-T I.371 §A): one time says it all.
class Budget {
public:
    /// How long one must wait until `cost` may be spent; zero: now.
    Duration wait(const Rate& rate, std::uint64_t cost, TimePoint now) const {
        const Duration room = time_for(rate, rate.burst) - (std::max(full_at_, now) - now);
        const Duration need = time_for(rate, std::min(cost, rate.burst));
        return std::max(need - room, Duration{});
    }

    void spend(const Rate& rate, std::uint64_t cost, TimePoint now) {
        full_at_ = std::max(full_at_, now) + time_for(rate, cost);
    }

    /// After the rate has changed: nobody owes more than the whole budget.
    void cap(const Rate& rate, TimePoint now) {
        full_at_ = std::min(full_at_, now + time_for(rate, rate.burst));
    }

    /// True if nothing is used: it is as good as new.
    bool is_full(TimePoint now) const { return full_at_ <= now; }

private:
    static Duration time_for(const Rate& rate, std::uint64_t cost) {
        const double seconds = static_cast<double>(cost) / static_cast<double>(rate.per_second);
        return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds});
    }

    TimePoint full_at_{};
};

namespace detail {

/// The first 56 bits of an IPv6 address (RFC 5952) in its longest form, without colons.
inline std::string ipv6_prefix(std::string_view address) {
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

}  // namespace detail

/// The network that an address belongs to, as far as one customer of a provider may choose
/// addresses: 24 bits of IPv4, 56 of IPv6. Anything else is its own.
inline std::string address_prefix(std::string_view address) {
    const std::string_view host = address.substr(0, address.rfind(':'));
    if (host.starts_with('[')) return detail::ipv6_prefix(host.substr(1, host.size() - 2));
    const bool is_v4 = std::count(host.begin(), host.end(), '.') == 3;
    return std::string{is_v4 ? host.substr(0, host.rfind('.')) : host};
}

/// Who may ask for how much (PROTOCOL.md §6.14). Nobody is delayed or cut: what is too much is
/// refused, with the time after which it is not.
class RateLimits {
    /// All of them, of a RateLimits that may be const.
    static auto all(auto& self) {
        return std::array{&self.messages_by_account_,     &self.bytes_by_account_,
                          &self.stored_by_account_,       &self.file_bytes_by_account_,
                          &self.upload_bytes_by_account_, &self.requests_by_account_,
                          &self.markers_by_account_,      &self.messages_by_room_,
                          &self.messages_by_prefix_,      &self.connections_by_prefix_,
                          &self.failures_by_account_,     &self.failures_by_prefix_};
    }

public:
    explicit RateLimits(const Limits& limits) : limits_(&limits) {}

    /// Somebody publishes so many bytes, for so many people. Zero: he may, and it is counted.
    Duration publish(std::string_view user, const std::string& prefix, const std::string& room,
                     std::uint64_t bytes, std::uint64_t readers, TimePoint now) {
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

    /// Somebody is to be given so many bytes of a file. Zero: now, and they are counted.
    Duration hand_out(std::string_view user, std::uint64_t bytes, TimePoint now) {
        sweep(now);
        return take(file_bytes_by_account_[canonical_name(user)], limits_->file_bytes_per_account,
                    now, bytes);
    }

    /// Somebody has sent so many bytes of a file: how long to wait for the next ones.
    Duration take_in(std::string_view user, std::uint64_t bytes, TimePoint now) {
        sweep(now);
        Budget& budget = upload_bytes_by_account_[canonical_name(user)];
        budget.spend(limits_->upload_bytes_per_account, bytes, now);
        return budget.wait(limits_->upload_bytes_per_account, 1, now);
    }

    /// Somebody asks something on a connection: a budget of its own, so that one can ask while one
    /// may not publish. `cost`: for how many requests it counts.
    Duration ask(std::string_view user, Budget& of_connection, TimePoint now,
                 std::uint64_t cost = 1) {
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

    /// Somebody says how far he has read.
    Duration mark_read(std::string_view user, TimePoint now) {
        sweep(now);
        return take(markers_by_account_[canonical_name(user)], limits_->markers_per_account, now);
    }

    /// Somebody connects.
    Duration connect(const std::string& prefix, TimePoint now) {
        sweep(now);
        return take(connections_by_prefix_[prefix], limits_->connections_per_prefix, now);
    }

    /// Somebody tries a password for an account: not zero if too many have failed for that account
    /// there. What fails for others counts for them, so that strangers lock nobody out.
    Duration try_password(const std::string& prefix, std::string_view user, TimePoint now) const {
        const auto found = failures_by_account_.find(prefix + " " + canonical_name(user));
        if (found == failures_by_account_.end()) return {};
        return found->second.wait(limits_->failed_logins_per_account, failed_login_cost, now);
    }

    void note_failed_password(const std::string& prefix, std::string_view user, TimePoint now) {
        failures_by_account_[prefix + " " + canonical_name(user)].spend(
            limits_->failed_logins_per_account, failed_login_cost, now);
    }

    /// Any login has failed there. True if these are too many for one network.
    bool note_failed_login(const std::string& prefix, TimePoint now) {
        sweep(now);
        return take(failures_by_prefix_[prefix], limits_->failed_logins_per_prefix, now) >
               Duration{};
    }

    /// The limits have changed. What was used remains used, as far as it fits the new budgets. The
    /// budgets of connections are the caller's.
    void handle_changed_limits(TimePoint now) {
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

    /// Budgets that are kept.
    std::size_t size() const {
        std::size_t size = 0;
        for (const Budgets* budgets : all(*this)) size += budgets->size();
        return size;
    }

private:
    using Budgets = std::map<std::string, Budget>;

    static Duration take(Budget& budget, const Rate& rate, TimePoint now, std::uint64_t cost = 1) {
        const Duration wait = budget.wait(rate, cost, now);
        if (wait == Duration{}) budget.spend(rate, cost, now);
        return wait;
    }

    /// Forgets who has used nothing for so long that it makes no difference. What is left has been
    /// paid for by using it.
    void sweep(TimePoint now) {
        if (now < next_sweep_) return;
        next_sweep_ = now + sweep_period;
        for (Budgets* budgets : all(*this)) {
            std::erase_if(*budgets, [&](const auto& entry) { return entry.second.is_full(now); });
        }
    }

    static constexpr Duration sweep_period = std::chrono::seconds{10};
    static constexpr std::uint64_t failed_login_cost = 30;

    const Limits* limits_;
    Budgets messages_by_account_;
    Budgets bytes_by_account_;
    Budgets stored_by_account_;      ///< And room.
    Budgets file_bytes_by_account_;  ///< That it fetched.
    Budgets upload_bytes_by_account_;
    Budgets requests_by_account_;
    Budgets markers_by_account_;
    Budgets messages_by_room_;
    Budgets messages_by_prefix_;
    Budgets connections_by_prefix_;
    Budgets failures_by_account_;  ///< And prefix.
    Budgets failures_by_prefix_;
    TimePoint next_sweep_{};
};

}  // namespace quicchat
