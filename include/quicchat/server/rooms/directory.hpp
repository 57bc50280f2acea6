#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/server/rooms/access.hpp"
#include "quicchat/server/rooms/room.hpp"

namespace quicchat {

/// The rooms of a server, and who may do what in them.
class Directory {
public:
    /// By key.
    using Rooms = std::map<std::string, Room>;

    /// Their names, in any spelling.
    explicit Directory(const std::vector<std::string>& operators);

    /// Other operators from now on.
    void set_operators(const std::vector<std::string>& operators);

    /// In place of one with that key. Its address is stable until `remove`.
    Room& add(Room room);

    /// Does nothing if there is no such room.
    void remove(const std::string& key);

    /// By its name in any spelling, or its key.
    Room* find(std::string_view name);
    /// The same, to look at only; nullptr: there is none.
    const Room* find(std::string_view name) const;

    /// What an account is in a room. An operator of the server is everywhere an owner, but in what
    /// two others tell each other.
    Role role(const Room& room, std::string_view user, WallTime now) const;

    /// Whether the account's role lets it do that now; see access.hpp.
    bool may(const Room& room, std::string_view user, Action action, WallTime now) const;

    /// Whether the configuration names the account as one, in any spelling.
    bool is_operator(std::string_view user) const;

    /// At most `count_max` of the rooms that an account may read, with keys above `after`, in
    /// order, and whether that was all. `own`: the keys of those that it shares with one other.
    std::pair<std::vector<const Room*>, bool> page(std::string_view user,
                                                   const std::set<std::string>& own,
                                                   std::string_view after, std::size_t count_max,
                                                   WallTime now) const;

    /// How many rooms an account has made.
    std::size_t made_by(std::string_view user) const;

    /// Those of two people included.
    /// @{
    std::size_t size() const { return rooms_.size(); }
    Rooms& rooms() { return rooms_; }
    /// @}

private:
    Rooms rooms_;  ///< By key.
    std::set<std::string> operators_;
    std::map<std::string, std::size_t> made_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/directory.ipp"
#endif
