#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/log/concept.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/server/acts.hpp"
#include "quicchat/server/asker.hpp"
#include "quicchat/server/feed.hpp"
#include "quicchat/server/inboxes.hpp"
#include "quicchat/server/judge.hpp"
#include "quicchat/server/membership.hpp"
#include "quicchat/server/message_checks.hpp"
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
              Inboxes<Log>& inboxes, Membership<Log>& membership, MessageChecks& checks,
              const Roster& roster, const Limits& limits, Turn& turn)
        : keeper_(&keeper),
          submissions_(&submissions),
          checks_(&checks),
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
        ++member.appends;
        Submission asked{
            .connection = member.connection, .stream = member.stream, .request = m.request};
        Record record{
            m.id,         member.device,   member.user, std::move(m.text), std::move(m.attributes),
            turn_->now(), std::move(m.act)};
        if (checks_->is_on() && hold(*member.room, asked, record)) return;
        put(*member.room, std::move(asked), std::move(record));
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
        Submission asked{.connection = asker.connection, .request = m.request};
        Record record{m.id,
                      asker.device,
                      std::string{asker.user},
                      std::move(m.text),
                      std::move(m.attributes),
                      turn_->now()};
        if (checks_->is_on() && hold(**room, asked, record, m.to)) return Errc{};
        submissions_->submit((*room)->key(), std::move(asked), std::move(record), {});
        return Errc{};
    }

    /// Stores or refuses what the program has decided about. True if there was anything.
    bool release() {
        const auto may_go = [&](const HeldMessage& held) {
            const Room* room = keeper_->directory().find(held.room);
            return room == nullptr || room->changes_under_way == 0;
        };
        return checks_->release(
            may_go, [&](HeldMessage held, CheckDecision decision, const std::string& room_name) {
                Submission asked{.connection = held.connection,
                                 .stream = held.stream,
                                 .request = held.request,
                                 .refusal = held.refusal};
                apply(std::move(decision), asked, held.record, room_name);
                release(std::move(held), std::move(asked));
            });
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

    /// Takes in what became of one submission: what is committed is told.
    void settle(const AppendCompletion& done, Submission asked) {
        Room* room = asked.creates_room ? keeper_->end_creation(done, asked.changes)
                                        : keeper_->directory().find(done.room);
        if (asked.changes_room && room != nullptr && --room->changes_under_way == 0) {
            feed_->wake_all(*room);  // they may go on asking
        }
        if (done.error != Errc{}) {
            const bool unknown = done.error == Errc::no_such_message && asked.refusal != Errc{};
            return answer(
                asked, encode_refusal(asked.request, unknown ? asked.refusal : done.error,
                                      refused_retry_after, unknown ? asked.reason : std::string{}));
        }
        answer(asked, Bytes{encode(wire::Ack{asked.request, done.epoch, done.offset,
                                             done.durability, done.time})});
        // A room of two people may be forgotten, and begun anew, while it is written to.
        if (done.duplicate || room == nullptr || room->epoch() != done.epoch) return;
        const LoggedRecord logged{done.offset, std::move(asked.record)};
        room->push(logged);
        feed_->wake_all(*room);
        const Act& act = logged.record.act;
        if (room->is_private() && is_said(act.kind)) deliver_private(*room, logged);
        if (act.kind == Act::Kind::role && static_cast<Role>(act.value) < Role::muted) {
            membership_->remove(*room, act.subject, Errc::removed, logged.record.text);
        }
    }

private:
    Errc judge(const Room& room, std::string_view user, const Act& act) {
        return turn_->noted(
            Judge{keeper_->directory(), keeper_->log(), *limits_, turn_->now()}.judge(room, user,
                                                                                      act));
    }

    /// Hands a record of a room to the log.
    void put(Room& room, Submission&& asked, Record&& record) {
        if (asked.refusal == Errc{}) asked.refusal = judge(room, record.author, record.act);
        std::vector<StateChange> changes = changes_of(record.act, record.text);
        if (asked.refusal == Errc{} && changes_room(record.act.kind)) {
            asked.changes_room = true;
            ++room.changes_under_way;
        }
        submissions_->submit(room.key(), std::move(asked), std::move(record), std::move(changes));
    }

    /// Holds a message that the program has to judge, and what comes behind one. False: neither.
    bool hold(const Room& room, Submission& asked, Record& record, const std::string& to = {}) {
        const Act::Kind kind = record.act.kind;
        const bool is_text = kind == Act::Kind::message || kind == Act::Kind::edit;
        const Errc refusal = is_text ? judge(room, record.author, record.act) : Errc{};
        const bool is_checked = is_text && refusal == Errc{};
        HeldMessage held{asked.connection,  asked.stream, asked.request, room.key(), to,
                         std::move(record), refusal};
        const bool waits = is_checked || checks_->is_behind(held);
        if (!waits || !checks_->has_room(held.bytes())) {
            if (waits) asked.refusal = Errc::queue_full;
            record = std::move(held.record);
            return false;
        }
        std::optional<MessageQuestion> question;
        if (is_checked) {
            const Record& r = held.record;
            question =
                MessageQuestion{.user = r.author,
                                .room = room.name_for(r.author),
                                .kind = kind == Act::Kind::edit ? MessageQuestion::Kind::edit
                                                                : MessageQuestion::Kind::message,
                                .text = r.text,
                                .attributes = r.attributes};
            if (room.is_private()) question->recipient = room.other_than(r.author);
        }
        checks_->hold(std::move(held), std::move(question));
        return true;
    }

    /// Does to a record what the program said of it.
    void apply(CheckDecision decision, Submission& asked, Record& record,
               const std::string& room_name) {
        match(
            std::move(decision), [](AcceptMessage&&) {},
            [&](ReplaceMessage&& m) {
                if (!m.attributes) m.attributes = record.attributes;
                const Errc errc = check_act(record.act, m.text, *m.attributes, *limits_);
                if (errc != Errc{}) {
                    asked.refusal = Errc::not_accepted;
                    checks_->note_failure({record.author, room_name,
                                           "the text that it should have is not fit: " +
                                               error_category().message(static_cast<int>(errc))});
                    return;
                }
                if (m.text == record.text && *m.attributes == record.attributes) return;
                record.sent = mark_of(record.text, record.attributes);
                record.text = std::move(m.text);
                record.attributes = *std::move(m.attributes);
            },
            [&](RefuseMessage&& m) {
                asked.refusal = Errc::not_accepted;
                asked.reason = cleaned_text(m.reason, error_text_bytes_max);
            },
            [&](CheckUnavailable&&) {
                if (checks_->unchecked() == Unchecked::refuse) asked.refusal = Errc::not_checked;
            });
    }

    /// Puts what was held into its room, judged by what is committed now.
    void release(HeldMessage held, Submission asked) {
        held.record.time = turn_->now();
        Room* room = keeper_->directory().find(held.room);
        if (room == nullptr && !held.to.empty()) {  // it was quiet for longest meanwhile
            const HubAsker asker{held.connection, held.record.author, held.record.device};
            if (const auto made = membership_->private_room(asker, held.to)) room = *made;
        }
        if (room == nullptr) {
            return answer(asked, encode_refusal(asked.request, Errc::no_such_room));
        }
        put(*room, std::move(asked), std::move(held.record));
    }

    /// To who asked, if it is still there.
    void answer(const Submission& asked, Bytes frame) {
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
    MessageChecks* checks_;
    Feed<Log>* feed_;
    Inboxes<Log>* inboxes_;
    Membership<Log>* membership_;
    const Roster* roster_;
    const Limits* limits_;
    Turn* turn_;
};

}  // namespace quicchat
