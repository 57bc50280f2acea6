#pragma once

#include "quicchat/server/rooms/membership.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Membership::Membership(RoomStore& room_store, Decider& decider, FanOut& fan_out,
                                          Presence& presence, Pages& pages,
                                          const OnlineUsers& online, const AccountFinder& accounts,
                                          const Limits& limits, Turn& turn)
    : room_store_(&room_store),
      decider_(&decider),
      fan_out_(&fan_out),
      presence_(&presence),
      pages_(&pages),
      online_(&online),
      accounts_(&accounts),
      limits_(&limits),
      turn_(&turn) {}

QUICCHAT_RARE_DECL Result<Member*> Membership::join(const Caller& caller, StreamId stream,
                                                    const wire::Join& request) {
    const Result<Room*> found = find(caller, request.room);
    if (!found) return found.error();
    Room& room = **found;
    if (const Errc errc = may_enter(room, caller.user); errc != Errc{}) return errc;
    if (room.members().size() >= limits_->members_max) return Errc::room_full;
    if (!room_store_->admit(room, caller.user, turn_->now())) return Errc::room_full;

    Member& member = fan_out_->add({.connection = caller.connection,
                                    .stream = stream,
                                    .user = std::string{caller.user},
                                    .device = caller.device});
    bool recovered = false;
    std::tie(member.next, recovered) = fan_out_->first_offset(room, request.position);
    const bool is_new = room.add(member);
    if (is_new) presence_->announce(room, member);
    fan_out_->reply(
        member,
        Bytes{encode(wire::Joined{
            request.request, room.name_for(caller.user), room.epoch(), room.head(), member.next,
            recovered, room_store_->directory().role(room, caller.user, turn_->now()),
            room.access(), room.people().find(caller.user)->marker, room.topic()})});
    return &member;
}

QUICCHAT_RARE_DECL Errc Membership::may_enter(const Room& room, std::string_view user) const {
    if (room_store_->directory().may(room, user, Action::read, turn_->now())) return Errc{};
    return room.access() == RoomAccess::everybody ? Errc::forbidden : Errc::no_such_room;
}

QUICCHAT_RARE_DECL void Membership::leave(Member& member) {
    Room& room = *member.room;
    if (room.remove(member)) presence_->announce(room, member);
    fan_out_->remove(member);
}

QUICCHAT_DECL Errc Membership::mark_read(Room& room, const Caller& caller,
                                         std::optional<Epoch> epoch, Offset offset, bool shared) {
    if (room.people().find(caller.user) == nullptr) return Errc::not_in_room;
    if (epoch && *epoch != room.epoch()) return Errc::no_such_message;
    RoomAccount& person = room.people().at(caller.user);
    const Offset marker = std::min(offset, room.head());
    if (marker <= person.marker) return Errc{};
    room.people().set_marker(person, marker);
    room_store_->note_unsaved(room);
    presence_->tell_marker(room, person, caller.connection, shared);
    return Errc{};
}

QUICCHAT_RARE_DECL Result<Room*> Membership::find(const Caller& caller, const std::string& name) {
    if (is_private_name(name)) return private_room(caller, name.substr(1));
    if (!is_room_name(name)) return Errc::invalid_name;
    if (Room* room = room_store_->directory().find(name)) return room;
    return Errc::no_such_room;
}

QUICCHAT_RARE_DECL Result<Room*> Membership::private_room(const Caller& caller,
                                                          const std::string& other) {
    if (Room* room = room_store_->find(caller.user, "@" + other)) return room;
    const OnlineUsers::User* here = online_->find(other);
    std::optional<std::string> name = here ? here->name : accounts_->find_account(other);
    const std::string& speaker = room_store_->speaker();
    if (!name && !speaker.empty() && is_same_name(other, speaker)) name = speaker;
    if (!name) return Errc::no_such_user;
    const Result<Room*> room = decider_->open_private_room(std::string{caller.user}, *name);
    if (!room) return room;
    while (Room* surplus = decider_->surplus(**room)) forget(*surplus);
    return room;
}

QUICCHAT_RARE_DECL void Membership::remove(Room& room, std::string_view user, Errc errc,
                                           std::string_view text) {
    const std::vector<Member*> members = room.members();
    for (Member* member : members) {
        if (!user.empty() && !is_same_name(member->user, user)) continue;
        end(*member, errc, text);
    }
}

QUICCHAT_RARE_DECL void Membership::remove_former_operators() {
    for (auto& [key, room] : room_store_->directory().rooms()) {
        const std::vector<Member*> members = room.members();
        for (Member* member : members) {
            if (may_enter(room, member->user) == Errc{}) continue;
            end(*member, Errc::removed, "no longer an operator");
        }
    }
}

QUICCHAT_RARE_DECL std::optional<HubEnding> Membership::poll_ending() {
    return pop_front(endings_);
}

QUICCHAT_RARE_DECL void Membership::end(Member& member, Errc errc, std::string_view text) {
    HubEnding ending{member.connection, member.stream, std::move(member.replies)};
    ending.frames.push_back(encode_ending(errc, text));
    endings_.push_back(std::move(ending));
    leave(member);
}

QUICCHAT_RARE_DECL void Membership::forget(Room& room) {
    remove(room, "", Errc::no_such_room, "");
    pages_->forget(room);
    decider_->forget(room);
}

}  // namespace quicchat
