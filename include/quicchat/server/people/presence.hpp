#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/publish/pending_appends.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// What the people of a room know of each other beside its records: who is here, who types, who has
/// read how far. In large rooms nobody is told.
class Presence {
public:
    Presence(FanOut& fan_out, PendingAppends& pending, const OnlineUsers& online,
             const DisplayNames& names, const Limits& limits)
        : fan_out_(&fan_out),
          pending_(&pending),
          online_(&online),
          names_(&names),
          limits_(&limits) {}

    /// Somebody came or went.
    void announce(Room& room, const Member& subject, bool present) {
        if (room.members().size() > limits_->presence_members_max) return;
        const Bytes frame{
            encode(wire::Presence{subject.user, present, names_->find(subject.user)})};
        for (Member* member : room.members()) {
            if (member == &subject) continue;
            if (member->stalled || member->replies.size() >= limits_->replies_max) {
                member->members_stale = true;
            } else {
                fan_out_->reply(*member, frame);
            }
        }
    }

    /// Who belongs to a room or is in it, a page.
    Bytes encode_members(const Room& room, RequestId request, const std::string& after,
                         WallTime now) const {
        auto [people, complete] = room.people().page(after, limits_->members_per_page_max, now);
        for (RoomPerson& person : people) person.display = names_->find(person.user);
        return Bytes{encode(wire::Members{request, std::move(people), complete})};
    }

    /// The members who may hear that one of them types; none if that was said just before.
    std::vector<const Member*> typing_for(Member& member, TimePoint now) const {
        const Room& room = *member.room;
        const bool often = member.typed_at && now - *member.typed_at < limits_->typing_pause / 2;
        if (often || room.members().size() > limits_->presence_members_max) return {};
        member.typed_at = now;
        std::vector<const Member*> others;
        for (const Member* other : room.members()) {
            const bool behind = other->stalled || other->next <= room.head();
            if (other != &member && !behind) others.push_back(other);
        }
        return others;
    }

    /// An account has read up to its marker: its other devices hear of it and, if it is `shared`,
    /// the members of the room.
    void tell_marker(const Room& room, const RoomAccount& reader, ConnectionId by, bool shared) {
        const auto tell = [&](ConnectionId connection, std::string_view user) {
            if (connection == by) return;
            const wire::Marker marker{room.name_for(user), reader.name, reader.marker};
            pending_->say(connection, Bytes{encode(marker)});
        };
        for (const ConnectionId device : online_->find(reader.name)->connections) {
            tell(device, reader.name);
        }
        if (!shared || room.members().size() > limits_->presence_members_max) return;
        for (const Member* member : room.members()) {
            if (!is_same_name(member->user, reader.name)) tell(member->connection, member->user);
        }
    }

private:
    FanOut* fan_out_;
    PendingAppends* pending_;
    const OnlineUsers* online_;
    const DisplayNames* names_;
    const Limits* limits_;
};

}  // namespace quicchat
