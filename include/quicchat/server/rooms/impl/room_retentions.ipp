#pragma once

#include "quicchat/server/rooms/room_retentions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/server/rooms/private_rooms.hpp"

namespace quicchat {
namespace detail {

/// Where a room's state has what it keeps: records, bytes, seconds.
inline constexpr std::array<const char*, 3> retention_keys{"keep/records", "keep/bytes",
                                                           "keep/age"};

QUICCHAT_RARE_DECL std::array<std::uint64_t, 3> to_numbers(const RoomRetention& r) {
    return {r.records_max, r.bytes_max, static_cast<std::uint64_t>(r.age_max.count())};
}

}  // namespace detail

QUICCHAT_RARE_DECL Errc RoomRetentions::check(const RetentionChange& change) const {
    const bool fits = change.records_max.value_or(0) <= limits_->room_log_records_max &&
                      change.bytes_max.value_or(0) <= limits_->room_log_bytes_max;
    const std::chrono::seconds age = change.age_max.value_or(std::chrono::seconds{});
    const bool is_age = age == std::chrono::seconds{} || (age >= age_min && age <= age_most);
    return fits && is_age ? Errc{} : Errc::invalid_request;
}

QUICCHAT_RARE_DECL std::vector<StateChange> RoomRetentions::set(const std::string& key,
                                                                const RetentionChange& change) {
    const RoomRetention before = chosen(key);
    RoomRetention wanted = before;
    if (change.records_max) wanted.records_max = *change.records_max;
    if (change.bytes_max) wanted.bytes_max = *change.bytes_max;
    if (change.age_max) wanted.age_max = *change.age_max;
    choose(key, wanted);
    std::vector<StateChange> changes;
    const auto old = detail::to_numbers(before);
    const auto numbers = detail::to_numbers(wanted);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] == old[i]) continue;
        changes.push_back({detail::retention_keys[i], std::nullopt});
        if (numbers[i] != 0) changes.back().value = std::to_string(numbers[i]);
    }
    return changes;
}

QUICCHAT_RARE_DECL void RoomRetentions::restore(const std::string& key, const RoomState& state) {
    std::array<std::uint64_t, 3> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto found = state.find(detail::retention_keys[i]);
        if (found == state.end()) continue;
        const std::string& text = found->second;
        std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
    }
    const auto most = static_cast<std::uint64_t>(age_most.count());
    choose(key, {static_cast<std::size_t>(numbers[0]), static_cast<std::size_t>(numbers[1]),
                 std::chrono::seconds{std::min(numbers[2], most)}});
}

QUICCHAT_RARE_DECL RoomRetention RoomRetentions::chosen(const std::string& key) const {
    const auto found = chosen_.find(key);
    return found == chosen_.end() ? RoomRetention{} : found->second;
}

QUICCHAT_RARE_DECL RoomRetention RoomRetentions::effective(const std::string& key) const {
    const bool is_private = PrivateRooms::is_key(key);
    const auto at_most = [](std::size_t wanted, std::size_t most) {
        return wanted == 0 ? most : std::min(wanted, most);
    };
    RoomRetention r = chosen(key);
    r.records_max = at_most(r.records_max, is_private ? limits_->private_log_records_max
                                                      : limits_->room_log_records_max);
    r.bytes_max = at_most(
        r.bytes_max, is_private ? limits_->private_log_bytes_max : limits_->room_log_bytes_max);
    return r;
}

QUICCHAT_RARE_DECL Retention RoomRetentions::log_retention(const std::string& key) const {
    const RoomRetention r = effective(key);
    // What a client may send again must be recognised.
    return {.records_max = r.records_max,
            .bytes_max = r.bytes_max,
            .ids_max = limits_->outbox_messages_max,
            .age_min = limits_->room_age_min};
}

QUICCHAT_RARE_DECL WallTime RoomRetentions::oldest(const std::string& key, WallTime now) const {
    const std::chrono::seconds age = chosen(key).age_max;
    return age == std::chrono::seconds{} ? WallTime::min() : now - age;
}

QUICCHAT_DECL Errc RoomRetentions::handle_timeout(RoomLog& log, Now now) {
    if (watched_.empty()) return next_.reset(), Errc{};
    if (next_ && now.steady < *next_) return Errc{};
    const std::size_t slice = (watched_.size() - 1) / static_cast<std::size_t>(period.count()) + 1;
    const std::size_t slices = (watched_.size() - 1) / slice + 1;
    next_ = now.steady + Duration{period} / slices;
    for (std::size_t i = 0; i < std::min(slice, watched_.size()); ++i) {
        auto room = watched_.upper_bound(looked_);
        if (room == watched_.end()) {
            std::erase_if(watched_, [&](const auto& w) { return w.second && !has_age(w.first); });
            if (watched_.empty()) return next_.reset(), Errc{};
            room = watched_.begin();
        }
        looked_ = room->first;
        const Errc errc = look(log, room->first, now.wall);
        if (errc != Errc{}) return errc;
        room->second = true;
    }
    return Errc{};
}

QUICCHAT_DECL std::optional<TimePoint> RoomRetentions::next_deadline() const {
    // Nobody has called `handle_timeout` yet.
    if (!next_ && !watched_.empty()) return TimePoint{};
    return next_;
}

QUICCHAT_RARE_DECL void RoomRetentions::choose(const std::string& key,
                                               const RoomRetention& wanted) {
    forget(key);
    if (wanted == RoomRetention{}) return;
    chosen_.emplace(key, wanted);
    watched_.emplace(key, false);
}

QUICCHAT_RARE_DECL bool RoomRetentions::has_age(const std::string& key) const {
    return chosen(key).age_max > std::chrono::seconds{};
}

QUICCHAT_RARE_DECL Errc RoomRetentions::look(RoomLog& log, const std::string& key, WallTime now) {
    const WallTime before = oldest(key, now);
    // What a server that ended has left goes with the first trim.
    if (!watched_.at(key)) return log.trim(key, before), Errc{};
    if (!has_age(key)) return Errc{};
    const LogHead head = log.head(key);
    if (head.first > head.head) return Errc{};
    const auto read = log.read(key, head.first - 1, 1);
    if (!read) return to_errc(read.error());
    if (!read->empty() && read->front().record.time < before) log.trim(key, before);
    return Errc{};
}

}  // namespace quicchat
