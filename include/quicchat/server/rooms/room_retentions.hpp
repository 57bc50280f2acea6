#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// How much of its history a room keeps. What was chosen for it: 0 is what the limits say, and of
/// the age, that no record goes because of it.
struct RoomRetention {
    std::size_t records_max = 0;     ///< So many records at most.
    std::size_t bytes_max = 0;       ///< As `Retention::bytes_max`.
    std::chrono::seconds age_max{};  ///< Older records go, by the server's clock.
    /// The same figures.
    friend bool operator==(const RoomRetention&, const RoomRetention&) = default;
};

/// What changes of it; nothing: that stays as it is.
struct RetentionChange {
    /// 0: what the limits say, as RoomRetention has it.
    /// @{
    std::optional<std::size_t> records_max{};
    std::optional<std::size_t> bytes_max{};
    std::optional<std::chrono::seconds> age_max{};
    /// @}
};

/// What was chosen for rooms about how much they keep, by their keys. It is stored in their states,
/// and looks now and then for records that are too old.
///
/// What a room may not keep goes whoever wrote it: `Limits::room_age_min` protects young records
/// from what others append, and from nothing else.
class RoomRetentions {
public:
    /// An age is a minute at least, and ten years at most.
    static constexpr std::chrono::seconds age_min{60};
    static constexpr std::chrono::seconds age_most{320'000'000};  ///< The upper end of that range.

    /// `limits` outlives it.
    explicit RoomRetentions(const Limits& limits) : limits_(&limits) {}

    /// `invalid_request`: more than the limits, or an age out of bounds.
    Errc check(const RetentionChange& change) const;

    /// What of a room's state changes along.
    std::vector<StateChange> set(const std::string& key, const RetentionChange& change);

    /// As a log has stored it.
    void restore(const std::string& key, const RoomState& state);

    /// The room is gone.
    void forget(const std::string& key) { chosen_.erase(key), watched_.erase(key); }

    /// What was chosen.
    RoomRetention chosen(const std::string& key) const;

    /// What counts.
    RoomRetention effective(const std::string& key) const;

    /// For its log.
    Retention log_retention(const std::string& key) const;

    /// What was stored before that is too old.
    WallTime oldest(const std::string& key, WallTime now) const;

    /// Has what is too old dropped by the log, and of each room with a rule once what a server that
    /// ended has left. Each room is looked at once a minute. `storage_failed`.
    Errc handle_timeout(RoomLog& log, Now now);

    /// When `handle_timeout` has something to do; nothing: no room has an age, and all that have a
    /// rule were looked at.
    std::optional<TimePoint> next_deadline() const;

private:
    static constexpr std::chrono::seconds period{60};

    void choose(const std::string& key, const RoomRetention& wanted);

    bool has_age(const std::string& key) const;

    Errc look(RoomLog& log, const std::string& key, WallTime now);

    const Limits* limits_;
    std::map<std::string, RoomRetention> chosen_;
    /// Rooms with an age, and for a while others with a rule; true: trimmed since the start.
    std::map<std::string, bool> watched_;
    std::string looked_;  ///< The room that was looked at last.
    std::optional<TimePoint> next_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/room_retentions.ipp"
#endif
