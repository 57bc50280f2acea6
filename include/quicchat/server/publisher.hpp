#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/concept.hpp"
#include "quicchat/server/acts.hpp"
#include "quicchat/server/asker.hpp"
#include "quicchat/server/feed.hpp"
#include "quicchat/server/inboxes.hpp"
#include "quicchat/server/judge.hpp"
#include "quicchat/server/membership.hpp"
#include "quicchat/server/room_keeper.hpp"
#include "quicchat/server/roster.hpp"
#include "quicchat/server/submissions.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// What people put into rooms: it is judged, handed to the log and, once that has committed it,
/// told.
template <RoomLog Log>
class Publisher {
public:
    Publisher(RoomKeeper<Log>& keeper, Submissions<Log>& submissions, Feed<Log>& feed,
              Inboxes<Log>& inboxes, Membership<Log>& membership, const Roster& roster,
              const Limits& limits, Turn& turn)
        : keeper_(&keeper),
          submissions_(&submissions),
          feed_(&feed),
          inboxes_(&inboxes),
          membership_(&membership),
          roster_(&roster),
          limits_(&limits),
          turn_(&turn) {}

    /// Puts a message, or another act, into the member's room. The answer comes when the log has
    /// committed it, or when it is known that this may not be.
    void publish(Member& member, wire::Publish m) {
        const Errc errc = check_act(m.act, m.text, m.attributes, *limits_);
        if (errc != Errc{}) return feed_->reply(member, encode_refusal(m.request, errc));
        Room& room = *member.room;
        Submission asked{
            .connection = member.connection, .stream = member.stream, .request = m.request};
        asked.refusal = judge(room, member.user, m.act, m.text);
        ++member.appends;
        std::vector<StateChange> changes = changes_of(m.act, m.text);
        if (asked.refusal == Errc{} && changes_room(m.act.kind)) {
            asked.changes_room = true;
            ++room.changes_under_way;
        }
        if (asked.refusal == Errc{} && is_reaction(m.act)) {
            asked.reacts = true;
            asked.epoch = room.epoch();
            room.reactions_under_way.emplace_back(member.user, m.act.target);
        }
        submissions_->submit(room.key(), std::move(asked),
                             {m.id, member.device, member.user, std::move(m.text),
                              std::move(m.attributes), turn_->now(), std::move(m.act)},
                             std::move(changes));
    }

    /// A message to one person.
    Errc tell(const HubAsker& asker, wire::Tell m) {
        if (const Errc errc = check_act({}, m.text, m.attributes, *limits_); errc != Errc{}) {
            return errc;
        }
        if (!is_user_name(m.to)) return Errc::invalid_name;
        const Result<Room*> room = membership_->private_room(asker, m.to);
        if (!room) return to_errc(room.error());
        keeper_->note_use(**room);
        submissions_->submit((*room)->key(), {.connection = asker.connection, .request = m.request},
                             {m.id, asker.device, std::string{asker.user}, std::move(m.text),
                              std::move(m.attributes), turn_->now()},
                             {});
        return Errc{};
    }

    /// Makes a room that belongs to who asks. The answer comes when the log has committed it.
    Errc create_room(const HubAsker& asker, const wire::CreateRoom& m) {
        if (const Errc errc = check_creation(m); errc != Errc{}) return errc;
        const std::string key = canonical_name(m.room);
        Submission asked{.connection = asker.connection, .request = m.request};
        // Refused, unless it was this request that made the room, and it was sent again.
        if (keeper_->directory().find(key) != nullptr) {
            asked.refusal = Errc::room_exists;
        } else if (keeper_->is_being_made(key)) {
            asked.refusal = Errc::queue_full;
        } else {
            const Errc errc = turn_->noted(keeper_->begin_creation(key, asker.user));
            if (errc != Errc{}) return errc;
            asked.creates_room = true;
        }
        Record record = make_creation(m, asker.user, asker.device, turn_->now());
        std::vector<StateChange> changes = changes_of(m, record.author);
        submissions_->submit(key, std::move(asked), std::move(record), std::move(changes));
        return Errc{};
    }

    /// Asks the log for the record that announces a file: to store it or, if not `store`, only
    /// whether it is there. A FileOutcome follows. `queue_full`: not while a role is being changed.
    Errc submit_file(ConnectionId connection, StreamId stream, const std::string& key,
                     Record record, bool store) {
        Room* room = keeper_->directory().find(key);
        if (room == nullptr) return Errc::no_such_room;
        if (room->changes_under_way > 0) return Errc::queue_full;
        Submission asked{.connection = connection, .stream = stream, .announces_file = true};
        asked.refusal = judge(*room, record.author, record.act, record.text);
        if (!store && asked.refusal == Errc{}) asked.refusal = Errc::no_such_file;
        record.time = turn_->now();
        keeper_->note_use(*room);
        submissions_->submit(key, std::move(asked), std::move(record), {});
        return Errc{};
    }
    std::optional<FileOutcome> poll_file_outcome() { return pop_front(file_outcomes_); }

    /// Takes in what became of one submission: what is committed is told.
    void settle(const AppendCompletion& done, Submission asked) {
        Room* room = asked.creates_room ? keeper_->end_creation(done, asked.changes)
                                        : keeper_->directory().find(done.room);
        if (asked.changes_room && room != nullptr && --room->changes_under_way == 0) {
            feed_->wake_all(*room);  // they may go on asking
        }
        if (asked.reacts && room != nullptr && room->epoch() == asked.epoch) {
            room->reactions_under_way.erase(room->reactions_under_way.begin());  // in order
            feed_->wake_all(*room);
        }
        if (done.error != Errc{}) {
            const bool unknown = done.error == Errc::no_such_message && asked.refusal != Errc{};
            return refuse(asked, unknown ? asked.refusal : done.error);
        }
        answer(asked, {asked.request, done.epoch, done.offset, done.durability, done.time});
        // A room of two people may be forgotten, and begun anew, while it is written to.
        if (done.duplicate || room == nullptr || room->epoch() != done.epoch) return;
        const LoggedRecord logged{done.offset, std::move(asked.record)};
        room->push(logged);
        keeper_->note_files(*room, logged);
        feed_->wake_all(*room);
        const Act& act = logged.record.act;
        if (room->is_private() && is_said(act.kind)) deliver_private(*room, logged);
        if (act.kind == Act::Kind::role && static_cast<Role>(act.value) < Role::muted) {
            membership_->remove(*room, act.subject, Errc::removed, logged.record.text);
        }
    }

private:
    Errc judge(const Room& room, std::string_view user, const Act& act, std::string_view text) {
        const Judge judge{keeper_->directory(), keeper_->log(), *limits_, turn_->now()};
        return turn_->noted(judge.judge(room, user, act, text));
    }

    void answer(const Submission& asked, wire::Ack ack) {
        if (asked.announces_file) {
            file_outcomes_.push_back({asked.connection, asked.stream, Errc{}, ack});
        } else {
            say(asked, Bytes{encode(ack)});
        }
    }

    void refuse(const Submission& asked, Errc errc) {
        if (asked.announces_file) {
            file_outcomes_.push_back({asked.connection, asked.stream, errc, {}});
        } else {
            say(asked, encode_refusal(asked.request, errc));
        }
    }

    /// To who asked, if it is still there.
    void say(const Submission& asked, Bytes frame) {
        if (asked.stream == control_stream) {
            submissions_->say(asked.connection, std::move(frame));
            return;
        }
        Member* member = feed_->find(asked.connection, asked.stream);
        if (member == nullptr) return;
        --member->appends;
        feed_->reply(*member, std::move(frame));
    }

    /// To those devices of both that have not joined their room.
    void deliver_private(const Room& room, const LoggedRecord& logged) {
        const std::string& from = logged.record.author;
        const std::string to = room.other_than(from);
        const Bytes frame = Inboxes<Log>::encode_told(room, logged);
        for (const std::string& name : {from, to}) {
            const Roster::User* user = roster_->find(name);
            if (user == nullptr) continue;
            for (const ConnectionId device : user->connections) {
                const bool joined = std::ranges::any_of(
                    room.members(), [&](const Member* m) { return m->connection == device; });
                if (!joined && !inboxes_->holds(device, room)) submissions_->say(device, frame);
            }
            if (is_same_name(from, to)) return;
        }
    }

    RoomKeeper<Log>* keeper_;
    Submissions<Log>* submissions_;
    Feed<Log>* feed_;
    Inboxes<Log>* inboxes_;
    Membership<Log>* membership_;
    const Roster* roster_;
    const Limits* limits_;
    Turn* turn_;
    std::deque<FileOutcome> file_outcomes_;
};

}  // namespace quicchat
