#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/rooms/room.hpp"

namespace quicchat {

/// What the people of a room know of each other beside its records: who is here, who types, who has
/// read how far. In large rooms nobody is told.
class Presence {
public:
    /// What it is given outlives it.
    Presence(FanOut& fan_out, ControlStreams& control, const OnlineUsers& online,
             const DisplayNames& names, const Limits& limits);

    /// Somebody came or went.
    void announce(Room& room, const Member& subject);

    /// Who came or went and was not told to the member yet, one of them: as it is now.
    std::optional<Bytes> next_frame(Member& member, WallTime now);

    /// Who belongs to a room or is in it, a page.
    Bytes encode_members(const Room& room, RequestId request, const std::string& after,
                         WallTime now) const;

    /// The members who may hear that one of them types; none if that was said just before.
    std::vector<const Member*> typing_for(Member& member, TimePoint now) const;

    /// An account, which may be away, has read up to its marker: its devices hear of it, but for
    /// `by`, and, if it is `shared`, the members of the room.
    void tell_marker(const Room& room, const RoomAccount& reader, ConnectionId by, bool shared);

private:
    /// So many are told one by one.
    static constexpr std::size_t changed_max = 16;

    FanOut* fan_out_;
    ControlStreams* control_;
    const OnlineUsers* online_;
    const DisplayNames* names_;
    const Limits* limits_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/people/impl/presence.ipp"
#endif
