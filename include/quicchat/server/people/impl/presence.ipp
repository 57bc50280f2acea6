#pragma once

#include "quicchat/server/people/presence.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Presence::Presence(FanOut& fan_out, ControlStreams& control,
                                      const OnlineUsers& online, const DisplayNames& names,
                                      const Limits& limits)
    : fan_out_(&fan_out), control_(&control), online_(&online), names_(&names), limits_(&limits) {}

QUICCHAT_RARE_DECL void Presence::announce(Room& room, const Member& subject) {
    if (room.members().size() > limits_->presence_members_max) return;
    for (Member* member : room.members()) {
        if (member == &subject || member->members_stale) continue;
        std::vector<std::string>& changed = member->presence;
        if (std::ranges::find(changed, subject.user) == changed.end()) {
            changed.push_back(subject.user);
        }
        if (changed.size() > changed_max) {
            changed = {};
            member->members_stale = true;
        }
        fan_out_->wake(*member);
    }
}

QUICCHAT_RARE_DECL std::optional<Bytes> Presence::next_frame(Member& member, WallTime now) {
    if (std::exchange(member.members_stale, false)) {
        return encode_members(*member.room, 0, "", now);
    }
    if (member.presence.empty()) return std::nullopt;
    const std::string user = std::move(member.presence.back());
    member.presence.pop_back();
    const RoomAccount* account = member.room->people().find(user);
    const bool present = account != nullptr && account->devices > 0;
    return Bytes{encode(wire::Presence{user, present, names_->find(user)})};
}

QUICCHAT_RARE_DECL Bytes Presence::encode_members(const Room& room, RequestId request,
                                                  const std::string& after, WallTime now) const {
    auto [people, complete] = room.people().page(after, limits_->members_per_page_max, now);
    for (RoomPerson& person : people) person.display = names_->find(person.user);
    return Bytes{encode(wire::Members{request, std::move(people), complete})};
}

QUICCHAT_RARE_DECL std::vector<const Member*> Presence::typing_for(Member& member,
                                                                   TimePoint now) const {
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

QUICCHAT_RARE_DECL void Presence::tell_marker(const Room& room, const RoomAccount& reader,
                                              ConnectionId by, bool shared) {
    if (const OnlineUsers::User* here = online_->find(reader.name)) {
        for (const ConnectionId device : here->connections) {
            if (device != by) control_->note_marker(device, room, reader.name);
        }
    }
    if (!shared || room.members().size() > limits_->presence_members_max) return;
    for (const Member* member : room.members()) {
        if (member->connection == by || is_same_name(member->user, reader.name)) continue;
        control_->note_marker(member->connection, room, reader.name);
    }
}

}  // namespace quicchat
