#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/deliver/pages.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/people/presence.hpp"
#include "quicchat/server/publish/decider.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"

namespace quicchat {

/// Who is in which room: finding rooms, coming in and going out.
class Membership {
public:
    /// What it is given outlives it.
    Membership(RoomStore& room_store, Decider& decider, FanOut& fan_out, Presence& presence,
               Pages& pages, const OnlineUsers& online, const AccountFinder& accounts,
               const Limits& limits, Turn& turn);

    /// Puts a connection into a room. Its cursor is taken and the membership made in one step, so
    /// no record falls between what Joined says and what follows (PROTOCOL.md §6.2).
    Result<Member*> join(const Caller& caller, StreamId stream, const wire::Join& request);

    /// `Errc{}`, or what somebody is told who may not read a room.
    Errc may_enter(const Room& room, std::string_view user) const;

    /// Takes a member out of its room and forgets it.
    void leave(Member& member);

    /// Takes note of how far somebody has read a room in which he is known. `epoch`: the life of
    /// the room that he means; nothing: this one. `not_in_room`; `no_such_message`: another life.
    Errc mark_read(Room& room, const Caller& caller, std::optional<Epoch> epoch, Offset offset,
                   bool shared);

    /// The room that somebody calls so, whether he may see it or not; that of two people is made if
    /// need be.
    Result<Room*> find(const Caller& caller, const std::string& name);

    /// The room that somebody shares with another, who may be away, but must have an account.
    Result<Room*> private_room(const Caller& caller, const std::string& other);

    /// Ends the memberships of one user, or of all, without their asking.
    void remove(Room& room, std::string_view user, Errc errc, std::string_view text);

    /// Ends the memberships of those who may not read their room any more, because they are no
    /// operators now.
    void remove_former_operators();

    /// Deletes a room. Who is in it is told `no_such_room`.
    void forget(Room& room);

    /// Memberships that ended without their client; see Hub.
    std::optional<HubEnding> poll_ending();

private:
    void end(Member& member, Errc errc, std::string_view text);

    RoomStore* room_store_;
    Decider* decider_;
    FanOut* fan_out_;
    Presence* presence_;
    Pages* pages_;
    const OnlineUsers* online_;
    const AccountFinder* accounts_;
    const Limits* limits_;
    Turn* turn_;
    std::deque<HubEnding> endings_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/membership.ipp"
#endif
