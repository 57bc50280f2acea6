#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// One account in one room.
struct RoomAccount {
    std::string name;          ///< As the account spells it.
    Role role = Role::none;    ///< Ask `role_at`.
    WallTime until{};          ///< When a mute or a ban ends; 1970: never.
    Offset marker = 0;         ///< Has read up to here.
    std::size_t devices = 0;   ///< Connections that are in the room.
    bool role_saved = true;    ///< The log has the role, or will with an append under way.
    bool marker_saved = true;  ///< The same of the marker.

    /// The role that counts now: a mute or a ban may be over.
    Role role_at(WallTime now) const;
};

/// The accounts that belong to a room or are in it, by canonical name. Their addresses are stable
/// as long as they have a device here.
class RoomAccounts {
public:
    /// By canonical name.
    using Map = std::map<std::string, RoomAccount>;

    /// The account's entry, made if need be.
    RoomAccount& at(std::string_view user);

    /// nullptr if nothing is known of it here.
    const RoomAccount* find(std::string_view user) const;

    /// The role that counts now; `none` if nothing is known of the account.
    Role role(std::string_view user, WallTime now) const;

    /// Forgets an account of which there is nothing to know.
    void tidy(std::string_view user);

    /// Makes room: forgets somebody who is away and is nothing but a member, or less: has left, and
    /// is known by his marker. Returns the canonical name, or nothing if there is none.
    std::optional<std::string> drop_absent_member();

    /// At most `count_max` of those who belong to the room or are in it, with canonical names above
    /// `after`, in order, and whether that was all.
    std::pair<std::vector<RoomPerson>, bool> page(std::string_view after, std::size_t count_max,
                                                  WallTime now) const;

    /// Nobody has read more than there is.
    void clamp_markers(Offset head);

    /// Accounts with that role, whether a mute or a ban is over or not.
    std::size_t count(Role role) const;

    /// All that are known here.
    std::size_t size() const { return map_.size(); }

    // What the log has to keep of them, as changes of the room's state.

    /// The account is now a member, because it came into a room for everybody.
    void make_member(RoomAccount& person);

    /// Has read up to there. The caller sees to it that this is so.
    void set_marker(RoomAccount& person, Offset marker);

    /// A record about a role was committed, and the state along with it.
    void apply_role(std::string_view user, Role role, WallTime until);

    /// Whether `take_unsaved` has anything.
    bool has_unsaved() const { return !unsaved_.empty(); }

    /// What changed without a record since the last call.
    std::vector<StateChange> take_unsaved();

    /// What to store so that `restore` brings it back. The role `none` takes the entry out.
    /// @{
    static StateChange role_change(std::string_view user, Role role, WallTime until);

    static StateChange marker_change(std::string_view user, Offset marker);
    /// @}

    /// Takes in one entry of a stored state. False if it is about something else, or nonsense.
    bool restore(std::string_view key, std::string_view value);

private:
    void note_unsaved(const RoomAccount& person);

    static std::uint64_t to_milliseconds(WallTime time);

    /// Takes a number and the space behind it off the front.
    static std::optional<std::uint64_t> take_number(std::string_view& text);

    Map map_;
    std::vector<std::string> unsaved_;
    std::string newest_dropped_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/room_accounts.ipp"
#endif
