#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/people/presence.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/deliver/pages.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Who is in which room: finding rooms, coming in and going out.
template <RoomLog Log>
class Membership {
public:
    Membership(RoomKeeper<Log>& keeper, Feed<Log>& feed, Company<Log>& company, Pages<Log>& pages,
               const Roster& roster, const AccountFinder& accounts, const Limits& limits,
               Turn& turn)
        : keeper_(&keeper),
          feed_(&feed),
          company_(&company),
          pages_(&pages),
          roster_(&roster),
          accounts_(&accounts),
          limits_(&limits),
          turn_(&turn) {}

    /// Puts a connection into a room. Its cursor is taken and the membership made in one step, so
    /// no record falls between what Joined says and what follows (PROTOCOL.md §6.2).
    Result<Member*> join(const HubAsker& asker, StreamId stream, const wire::Join& request) {
        const Result<Room*> found = find(asker, request.room);
        if (!found) return found.error();
        Room& room = **found;
        if (const Errc errc = may_enter(room, asker.user); errc != Errc{}) return errc;
        if (room.members().size() >= limits_->members_max) return Errc::room_full;
        if (!keeper_->admit(room, asker.user, turn_->now())) return Errc::room_full;

        Member& member = feed_->add({.connection = asker.connection,
                                     .stream = stream,
                                     .user = std::string{asker.user},
                                     .device = asker.device});
        bool recovered = false;
        std::tie(member.next, recovered) = feed_->first_offset(room, request.position);
        const bool is_new = room.add(member);
        member.replies.push_back(Bytes{encode(wire::Joined{
            request.request, room.name_for(asker.user), room.epoch(), room.head(), member.next,
            recovered, keeper_->directory().role(room, asker.user, turn_->now()), room.access(),
            room.people().find(asker.user)->marker, room.topic()})});
        if (is_new) company_->announce(room, member, true);
        feed_->wake(member);
        return &member;
    }

    /// `Errc{}`, or what somebody is told who may not read a room.
    Errc may_enter(const Room& room, std::string_view user) const {
        if (keeper_->directory().may(room, user, Action::read, turn_->now())) return Errc{};
        return room.access() == RoomAccess::everybody ? Errc::forbidden : Errc::no_such_room;
    }

    /// Takes a member out of its room and forgets it.
    void leave(Member& member) {
        Room& room = *member.room;
        if (room.remove(member)) company_->announce(room, member, false);
        feed_->remove(member);
    }

    /// The room that somebody calls so, whether he may see it or not; that of two people is made if
    /// need be.
    Result<Room*> find(const HubAsker& asker, const std::string& name) {
        if (is_private_name(name)) return private_room(asker, name.substr(1));
        if (!is_room_name(name)) return Errc::invalid_name;
        if (Room* room = keeper_->directory().find(name)) return room;
        return Errc::no_such_room;
    }

    /// The room that somebody shares with another, who may be away, but must have an account.
    Result<Room*> private_room(const HubAsker& asker, const std::string& other) {
        if (Room* room = keeper_->find(asker.user, "@" + other)) return room;
        const Roster::User* here = roster_->find(other);
        const std::optional<std::string> name = here ? here->name : accounts_->find_account(other);
        if (!name) return Errc::no_such_user;
        const Result<Room*> room = keeper_->open_private(std::string{asker.user}, *name);
        if (!room) return turn_->noted(to_errc(room.error()));
        while (Room* surplus = keeper_->next_surplus()) forget(*surplus);
        return room;
    }

    /// Ends the memberships of one user, or of all, without their asking.
    void remove(Room& room, std::string_view user, Errc errc, std::string_view text) {
        const std::vector<Member*> members = room.members();
        for (Member* member : members) {
            if (!user.empty() && !is_same_name(member->user, user)) continue;
            HubEnding ending{member->connection, member->stream, std::move(member->replies)};
            ending.frames.push_back(encode_ending(errc, text));
            endings_.push_back(std::move(ending));
            leave(*member);
        }
    }

    /// Memberships that ended without their client; see Hub.
    std::optional<HubEnding> poll_ending() { return pop_front(endings_); }

private:
    void forget(Room& room) {
        remove(room, "", Errc::no_such_room, "");
        pages_->forget(room);
        keeper_->forget(room);
    }

    RoomKeeper<Log>* keeper_;
    Feed<Log>* feed_;
    Company<Log>* company_;
    Pages<Log>* pages_;
    const Roster* roster_;
    const AccountFinder* accounts_;
    const Limits* limits_;
    Turn* turn_;
    std::deque<HubEnding> endings_;
};

}  // namespace quicchat
