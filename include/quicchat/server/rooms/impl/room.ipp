#pragma once

#include "quicchat/server/rooms/room.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/rooms/access.hpp"
#include "quicchat/server/rooms/private_rooms.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Room::Room(std::string name, LogHead head, std::size_t recent_max)
    : name_(std::move(name)),
      key_(canonical_name(name_)),
      epoch_(head.epoch),
      head_(head.head),
      recent_first_(head.head + 1),
      recent_max_(recent_max) {
    if (!is_private()) return;
    access_ = RoomAccess::invitation;
    const auto [one, other] = PrivateRooms::people_of(key_);
    for (const std::string& user : {one, other}) people_.at(user).role = Role::member;
}

QUICCHAT_RARE_DECL void Room::restore(const RoomState& state) {
    for (const auto& [key, value] : state) {
        if (key == "name" && canonical_name(value) == key_) name_ = value;
        if (key == "topic") topic_ = value;
        if (key == "creator") creator_ = value;
        if (key == "maker") maker_ = value;
        if (key == "access" && value == "1") access_ = RoomAccess::invitation;
        if (key == "access" && value == "2") access_ = RoomAccess::archived;
        people_.restore(key, value);
    }
    people_.clamp_markers(head_);
}

QUICCHAT_DECL void Room::push(const LoggedRecord& record) {
    const Act& act = record.record.act;
    if (act.kind == Act::Kind::topic) topic_ = record.record.text;
    if (act.kind == Act::Kind::access) access_ = static_cast<RoomAccess>(act.value);
    if (act.kind == Act::Kind::role) {
        people_.apply_role(act.subject, static_cast<Role>(act.value), act.until);
    }
    head_ = record.offset;
    unread_.push(record);
    quiet_ = false;
    const Offset edited = act.kind == Act::Kind::edit ? act.target : 0;
    recent_.push_back({encode_event(record), edited});
    recent_bytes_ += recent_.back().frame.size();
    while (recent_.size() > recent_max_ || recent_bytes_ > recent_bytes_max) {
        recent_bytes_ -= recent_.front().frame.size();
        recent_.pop_front();
        ++recent_first_;
    }
}

QUICCHAT_DECL const Bytes* Room::recent(Offset offset) const {
    if (offset < recent_first_ || offset > head_) return nullptr;
    const Bytes& frame = recent_[static_cast<std::size_t>(offset - recent_first_)].frame;
    return frame.empty() ? nullptr : &frame;
}

QUICCHAT_DECL void Room::replace_recent(Offset offset, Bytes frame) {
    if (offset < recent_first_ || offset > head_) return;
    Bytes& kept = recent_[static_cast<std::size_t>(offset - recent_first_)].frame;
    recent_bytes_ += frame.size();
    recent_bytes_ -= kept.size();
    kept = std::move(frame);
}

QUICCHAT_RARE_DECL void Room::drop_before(Offset first) {
    for (; !recent_.empty() && recent_first_ < first; ++recent_first_) {
        recent_bytes_ -= recent_.front().frame.size();
        recent_.pop_front();
    }
    unread_.keep_newest(head_ + 1 - std::min(first, head_ + 1));
}

QUICCHAT_DECL std::vector<Offset> Room::recent_edits_of(Offset target) const {
    std::vector<Offset> edits;
    for (std::size_t i = 0; i < recent_.size(); ++i) {
        if (recent_[i].edited == target) edits.push_back(recent_first_ + i);
    }
    return edits;
}

QUICCHAT_DECL std::uint64_t Room::count_unread(Offset marker, std::string_view user) const {
    return unread_.count_unread(head_ - marker, user);
}

QUICCHAT_DECL std::uint64_t Room::count_mentions(Offset marker, std::string_view user) const {
    return unread_.count_mentions(head_ - marker, user);
}

QUICCHAT_RARE_DECL bool Room::add(Member& member) {
    member.room = this;
    member.place = members_.size();
    members_.push_back(&member);
    return ++people_.at(member.user).devices == 1;
}

QUICCHAT_RARE_DECL bool Room::remove(Member& member) {
    members_.back()->place = member.place;
    members_[member.place] = members_.back();
    members_.pop_back();
    if (--people_.at(member.user).devices > 0) return false;
    people_.tidy(member.user);
    return true;
}

QUICCHAT_DECL bool Room::is_private() const { return PrivateRooms::is_key(key_); }

QUICCHAT_RARE_DECL std::string Room::name_for(std::string_view user) const {
    if (!is_private()) return name_;
    return "@" + other_than(user);
}

QUICCHAT_RARE_DECL std::string Room::other_than(std::string_view user) const {
    const auto [one, other] = PrivateRooms::people_of(key_);
    const std::string& wanted = one == canonical_name(user) ? other : one;
    const RoomAccount* person = people_.find(wanted);
    return person == nullptr ? wanted : person->name;
}

QUICCHAT_DECL bool Room::take_quiet() { return std::exchange(quiet_, true); }

QUICCHAT_DECL bool Room::has_reaction_under_way(std::string_view user) const {
    return std::ranges::any_of(reactions_under_way,
                               [&](const auto& entry) { return entry.first == user; });
}

}  // namespace quicchat
