#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "quicchat/base/limits.hpp"

namespace quicchat {

/// What was done in one turn of the server for each account: bytes that were read from the log or
/// the store of files, or put into them. Who has had `Limits::turn_work_max` waits for the next
/// turn with the rest, so that everybody else waits for a bounded amount of each one's work.
///
/// Records that a room has in memory for all its members are not counted: they were made once.
/// Searches have a measure of their own, SearchEffort.
class TurnWork {
public:
    /// What one record, answer or append costs beside its bytes.
    static constexpr std::size_t step = 256;

    /// `limits` outlives it.
    explicit TurnWork(const Limits& limits) : limits_(&limits) {}

    /// A new turn: nobody has done anything yet.
    void begin();

    /// One step, and so many bytes beside it.
    void count(std::string_view account, std::size_t bytes);

    /// True if an account has had its share, and what it wants now must wait for the next turn.
    bool must_wait(std::string_view account);

    /// True if somebody was told to wait: the next turn should come at once.
    bool has_postponed() const { return postponed_; }

private:
    /// Of how many accounts a turn may find the counters made.
    static constexpr std::size_t accounts_kept = 1024;

    struct Done {
        std::uint64_t turn = 0;
        std::size_t work = 0;
    };

    const Limits* limits_;
    std::uint64_t turn_ = 0;
    std::map<std::string, Done, std::less<>> done_;
    bool spent_ = false;  ///< Somebody has had his share.
    bool postponed_ = false;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/impl/turn_work.ipp"
#endif
