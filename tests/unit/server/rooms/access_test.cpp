#include <array>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/rooms/access.hpp"

using namespace quicchat;

namespace {

constexpr std::array actions{Action::read,    Action::write,      Action::tidy,
                             Action::entitle, Action::discipline, Action::rule};
constexpr std::array roles{Role::none,   Role::banned,    Role::muted,
                           Role::member, Role::moderator, Role::owner};
constexpr std::array accesses{RoomAccess::everybody, RoomAccess::invitation, RoomAccess::archived};

/// What each role may: one letter for each of `actions`, in their order, or a dot.
struct Row {
    RoomAccess access;
    Role role;
    std::string_view may;
};

// PROTOCOL.md §6.10, written down a second time.
// clang-format off
constexpr Row rows[] = {
    {RoomAccess::everybody,  Role::none,      "rw...."},
    {RoomAccess::everybody,  Role::banned,    "......"},
    {RoomAccess::everybody,  Role::muted,     "r....."},
    {RoomAccess::everybody,  Role::member,    "rw...."},
    {RoomAccess::everybody,  Role::moderator, "rwted."},
    {RoomAccess::everybody,  Role::owner,     "rwtedx"},
    {RoomAccess::invitation, Role::none,      "......"},
    {RoomAccess::invitation, Role::banned,    "......"},
    {RoomAccess::invitation, Role::muted,     "r....."},
    {RoomAccess::invitation, Role::member,    "rw...."},
    {RoomAccess::invitation, Role::moderator, "rwted."},
    {RoomAccess::invitation, Role::owner,     "rwtedx"},
    {RoomAccess::archived,   Role::none,      "......"},
    {RoomAccess::archived,   Role::banned,    "......"},
    {RoomAccess::archived,   Role::muted,     "r....."},
    {RoomAccess::archived,   Role::member,    "r....."},
    {RoomAccess::archived,   Role::moderator, "r....."},
    {RoomAccess::archived,   Role::owner,     "r....x"},
};
// clang-format on

constexpr bool agrees_with_every_row() {
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < actions.size(); ++i) {
            if (is_allowed(row.role, row.access, actions[i]) != (row.may[i] != '.')) return false;
        }
    }
    return true;
}
static_assert(std::size(rows) == roles.size() * accesses.size());
static_assert(agrees_with_every_row());

constexpr bool each_action_has_one_rule() {
    for (const Action action : actions) {
        std::size_t count = 0;
        for (const AccessRule& rule : access_rules) count += rule.action == action ? 1 : 0;
        if (count != 1) return false;
    }
    return access_rules.size() == actions.size();
}
static_assert(each_action_has_one_rule());

/// Whoever belongs to a room may do all that those below may.
constexpr bool power_only_grows() {
    for (const RoomAccess access : accesses) {
        for (const Action action : actions) {
            for (std::size_t i = 2; i < roles.size(); ++i) {
                const bool below = is_allowed(roles[i - 1], access, action);
                if (below && !is_allowed(roles[i], access, action)) return false;
            }
        }
    }
    return true;
}
static_assert(power_only_grows());

/// What appointments each role may make, tried one by one.
constexpr bool appoints(Role actor, RoomAccess access, Role highest_before, Role highest_after) {
    for (const Role before : roles) {
        for (const Role after : roles) {
            const bool expected = before <= highest_before && after <= highest_after;
            if (may_appoint(actor, access, before, after) != expected) return false;
        }
    }
    return true;
}
constexpr bool appoints_nobody(Role actor, RoomAccess access) {
    for (const Role before : roles) {
        for (const Role after : roles) {
            if (may_appoint(actor, access, before, after)) return false;
        }
    }
    return true;
}
static_assert(appoints_nobody(Role::member, RoomAccess::everybody));
static_assert(appoints_nobody(Role::none, RoomAccess::everybody));
static_assert(appoints_nobody(Role::muted, RoomAccess::invitation));
static_assert(appoints(Role::moderator, RoomAccess::everybody, Role::member, Role::member));
static_assert(appoints(Role::moderator, RoomAccess::invitation, Role::member, Role::member));
static_assert(appoints_nobody(Role::moderator, RoomAccess::archived));
static_assert(appoints(Role::owner, RoomAccess::everybody, Role::owner, Role::owner));
static_assert(appoints(Role::owner, RoomAccess::archived, Role::owner, Role::owner));

}  // namespace

TEST_CASE("each role may do in each room what the table says", "[server]") {
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < actions.size(); ++i) {
            INFO("access " << static_cast<int>(row.access) << " role " << static_cast<int>(row.role)
                           << " action " << i);
            CHECK(is_allowed(row.role, row.access, actions[i]) == (row.may[i] != '.'));
        }
    }
}
