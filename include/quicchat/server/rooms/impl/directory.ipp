#pragma once

#include "quicchat/server/rooms/directory.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Directory::Directory(const std::vector<std::string>& operators) {
    set_operators(operators);
}

QUICCHAT_RARE_DECL void Directory::set_operators(const std::vector<std::string>& operators) {
    operators_.clear();
    for (const std::string& name : operators) operators_.insert(canonical_name(name));
}

QUICCHAT_RARE_DECL Room& Directory::add(Room room) {
    if (!room.creator().empty()) ++made_[canonical_name(room.creator())];
    const std::string key = room.key();
    return rooms_.insert_or_assign(key, std::move(room)).first->second;
}

QUICCHAT_RARE_DECL void Directory::remove(const std::string& key) {
    const auto room = rooms_.extract(key);
    if (room.empty() || room.mapped().creator().empty()) return;
    const auto made = made_.find(canonical_name(room.mapped().creator()));
    if (--made->second == 0) made_.erase(made);
}

QUICCHAT_DECL Room* Directory::find(std::string_view name) {
    const auto found = rooms_.find(canonical_name(name));
    return found == rooms_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL const Room* Directory::find(std::string_view name) const {
    const auto found = rooms_.find(canonical_name(name));
    return found == rooms_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL Role Directory::role(const Room& room, std::string_view user, WallTime now) const {
    if (!room.is_private() && is_operator(user)) return Role::owner;
    return room.people().role(user, now);
}

QUICCHAT_DECL bool Directory::may(const Room& room, std::string_view user, Action action,
                                  WallTime now) const {
    return is_allowed(role(room, user, now), room.access(), action);
}

QUICCHAT_DECL bool Directory::is_operator(std::string_view user) const {
    return !operators_.empty() && operators_.count(canonical_name(user)) != 0;
}

QUICCHAT_RARE_DECL std::pair<std::vector<const Room*>, bool> Directory::page(
    std::string_view user, const std::set<std::string>& own, std::string_view after,
    std::size_t count_max, WallTime now) const {
    std::vector<const Room*> rooms;
    const auto is_full = [&](const Room& room) {
        if (!may(room, user, Action::read, now)) return false;
        if (rooms.size() == count_max) return true;
        rooms.push_back(&room);
        return false;
    };
    // Those of two people come last, and others' are not even looked at.
    auto place = rooms_.upper_bound(std::string{after});
    for (; place != rooms_.end() && !place->second.is_private(); ++place) {
        if (is_full(place->second)) return {std::move(rooms), false};
    }
    for (auto key = own.upper_bound(std::string{after}); key != own.end(); ++key) {
        const auto found = rooms_.find(*key);
        if (found != rooms_.end() && is_full(found->second)) return {std::move(rooms), false};
    }
    return {std::move(rooms), true};
}

QUICCHAT_RARE_DECL std::size_t Directory::made_by(std::string_view user) const {
    const auto found = made_.find(canonical_name(user));
    return found == made_.end() ? 0 : found->second;
}

}  // namespace quicchat
