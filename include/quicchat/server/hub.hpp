#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
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
#include "quicchat/log/concept.hpp"
#include "quicchat/server/acts.hpp"
#include "quicchat/server/asker.hpp"
#include "quicchat/server/company.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/feed.hpp"
#include "quicchat/server/heartbeat.hpp"
#include "quicchat/server/inboxes.hpp"
#include "quicchat/server/judge.hpp"
#include "quicchat/server/pages.hpp"
#include "quicchat/server/room.hpp"
#include "quicchat/server/room_keeper.hpp"
#include "quicchat/server/roster.hpp"
#include "quicchat/server/submissions.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// The chat itself: who must be told what. It decides; Server moves the bytes.
///
/// Nobody sees a message before the log has committed it (PROTOCOL.md §6.4), and each member
/// follows its room's log with a cursor of its own.
template <RoomLog Log>
class Hub {
public:
    Hub(Log log, const ServerConfig& config, const AccountFinder& accounts)
        : limits_(&config.limits),
          accounts_(&accounts),
          keeper_(std::move(log), config),
          submissions_(keeper_.log()),
          feed_(keeper_.log(), *limits_),
          inboxes_(keeper_, *limits_),
          pages_(keeper_.log(), *limits_),
          heartbeat_(*limits_) {}
    Hub(const Hub&) = delete;  // its parts refer to the log in here
    Hub& operator=(const Hub&) = delete;

    /// Opens a room for everybody.
    Errc add_room(const std::string& name) { return keeper_.open(name); }

    /// Opens what the log has from before. Call after `add_room`.
    Errc restore() { return keeper_.restore(); }

    /// What time it is for everything up to the next call.
    void begin_turn(WallTime now) { now_ = now; }

    /// Also sends what others told the user who is back.
    void handle_login(ConnectionId connection, std::string_view user) {
        roster_.add(user, connection);
        inboxes_.open(connection, user);
    }

    void handle_disconnected(ConnectionId connection, std::string_view user) {
        roster_.remove(user, connection);
        inboxes_.close(connection);
        pages_.close(connection);
    }

    /// Puts a connection into a room. Its cursor is taken and the membership made in one step, so
    /// no record falls between what Joined says and what follows (PROTOCOL.md §6.2).
    Result<Member*> join(const HubAsker& asker, StreamId stream, const wire::Join& request) {
        const Result<Room*> found = find_room(asker, request.room);
        if (!found) return found.error();
        Room& room = **found;
        if (!keeper_.directory().may(room, asker.user, Action::read, now_)) {
            return room.access() == RoomAccess::everybody ? Errc::forbidden : Errc::no_such_room;
        }
        if (room.members().size() >= limits_->members_max) return Errc::room_full;
        if (!keeper_.admit(room, asker.user, now_)) return Errc::room_full;

        Member& member = feed_.add({.connection = asker.connection,
                                    .stream = stream,
                                    .user = std::string{asker.user},
                                    .device = asker.device});
        bool recovered = false;
        std::tie(member.next, recovered) = feed_.first_offset(room, request.position);
        const bool is_new = room.add(member);
        member.replies.push_back(Bytes{encode(
            wire::Joined{request.request, room.name_for(asker.user), room.epoch(), room.head(),
                         member.next, recovered, keeper_.directory().role(room, asker.user, now_),
                         room.access(), room.people().find(asker.user)->marker, room.topic()})});
        if (is_new) company_.announce(room, member, true);
        feed_.wake(member);
        return &member;
    }

    /// Takes a member out of its room and forgets it.
    void leave(Member& member) {
        Room& room = *member.room;
        if (room.remove(member)) company_.announce(room, member, false);
        feed_.remove(member);
    }

    /// Puts a message, or another act, into the member's room. The answer comes when the log has
    /// committed it, or when it is known that this may not be.
    void publish(Member& member, wire::Publish m) {
        const Errc errc = check_act(m.act, m.text, m.attributes, *limits_);
        if (errc != Errc{}) return feed_.reply(member, encode_refusal(m.request, errc));
        Room& room = *member.room;
        Submission asked{
            .connection = member.connection, .stream = member.stream, .request = m.request};
        asked.refusal = judge(room, member.user, m.act);
        ++member.appends;
        std::vector<StateChange> changes = changes_of(m.act, m.text);
        if (asked.refusal == Errc{} && changes_room(m.act.kind)) {
            asked.changes_room = true;
            ++room.changes_under_way;
        }
        submissions_.submit(room.key(), std::move(asked),
                            {m.id, member.device, member.user, std::move(m.text),
                             std::move(m.attributes), now_, std::move(m.act)},
                            std::move(changes));
    }

    /// A message to one person.
    Errc tell(const HubAsker& asker, wire::Tell m) {
        if (const Errc errc = check_act({}, m.text, m.attributes, *limits_); errc != Errc{}) {
            return errc;
        }
        if (!is_user_name(m.to)) return Errc::invalid_name;
        const Result<Room*> room = private_room(asker, m.to);
        if (!room) return to_errc(room.error());
        keeper_.note_use(**room);
        submissions_.submit((*room)->key(), {.connection = asker.connection, .request = m.request},
                            {m.id, asker.device, std::string{asker.user}, std::move(m.text),
                             std::move(m.attributes), now_},
                            {});
        return Errc{};
    }

    /// Makes a room that belongs to who asks. The answer comes when the log has committed it.
    Errc create_room(const HubAsker& asker, const wire::CreateRoom& m) {
        if (const Errc errc = check_creation(m); errc != Errc{}) return errc;
        const std::string key = canonical_name(m.room);
        Submission asked{.connection = asker.connection, .request = m.request};
        // Refused, unless it was this request that made the room, and it was sent again.
        if (keeper_.directory().find(key) != nullptr) {
            asked.refusal = Errc::room_exists;
        } else if (keeper_.is_being_made(key)) {
            asked.refusal = Errc::queue_full;
        } else {
            const Errc errc = noted(keeper_.begin_creation(key, asker.user));
            if (errc != Errc{}) return errc;
            asked.creates_room = true;
        }
        Record record = make_creation(m, asker.user, asker.device, now_);
        std::vector<StateChange> changes = changes_of(m, record.author);
        submissions_.submit(key, std::move(asked), std::move(record), std::move(changes));
        return Errc{};
    }

    void list_rooms(const HubAsker& asker, const wire::RoomsRequest& request) {
        auto [rooms, complete] =
            keeper_.directory().page(asker.user, keeper_.key_for(asker.user, request.after),
                                     limits_->rooms_per_page_max, now_);
        wire::Rooms answer{request.request, {}, complete};
        for (const Room* room : rooms) {
            Result<RoomSummary> summary = keeper_.summarize(*room, asker.user, now_);
            if (!summary) return void(noted(to_errc(summary.error())));
            answer.rooms.push_back(*std::move(summary));
        }
        submissions_.say(asker.connection, Bytes{encode(answer)});
    }

    /// Begins a page of history on a stream of its own.
    Errc open_page(const HubAsker& asker, StreamId stream, const wire::HistoryRequest& m) {
        if (!is_room_name(m.room) && !is_private_name(m.room)) return Errc::invalid_name;
        const Room* room = keeper_.find_for(asker.user, m.room, now_);
        if (room == nullptr) return Errc::no_such_room;
        return pages_.open(asker.connection, stream, *room, m);
    }

    /// Takes note of how far somebody has read a room.
    void mark_read(const HubAsker& asker, const wire::MarkRead& m) {
        Room* room = keeper_.find_for(asker.user, m.room, now_);
        if (room == nullptr || room->people().find(asker.user) == nullptr) return;
        if (m.epoch != room->epoch()) return;
        Person& person = room->people().at(asker.user);
        const Offset offset = std::min(m.offset, room->head());
        if (offset <= person.marker) return;
        room->people().set_marker(person, offset);
        keeper_.note_unsaved(*room);
        company_.tell_marker(*room, person, asker.connection, m.shared);
    }

    /// Somebody types: the members who may hear of it.
    std::vector<const Member*> typing_for(Member& member, TimePoint now) {
        if (!keeper_.directory().may(*member.room, member.user, Action::write, now_)) return {};
        return company_.typing_for(member, now);
    }

    void request_members(Member& member, const wire::MembersRequest& request) {
        feed_.reply(member,
                    company_.encode_members(*member.room, request.request, request.after, now_));
    }

    /// Takes in what the log has committed since the last call. An error means that the log cannot
    /// be trusted any more, in writing or in reading: stop the server.
    Errc settle() {
        while (std::optional<AppendCompletion> done = keeper_.log().poll_completion()) {
            std::optional<Submission> asked = submissions_.take(done->token);
            if (!asked) continue;
            if (done->error != Errc{} && is_fatal(done->error)) return done->error;
            settle_one(*done, *std::move(asked));
        }
        keeper_.save();
        for (const Errc errc :
             {feed_.take_failure(), inboxes_.take_failure(), pages_.take_failure()}) {
            if (errc != Errc{}) failure_ = errc;
        }
        return std::exchange(failure_, Errc{});
    }

    void handle_timeout(TimePoint now) {
        heartbeat_.handle_timeout(now, keeper_.directory().rooms(), feed_);
    }

    std::optional<TimePoint> next_deadline() const {
        return feed_.empty() ? std::nullopt : heartbeat_.next_deadline();
    }

    /// The frames for members; see Feed.
    Feed<Log>& feed() { return feed_; }
    const Feed<Log>& feed() const { return feed_; }

    std::optional<Bytes> next_frame(Member& member) {
        if (member.replies.empty() && std::exchange(member.members_stale, false)) {
            member.replies.push_back(company_.encode_members(*member.room, 0, "", now_));
        }
        return feed_.next_frame(member);
    }

    std::optional<ControlFrame> poll_control() { return submissions_.poll_control(); }

    /// What people were told while they were away; see Inboxes.
    Inboxes<Log>& inboxes() { return inboxes_; }
    Pages<Log>& pages() { return pages_; }

    /// Memberships that ended without their client: write the frames, then finish the streams. To
    /// be polled after `settle`, before anything else about members.
    std::optional<HubEnding> poll_ending() { return pop_front(endings_); }

    /// True if `settle` has an error to report.
    bool has_failed() const { return failure_ != Errc{} || feed_.has_failed(); }

    /// True if as much waits to be answered or sent as may, or if it is being decided who may do
    /// what: nothing more may be asked for now.
    bool is_busy(const Member& member) const {
        return member.room->changes_under_way > 0 ||
               member.replies.size() + member.appends >= limits_->replies_max;
    }

    /// The same for what one connection asks on its control stream.
    bool is_busy(ConnectionId connection) const {
        return submissions_.under_way(connection) >= limits_->replies_max;
    }

    RoomKeeper<Log>& keeper() { return keeper_; }
    const Log& log() const { return keeper_.log(); }
    const Roster& roster() const { return roster_; }
    std::size_t appends_under_way() const { return submissions_.size(); }

private:
    Result<Room*> find_room(const HubAsker& asker, const std::string& name) {
        if (is_private_name(name)) return private_room(asker, name.substr(1));
        if (!is_room_name(name)) return Errc::invalid_name;
        if (Room* room = keeper_.directory().find(name)) return room;
        return Errc::no_such_room;
    }

    /// The room that somebody shares with another, who may be away, but must have an account.
    Result<Room*> private_room(const HubAsker& asker, const std::string& other) {
        if (Room* room = keeper_.find(asker.user, "@" + other)) return room;
        const Roster::User* here = roster_.find(other);
        const std::optional<std::string> name = here ? here->name : accounts_->find_account(other);
        if (!name) return Errc::no_such_user;
        const Result<Room*> room = keeper_.open_private(std::string{asker.user}, *name);
        if (!room) return noted(to_errc(room.error()));
        while (Room* surplus = keeper_.next_surplus()) forget(*surplus);
        return room;
    }

    Errc judge(const Room& room, std::string_view user, const Act& act) {
        return noted(
            Judge{keeper_.directory(), keeper_.log(), *limits_, now_}.judge(room, user, act));
    }

    /// A log that cannot be read or begun is of no use: the server has to end.
    Errc noted(Errc errc) {
        if (errc == Errc::storage_failed) failure_ = errc;
        return errc;
    }

    void settle_one(const AppendCompletion& done, Submission asked) {
        Room* room = asked.creates_room ? keeper_.end_creation(done, asked.changes)
                                        : keeper_.directory().find(done.room);
        if (asked.changes_room && room != nullptr && --room->changes_under_way == 0) {
            feed_.wake_all(*room);  // they may go on asking
        }
        if (done.error != Errc{}) {
            const bool unknown = done.error == Errc::no_such_message && asked.refusal != Errc{};
            return answer(asked,
                          encode_refusal(asked.request, unknown ? asked.refusal : done.error));
        }
        answer(asked, Bytes{encode(wire::Ack{asked.request, done.epoch, done.offset,
                                             done.durability, done.time})});
        // A room of two people may be forgotten, and begun anew, while it is written to.
        if (done.duplicate || room == nullptr || room->epoch() != done.epoch) return;
        const LoggedRecord logged{done.offset, std::move(asked.record)};
        room->push(logged);
        feed_.wake_all(*room);
        const Act& act = logged.record.act;
        if (room->is_private() && act.kind == Act::Kind::message) deliver_private(*room, logged);
        if (act.kind == Act::Kind::role && static_cast<Role>(act.value) < Role::muted) {
            remove(*room, act.subject, Errc::removed, logged.record.text);
        }
    }

    /// To who asked, if it is still there.
    void answer(const Submission& asked, Bytes frame) {
        if (asked.stream == control_stream) {
            submissions_.say(asked.connection, std::move(frame));
            return;
        }
        Member* member = feed_.find(asked.connection, asked.stream);
        if (member == nullptr) return;
        --member->appends;
        feed_.reply(*member, std::move(frame));
    }

    /// To those devices of both that have not joined their room.
    void deliver_private(const Room& room, const LoggedRecord& logged) {
        const std::string& from = logged.record.author;
        const std::string to = room.other_than(from);
        const Bytes frame = Inboxes<Log>::encode_told(room, logged);
        for (const std::string& name : {from, to}) {
            const Roster::User* user = roster_.find(name);
            if (user == nullptr) continue;
            for (const ConnectionId device : user->connections) {
                const bool joined = std::ranges::any_of(
                    room.members(), [&](const Member* m) { return m->connection == device; });
                if (!joined && !inboxes_.holds(device, room)) submissions_.say(device, frame);
            }
            if (is_same_name(from, to)) return;
        }
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

    void forget(Room& room) {
        remove(room, "", Errc::no_such_room, "");
        pages_.forget(room);
        keeper_.forget(room);
    }

    const Limits* limits_;
    const AccountFinder* accounts_;
    RoomKeeper<Log> keeper_;
    Submissions<Log> submissions_;
    Feed<Log> feed_;
    Inboxes<Log> inboxes_;
    Pages<Log> pages_;
    Heartbeat heartbeat_;
    Roster roster_;
    Company<Log> company_{feed_, submissions_, roster_, *limits_};
    WallTime now_{};
    std::deque<HubEnding> endings_;
    Errc failure_{};  ///< Of a read, until `settle` says so.
};

}  // namespace quicchat
