#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/budget.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/network.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// Who may ask for how much (PROTOCOL.md §6.14). Nobody is delayed or cut: what is too much is
/// refused, with the time after which it is not.
class RateLimits {
public:
    /// `limits` outlives it, and may be changed: see `handle_changed_limits`.
    explicit RateLimits(const Limits& limits);

    /// Somebody publishes so many bytes, for so many people. Zero: he may, and it is counted.
    Duration publish(std::string_view user, const std::string& prefix, const std::string& room,
                     std::uint64_t bytes, std::uint64_t readers, TimePoint now);

    /// Somebody is to be given so many bytes of a file. Zero: now, and they are counted.
    Duration hand_out(std::string_view user, std::uint64_t bytes, TimePoint now);

    /// Somebody has sent so many bytes of a file: how long to wait for the next ones.
    Duration take_in(std::string_view user, std::uint64_t bytes, TimePoint now);

    /// Somebody asks something on a connection: a budget of its own, so that one can ask while one
    /// may not publish. `cost`: for how many requests it counts.
    Duration ask(std::string_view user, Budget& of_connection, TimePoint now,
                 std::uint64_t cost = 1);

    /// Somebody says how far he has read.
    Duration mark_read(std::string_view user, TimePoint now);

    /// Somebody tries a password for an account: not zero if too many have failed for that account
    /// there. What fails for others counts for them, so that strangers lock nobody out.
    Duration try_password(const std::string& prefix, std::string_view user, TimePoint now) const;

    /// It counts against `try_password` for that account from that network.
    void note_failed_password(const std::string& prefix, std::string_view user, TimePoint now);

    /// Any login has failed there. True if these are too many for one network.
    bool note_failed_login(const std::string& prefix, TimePoint now);

    /// The limits have changed. What was used remains used, as far as it fits the new budgets. The
    /// budgets of connections are the caller's.
    void handle_changed_limits(TimePoint now);

    /// Accounts, rooms and networks whose budgets are kept.
    std::size_t size() const;

private:
    using Budgets = std::map<std::string, Budget>;

    /// What one account has used.
    struct Account {
        Budget messages;
        Budget bytes;
        Budget file_bytes;  ///< That it fetched.
        Budget upload_bytes;
        Budget requests;
        Budget markers;
        Budgets stored;  ///< Bytes, by room.

        void cap(const Limits& limits, TimePoint now);
        /// As of a Budget, if no room is left.
        bool is_full(TimePoint now) const;
    };

    Account& of(std::string_view user);

    static Duration take(Budget& budget, const Rate& rate, TimePoint now, std::uint64_t cost = 1);

    /// Forgets who has used nothing for so long that it makes no difference. What is left has been
    /// paid for by using it.
    void sweep(TimePoint now);
    static void sweep(Budgets& budgets, TimePoint now);

    static constexpr Duration sweep_period = std::chrono::seconds{10};
    static constexpr std::uint64_t failed_login_cost = 30;

    const Limits* limits_;
    std::map<std::string, Account> accounts_;
    Budgets messages_by_room_;
    NetworkBudgets messages_by_prefix_;
    NetworkBudgets failures_by_account_;  ///< And prefix.
    NetworkBudgets failures_by_prefix_;
    TimePoint next_sweep_{};
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/io/impl/rate_limits.ipp"
#endif
