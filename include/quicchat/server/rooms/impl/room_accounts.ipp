#pragma once

#include "quicchat/server/rooms/room_accounts.hpp"

#include <algorithm>
#include <charconv>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

QUICCHAT_DECL Role RoomAccount::role_at(WallTime now) const {
    const bool ends = role == Role::muted || role == Role::banned;
    if (!ends || until == WallTime{} || now < until) return role;
    return role == Role::muted ? Role::member : Role::none;
}

QUICCHAT_DECL RoomAccount& RoomAccounts::at(std::string_view user) {
    RoomAccount& person = map_[canonical_name(user)];
    if (person.name.empty()) person.name = user;
    return person;
}

QUICCHAT_DECL const RoomAccount* RoomAccounts::find(std::string_view user) const {
    const auto found = map_.find(canonical_name(user));
    return found == map_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL Role RoomAccounts::role(std::string_view user, WallTime now) const {
    const RoomAccount* person = find(user);
    return person == nullptr ? Role::none : person->role_at(now);
}

QUICCHAT_DECL void RoomAccounts::tidy(std::string_view user) {
    const auto found = map_.find(canonical_name(user));
    if (found == map_.end()) return;
    const RoomAccount& p = found->second;
    const bool known = p.role != Role::none || p.marker != 0 || !p.role_saved;
    if (!known && p.devices == 0) map_.erase(found);
}

QUICCHAT_RARE_DECL std::optional<std::string> RoomAccounts::drop_absent_member() {
    const auto is_plain = [](const Map::value_type& entry) {
        const RoomAccount& p = entry.second;
        const bool is_less = p.role == Role::member || p.role == Role::none;
        return p.devices == 0 && is_less && p.role_saved && p.marker_saved;
    };
    // Not always the first ones of the alphabet.
    const auto from = map_.upper_bound(newest_dropped_);
    auto found = std::find_if(from, map_.end(), is_plain);
    if (found == map_.end()) {
        found = std::find_if(map_.begin(), from, is_plain);
        if (found == from) return std::nullopt;
    }
    newest_dropped_ = found->first;
    map_.erase(found);
    return newest_dropped_;
}

QUICCHAT_RARE_DECL std::pair<std::vector<RoomPerson>, bool> RoomAccounts::page(
    std::string_view after, std::size_t count_max, WallTime now) const {
    std::vector<RoomPerson> people;
    auto place = map_.upper_bound(canonical_name(after));
    for (; place != map_.end() && people.size() < count_max; ++place) {
        const RoomAccount& p = place->second;
        const Role role = p.role_at(now);
        if (role == Role::none && p.devices == 0) continue;
        people.push_back({p.name, role, p.devices > 0, {}});
    }
    return {std::move(people), place == map_.end()};
}

QUICCHAT_RARE_DECL void RoomAccounts::clamp_markers(Offset head) {
    for (auto& [name, person] : map_) person.marker = std::min(person.marker, head);
}

QUICCHAT_DECL std::size_t RoomAccounts::count(Role role) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        map_, [&](const Map::value_type& entry) { return entry.second.role == role; }));
}

QUICCHAT_DECL void RoomAccounts::make_member(RoomAccount& person) {
    person.role = Role::member;
    person.until = {};
    note_unsaved(person);
    person.role_saved = false;
}

QUICCHAT_DECL void RoomAccounts::set_marker(RoomAccount& person, Offset marker) {
    person.marker = marker;
    note_unsaved(person);
    person.marker_saved = false;
}

QUICCHAT_RARE_DECL void RoomAccounts::apply_role(std::string_view user, Role role, WallTime until) {
    RoomAccount& person = at(user);
    person.role = role;
    person.until = until;
    person.role_saved = true;
    tidy(user);
}

QUICCHAT_DECL std::vector<StateChange> RoomAccounts::take_unsaved() {
    std::vector<StateChange> changes;
    for (const std::string& user : std::exchange(unsaved_, {})) {
        const auto found = map_.find(user);
        if (found == map_.end()) continue;
        RoomAccount& p = found->second;
        if (!std::exchange(p.role_saved, true)) {
            changes.push_back(role_change(p.name, p.role, p.until));
        }
        if (!std::exchange(p.marker_saved, true)) {
            changes.push_back(marker_change(p.name, p.marker));
        }
    }
    return changes;
}

QUICCHAT_RARE_DECL StateChange RoomAccounts::role_change(std::string_view user, Role role,
                                                         WallTime until) {
    std::string key = "role/" + canonical_name(user);
    if (role == Role::none) return {std::move(key), std::nullopt};
    return {std::move(key), std::to_string(static_cast<int>(role)) + " " +
                                std::to_string(to_milliseconds(until)) + " " + std::string{user}};
}

QUICCHAT_RARE_DECL StateChange RoomAccounts::marker_change(std::string_view user, Offset marker) {
    return {"read/" + canonical_name(user), std::to_string(marker)};
}

QUICCHAT_RARE_DECL bool RoomAccounts::restore(std::string_view key, std::string_view value) {
    if (key.starts_with("read/")) {
        const auto marker = take_number(value);
        if (marker) at(key.substr(5)).marker = *marker;
        return marker.has_value();
    }
    if (!key.starts_with("role/")) return false;
    const auto role = take_number(value);
    const auto until = take_number(value);
    if (!role || !until || *role > static_cast<std::uint64_t>(Role::owner)) return false;
    if (!is_user_name(value) || canonical_name(value) != key.substr(5)) return false;
    RoomAccount& person = at(value);
    person.name = value;
    person.role = static_cast<Role>(*role);
    person.until = WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(*until)}};
    return true;
}

QUICCHAT_DECL void RoomAccounts::note_unsaved(const RoomAccount& person) {
    if (person.role_saved && person.marker_saved) {
        unsaved_.push_back(canonical_name(person.name));
    }
}

QUICCHAT_RARE_DECL std::uint64_t RoomAccounts::to_milliseconds(WallTime time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

QUICCHAT_DECL std::optional<std::uint64_t> RoomAccounts::take_number(std::string_view& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with(' ')) text.remove_prefix(1);
    return number;
}

}  // namespace quicchat
