#pragma once

#include "quicchat/server/publish/spokesman.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/rooms/acts.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Errc Spokesman::say(std::uint64_t ticket, const std::string& room,
                                       Record record) {
    if (!is_user_name(record.author)) return Errc::invalid_name;
    const Errc form = check_act(record.act, record.text, record.attributes, *limits_);
    if (form != Errc{}) return form;
    if (!has_room()) return Errc::queue_full;
    const Result<Room*> found = membership_->find({.user = record.author}, room);
    if (!found) return to_errc(found.error());
    Room& target = **found;
    const Errc entry = membership_->may_enter(target, record.author);
    if (entry != Errc{}) return entry;
    if (target.is_private()) {
        room_store_->note_use(target);
    } else if (record.act.kind == Act::Kind::message &&
               !room_store_->admit(target, record.author, turn_->now())) {
        return Errc::room_full;
    }
    if (must_wait(target, record)) {
        waiting_.push_back({ticket, target.key(), std::move(record)});
        return Errc{};
    }
    return propose(ticket, target, std::move(record));
}

QUICCHAT_RARE_DECL Errc Spokesman::create_room(std::uint64_t ticket, const wire::CreateRoom& m,
                                               const std::string& owner) {
    if (!is_user_name(owner)) return Errc::invalid_name;
    if (const Errc errc = check_creation(m); errc != Errc{}) return errc;
    if (!has_room()) return Errc::queue_full;
    Record record = make_creation(m, owner, {});
    std::vector<StateChange> changes = changes_of(m, record.author);
    return proposer_->propose_for_program(
        {Proposal::Kind::creation, canonical_name(m.room), std::move(record), std::move(changes)},
        ticket);
}

QUICCHAT_RARE_DECL Errc Spokesman::set_profile(std::uint64_t ticket, const std::string& user,
                                               const std::string& display) {
    if (!is_user_name(user)) return Errc::invalid_name;
    if (!has_room()) return Errc::queue_full;
    return profiles_->set_for_program(ticket, user, display);
}

QUICCHAT_RARE_DECL Errc Spokesman::mark_read(const std::string& room, const std::string& user,
                                             std::optional<Epoch> epoch, Offset offset,
                                             bool shared) {
    if (!is_user_name(user)) return Errc::invalid_name;
    Room* found = room_store_->find_for(user, room, turn_->now());
    if (found == nullptr) return Errc::no_such_room;
    if (!found->is_private() && !room_store_->admit(*found, user, turn_->now())) {
        return Errc::room_full;
    }
    return membership_->mark_read(*found, {.user = user}, epoch, offset, shared);
}

QUICCHAT_RARE_DECL std::optional<ProgramOutcome> Spokesman::poll_outcome() {
    if (auto outcome = pop_front(refused_)) return outcome;
    return proposer_->poll_program_outcome();
}

QUICCHAT_RARE_DECL void Spokesman::listen(bool on) {
    listens_ = on && !room_store_->speaker().empty();
    if (!listens_) told_.clear();
}

QUICCHAT_RARE_DECL std::optional<std::string> Spokesman::poll_told() {
    if (told_.empty()) return std::nullopt;
    return std::move(told_.extract(told_.begin()).value());
}

QUICCHAT_DECL void Spokesman::note_stored(const LogNews& news) {
    if (!listens_ || !PrivateRooms::is_key(news.room)) return;
    const std::string& speaker = room_store_->speaker();
    if (is_same_name(news.record->author, speaker)) return;
    const auto [one, other] = PrivateRooms::people_of(news.room);
    if (is_same_name(one, speaker)) told_.insert("@" + other);
    if (is_same_name(other, speaker)) told_.insert("@" + one);
}

QUICCHAT_DECL bool Spokesman::go_on() {
    if (waiting_.empty()) return false;
    bool moved = false;
    for (Waiting& next : std::exchange(waiting_, {})) {
        const Room* room = room_store_->directory().find(next.room);
        if (room != nullptr && must_wait(*room, next.record)) {
            waiting_.push_back(std::move(next));
            continue;
        }
        moved = true;
        const Errc errc = room == nullptr ? Errc::no_such_room
                                          : propose(next.ticket, *room, std::move(next.record));
        if (errc != Errc{}) refused_.push_back({.ticket = next.ticket, .error = errc});
    }
    return moved;
}

QUICCHAT_RARE_DECL bool Spokesman::has_room() const {
    return proposer_->under_way(program_connection) + waiting_.size() < under_way_max;
}

/// What is said in a room stays in order.
QUICCHAT_RARE_DECL bool Spokesman::must_wait(const Room& room, const Record& record) const {
    return Decider::is_closed(room, record) ||
           std::ranges::any_of(waiting_, [&](const Waiting& w) { return w.room == room.key(); });
}

QUICCHAT_RARE_DECL Errc Spokesman::propose(std::uint64_t ticket, const Room& room, Record record) {
    return proposer_->propose_for_program({.room = room.key(), .record = std::move(record)},
                                          ticket);
}

}  // namespace quicchat
