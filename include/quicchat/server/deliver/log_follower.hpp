#pragma once

#include <optional>
#include <string>

#include "quicchat/log/room_log.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/event_frames.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/people/profiles.hpp"
#include "quicchat/server/rooms/membership.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"

namespace quicchat {

/// Follows what is committed, by whomever, and lets it do what it does: to rooms, files and names,
/// and to the memberships and inboxes of those who are here. Whoever has something to read now is
/// woken; FanOut and ControlStreams hand it out.
class LogFollower {
public:
    /// What it is given outlives it.
    LogFollower(RoomStore& room_store, Profiles& profiles, FanOut& fan_out, EventFrames& frames,
                ControlStreams& control, Membership& membership, const OnlineUsers& online,
                Turn& turn);

    /// Takes in a record that was committed. `by`: the connection that proposed it, if it was one
    /// of ours; it has its answer.
    void handle(LogNews&& news, std::optional<ConnectionId> by);

    /// Takes in that the old end of a room's log has gone.
    void handle_trim(const LogNews& news);

private:
    /// The room of that record: also one that it makes, or that another made. Nothing: it was
    /// forgotten meanwhile.
    Room* room_of(const LogNews& news);

    /// To those devices of both that have not joined their room.
    void deliver_private(const Room& room, const LoggedRecord& logged);

    RoomStore* room_store_;
    Profiles* profiles_;
    FanOut* fan_out_;
    EventFrames* frames_;
    ControlStreams* control_;
    Membership* membership_;
    const OnlineUsers* online_;
    Turn* turn_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/log_follower.ipp"
#endif
