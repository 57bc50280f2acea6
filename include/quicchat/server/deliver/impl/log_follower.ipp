#pragma once

#include "quicchat/server/deliver/log_follower.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_DECL LogFollower::LogFollower(RoomStore& room_store, Profiles& profiles, FanOut& fan_out,
                                       EventFrames& frames, ControlStreams& control,
                                       Membership& membership, const OnlineUsers& online,
                                       Turn& turn)
    : room_store_(&room_store),
      profiles_(&profiles),
      fan_out_(&fan_out),
      frames_(&frames),
      control_(&control),
      membership_(&membership),
      online_(&online),
      turn_(&turn) {}

QUICCHAT_DECL void LogFollower::handle(LogNews&& news, std::optional<ConnectionId> by) {
    if (Profiles::is_about(news)) return profiles_->handle(*news.record, by);
    Room* room = room_of(news);
    // A room of two people may be forgotten, and begun anew, while it is written to.
    if (room == nullptr || room->epoch() != news.epoch) return;
    const LoggedRecord logged{news.offset, *std::move(news.record)};
    // A log that leaves one out cannot be trusted: nobody would ever be told of it.
    if (logged.offset > room->head() + 1) return turn_->fail(Errc::storage_failed);
    if (logged.offset > room->head()) {  // not if the room was opened with it
        room->push(logged);
        frames_->handle_commit(*room, logged);
        room_store_->note_files(*room, logged);
        fan_out_->wake_all(*room);
    }
    const Act& act = logged.record.act;
    if (room->is_private() && is_said(act.kind)) deliver_private(*room, logged);
    if (act.kind == Act::Kind::role && static_cast<Role>(act.value) < Role::muted) {
        membership_->remove(*room, act.subject, Errc::removed, logged.record.text);
    }
}

QUICCHAT_RARE_DECL void LogFollower::handle_trim(const LogNews& news) {
    Room* room = room_store_->directory().find(news.room);
    if (room == nullptr || room->epoch() != news.epoch) return;
    room_store_->note_trim(*room);
    frames_->drop_before(*room, room_store_->log().head(news.room).first);
}

QUICCHAT_DECL Room* LogFollower::room_of(const LogNews& news) {
    if (Room* room = room_store_->directory().find(news.room)) return room;
    const bool is_own = news.token.has_value();
    if (is_own && news.record->act.kind != Act::Kind::creation) return nullptr;
    const Result<Room*> learned = room_store_->learn(news.room);
    if (!learned) turn_->noted(to_errc(learned.error()));
    return learned ? *learned : nullptr;
}

QUICCHAT_DECL void LogFollower::deliver_private(const Room& room, const LoggedRecord& logged) {
    const std::string& from = logged.record.author;
    const std::string to = room.other_than(from);
    for (const std::string& name : {from, to}) {
        const OnlineUsers::User* user = online_->find(name);
        if (user == nullptr) continue;
        for (const ConnectionId device : user->connections) {
            const bool joined = std::ranges::any_of(
                room.members(), [&](const Member* m) { return m->connection == device; });
            if (!joined) control_->note_told(device, room, logged.offset);
        }
        if (is_same_name(from, to)) return;
    }
}

}  // namespace quicchat
