#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/rooms/access.hpp"
#include "quicchat/server/rooms/room.hpp"

namespace quicchat {

/// The rooms of a server, and who may do what in them.
class Directory {
public:
    using Rooms = std::map<std::string, Room>;

    explicit Directory(const std::vector<std::string>& operators) { set_operators(operators); }

    /// Other operators from now on.
    void set_operators(const std::vector<std::string>& operators) {
        operators_.clear();
        for (const std::string& name : operators) operators_.insert(canonical_name(name));
    }

    Room& add(Room room) {
        if (!room.creator().empty()) ++made_[canonical_name(room.creator())];
        const std::string key = room.key();
        return rooms_.insert_or_assign(key, std::move(room)).first->second;
    }

    void remove(const std::string& key) {
        const auto room = rooms_.extract(key);
        if (room.empty() || room.mapped().creator().empty()) return;
        const auto made = made_.find(canonical_name(room.mapped().creator()));
        if (--made->second == 0) made_.erase(made);
    }

    /// By its name in any spelling, or its key.
    Room* find(std::string_view name) {
        const auto found = rooms_.find(canonical_name(name));
        return found == rooms_.end() ? nullptr : &found->second;
    }
    const Room* find(std::string_view name) const {
        const auto found = rooms_.find(canonical_name(name));
        return found == rooms_.end() ? nullptr : &found->second;
    }

    /// What an account is in a room. An operator of the server is everywhere an owner, but in what
    /// two others tell each other.
    Role role(const Room& room, std::string_view user, WallTime now) const {
        if (!room.is_private() && is_operator(user)) return Role::owner;
        return room.people().role(user, now);
    }

    bool may(const Room& room, std::string_view user, Action action, WallTime now) const {
        return is_allowed(role(room, user, now), room.access(), action);
    }

    bool is_operator(std::string_view user) const {
        return !operators_.empty() && operators_.count(canonical_name(user)) != 0;
    }

    /// At most `count_max` of the rooms that an account may read, with keys above `after`, in
    /// order, and whether that was all. `own`: the keys of those that it shares with one other.
    std::pair<std::vector<const Room*>, bool> page(std::string_view user,
                                                   const std::set<std::string>& own,
                                                   std::string_view after, std::size_t count_max,
                                                   WallTime now) const {
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

    /// How many rooms an account has made.
    std::size_t made_by(std::string_view user) const {
        const auto found = made_.find(canonical_name(user));
        return found == made_.end() ? 0 : found->second;
    }

    std::size_t size() const { return rooms_.size(); }
    Rooms& rooms() { return rooms_; }

private:
    Rooms rooms_;  ///< By key.
    std::set<std::string> operators_;
    std::map<std::string, std::size_t> made_;
};

}  // namespace quicchat
