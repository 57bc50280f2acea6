#pragma once

#include <cstdint>
#include <string>

#include "quicchat/base/ids.hpp"

namespace quicchat {

/// What an account may do in a room (PROTOCOL.md §6.10). In the order of power.
enum class Role : std::uint8_t {
    none = 0,       ///< Does not belong to the room.
    banned = 1,     ///< Must not be in it.
    muted = 2,      ///< Reads only.
    member = 3,     ///< Reads and writes.
    moderator = 4,  ///< Sees to order among members.
    owner = 5,      ///< Decides about the room.
};

/// Who may come into a room.
enum class RoomAccess : std::uint8_t {
    everybody = 0,   ///< Whoever joins becomes a member.
    invitation = 1,  ///< Members only; others cannot tell whether it exists.
    archived = 2,    ///< Members only, and nobody writes any more.
};

/// Somebody who belongs to a room, or is in it.
struct RoomPerson {
    std::string user;        ///< Their name.
    Role role = Role::none;  ///< What they are there.
    bool present = false;    ///< They are in it now.
    std::string display{};   ///< What the account wants to be called; empty: by its name.
    /// The same in all.
    friend bool operator==(const RoomPerson&, const RoomPerson&) = default;
};

/// A room as a list of rooms shows it to one account.
struct RoomSummary {
    std::string room;                           ///< Its name, as that account calls it.
    std::string topic;                          ///< What it is about.
    RoomAccess access = RoomAccess::everybody;  ///< Who may come in.
    Role role = Role::none;                     ///< The account's own.
    Offset head = 0;                            ///< The newest record.
    Offset marker = 0;           ///< The newest record that the account has read, as it said.
    std::uint64_t unread = 0;    ///< Messages of others after that; 100 stands for more.
    std::uint64_t mentions = 0;  ///< Those of them that name the account (PROTOCOL.md §3.5).
    /// The same in all.
    friend bool operator==(const RoomSummary&, const RoomSummary&) = default;
};

}  // namespace quicchat
