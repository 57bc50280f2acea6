#pragma once

#include <array>
#include <cstdint>

#include "quicchat/wire/act.hpp"

// Who may do what in a room: the one place that decides (PROTOCOL.md §6.10).

namespace quicchat {

/// What an account may want of a room.
enum class Action : std::uint8_t {
    read,        ///< Join, history, who is there.
    write,       ///< Messages and reactions; editing and deleting what is one's own.
    tidy,        ///< Delete what others wrote.
    entitle,     ///< Set the topic.
    discipline,  ///< Invite, mute, remove and ban those below.
    rule,        ///< Appoint anybody to any role; decide about access.
};

/// Who may do one thing.
struct AccessRule {
    Action action;     ///< There is one rule for each.
    Role from;         ///< This role may, and all above it.
    bool in_archived;  ///< Also when the room is archived.
};

// clang-format off
/// PROTOCOL.md §6.10, a row for each.
inline constexpr auto access_rules = std::to_array<AccessRule>({
    {Action::read,       Role::muted,     true},
    {Action::write,      Role::member,    false},
    {Action::tidy,       Role::moderator, false},
    {Action::entitle,    Role::moderator, false},
    {Action::discipline, Role::moderator, false},
    {Action::rule,       Role::owner,     true},
});
// clang-format on

/// True if somebody of that role may do that in a room with that access. Whoever does not belong to
/// a room for everybody is there as a member would be.
constexpr bool is_allowed(Role role, RoomAccess access, Action action) {
    if (role == Role::none && access == RoomAccess::everybody) role = Role::member;
    for (const AccessRule& rule : access_rules) {
        if (rule.action != action) continue;
        return role >= rule.from && (rule.in_archived || access != RoomAccess::archived);
    }
    return false;
}

/// True if `actor` may give somebody who is `before` the role `after`.
constexpr bool may_appoint(Role actor, RoomAccess access, Role before, Role after) {
    if (is_allowed(actor, access, Action::rule)) return true;
    return is_allowed(actor, access, Action::discipline) && before < Role::moderator &&
           after < Role::moderator;
}

}  // namespace quicchat
