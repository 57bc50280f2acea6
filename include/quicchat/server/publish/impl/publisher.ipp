#pragma once

#include "quicchat/server/publish/publisher.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/server/rooms/acts.hpp"
#include "quicchat/server/rooms/authorizer.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL Publisher::Publisher(RoomStore& room_store, PendingAppends& pending, FanOut& fan_out,
                                   ControlStreams& control, EventFrames& frames,
                                   Membership& membership, ModerationQueue& checks,
                                   const OnlineUsers& online, const Limits& limits, Turn& turn)
    : room_store_(&room_store),
      pending_(&pending),
      checks_(&checks),
      fan_out_(&fan_out),
      control_(&control),
      frames_(&frames),
      membership_(&membership),
      online_(&online),
      limits_(&limits),
      turn_(&turn) {}

QUICCHAT_DECL void Publisher::publish(Member& member, wire::Publish m) {
    const Errc errc = check_act(m.act, m.text, m.attributes, *limits_);
    if (errc != Errc{}) return fan_out_->reply(member, encode_refusal(m.request, errc));
    ++member.appends;
    PendingAppend asked{
        .connection = member.connection, .stream = member.stream, .request = m.request};
    Record record{
        m.id,         member.device,   member.user, std::move(m.text), std::move(m.attributes),
        turn_->now(), std::move(m.act)};
    if (checks_->is_on() && hold(*member.room, asked, record)) return;
    put(*member.room, std::move(asked), std::move(record));
}

QUICCHAT_DECL Errc Publisher::tell(const Caller& caller, wire::Tell m) {
    if (const Errc errc = check_act({}, m.text, m.attributes, *limits_); errc != Errc{}) {
        return errc;
    }
    if (!is_user_name(m.to)) return Errc::invalid_name;
    const Result<Room*> room = membership_->private_room(caller, m.to);
    if (!room) return to_errc(room.error());
    room_store_->note_use(**room);
    PendingAppend asked{.connection = caller.connection, .request = m.request};
    Record record{m.id,
                  caller.device,
                  std::string{caller.user},
                  std::move(m.text),
                  std::move(m.attributes),
                  turn_->now()};
    if (checks_->is_on() && hold(**room, asked, record, m.to)) return Errc{};
    pending_->submit((*room)->key(), std::move(asked), std::move(record), {});
    return Errc{};
}

QUICCHAT_DECL bool Publisher::release() {
    const auto may_go = [&](const HeldMessage& held) {
        const Room* room = room_store_->directory().find(held.room);
        if (room == nullptr) return true;
        const bool reacts = is_reaction(held.record.act);
        return room->changes_under_way == 0 &&
               !(reacts && room->has_reaction_under_way(held.record.author));
    };
    return checks_->release(
        may_go, [&](HeldMessage held, CheckDecision decision, const std::string& room_name) {
            PendingAppend asked{.connection = held.connection,
                                .stream = held.stream,
                                .request = held.request,
                                .refusal = held.refusal};
            apply(std::move(decision), asked, held.record, room_name);
            release(std::move(held), std::move(asked));
        });
}

QUICCHAT_DECL Errc Publisher::create_room(const Caller& caller, const wire::CreateRoom& m) {
    if (const Errc errc = check_creation(m); errc != Errc{}) return errc;
    const std::string key = canonical_name(m.room);
    PendingAppend asked{.connection = caller.connection, .request = m.request};
    // Refused, unless it was this request that made the room, and it was sent again.
    if (room_store_->directory().find(key) != nullptr) {
        asked.refusal = Errc::room_exists;
    } else if (room_store_->is_being_made(key)) {
        asked.refusal = Errc::queue_full;
    } else {
        const Errc errc = turn_->noted(room_store_->begin_creation(key, caller.user));
        if (errc != Errc{}) return errc;
        asked.creates_room = true;
    }
    Record record = make_creation(m, caller.user, caller.device, turn_->now());
    std::vector<StateChange> changes = changes_of(m, record.author);
    pending_->submit(key, std::move(asked), std::move(record), std::move(changes));
    return Errc{};
}

QUICCHAT_DECL Errc Publisher::submit_file(ConnectionId connection, StreamId stream,
                                          const std::string& key, Record record, bool store) {
    Room* room = room_store_->directory().find(key);
    if (room == nullptr) return Errc::no_such_room;
    if (room->changes_under_way > 0) return Errc::queue_full;
    PendingAppend asked{.connection = connection, .stream = stream, .announces_file = true};
    asked.refusal = judge(*room, record.author, record.act, record.text);
    if (!store && asked.refusal == Errc{}) asked.refusal = Errc::no_such_file;
    record.time = turn_->now();
    room_store_->note_use(*room);
    pending_->submit(key, std::move(asked), std::move(record), {});
    return Errc{};
}

QUICCHAT_DECL bool Publisher::check_file(ConnectionId connection, StreamId stream,
                                         const std::string& key, const Record& record) {
    const Room* room = checks_->is_on() ? room_store_->directory().find(key) : nullptr;
    if (room == nullptr) return false;
    HeldMessage held{connection, stream, 0, key, "", record, Errc{}, true};
    if (checks_->has_room(held.bytes())) {
        checks_->hold(std::move(held), make_question(*room, record, MessageQuestion::Kind::file));
    } else {
        file_outcomes_.push_back({connection, stream, Errc::queue_full, {}, {}, {}});
    }
    return true;
}

QUICCHAT_DECL std::optional<FileOutcome> Publisher::poll_file_outcome() {
    return pop_front(file_outcomes_);
}

QUICCHAT_DECL void Publisher::settle(const AppendCompletion& done, PendingAppend asked) {
    Room* room = asked.creates_room ? room_store_->end_creation(done, asked.changes)
                                    : room_store_->directory().find(done.room);
    if (asked.changes_room && room != nullptr && --room->changes_under_way == 0) {
        fan_out_->wake_all(*room);  // they may go on asking
    }
    if (asked.reacts && room != nullptr && room->epoch() == asked.epoch) {
        room->reactions_under_way.erase(room->reactions_under_way.begin());  // in order
        fan_out_->wake_all(*room);
    }
    if (done.error != Errc{}) {
        const bool unknown = done.error == Errc::no_such_message && asked.refusal != Errc{};
        if (!unknown) asked.reason.clear();
        return refuse(asked, unknown ? asked.refusal : done.error);
    }
    answer(asked, {asked.request, done.epoch, done.offset, done.durability, done.time});
    // A room of two people may be forgotten, and begun anew, while it is written to.
    if (done.duplicate || room == nullptr || room->epoch() != done.epoch) return;
    const LoggedRecord logged{done.offset, std::move(asked.record)};
    room->push(logged);
    frames_->handle_commit(*room, logged);
    room_store_->note_files(*room, logged);
    fan_out_->wake_all(*room);
    const Act& act = logged.record.act;
    if (room->is_private() && is_said(act.kind)) deliver_private(*room, logged);
    if (act.kind == Act::Kind::role && static_cast<Role>(act.value) < Role::muted) {
        membership_->remove(*room, act.subject, Errc::removed, logged.record.text);
    }
}

QUICCHAT_DECL Errc Publisher::judge(const Room& room, std::string_view user, const Act& act,
                                    std::string_view text) {
    const Authorizer authorizer{room_store_->directory(), room_store_->log(), *limits_,
                                turn_->now()};
    return turn_->noted(authorizer.judge(room, user, act, text));
}

QUICCHAT_DECL void Publisher::answer(const PendingAppend& asked, wire::Ack ack) {
    if (asked.announces_file) {
        file_outcomes_.push_back({asked.connection, asked.stream, Errc{}, ack, {}, {}});
    } else {
        say(asked, Bytes{encode(ack)});
    }
}

QUICCHAT_DECL void Publisher::refuse(const PendingAppend& asked, Errc errc) {
    if (asked.announces_file) {
        file_outcomes_.push_back({asked.connection, asked.stream, errc, {}, asked.reason, {}});
    } else {
        say(asked, encode_refusal(asked.request, errc, refused_retry_after, asked.reason));
    }
}

QUICCHAT_DECL void Publisher::put(Room& room, PendingAppend&& asked, Record&& record) {
    if (asked.refusal == Errc{}) {
        asked.refusal = judge(room, record.author, record.act, record.text);
    }
    std::vector<StateChange> changes = changes_of(record.act, record.text);
    if (asked.refusal == Errc{} && changes_room(record.act.kind)) {
        asked.changes_room = true;
        ++room.changes_under_way;
    }
    if (asked.refusal == Errc{} && is_reaction(record.act)) {
        asked.reacts = true;
        asked.epoch = room.epoch();
        room.reactions_under_way.emplace_back(record.author, record.act.target);
    }
    pending_->submit(room.key(), std::move(asked), std::move(record), std::move(changes));
}

QUICCHAT_DECL bool Publisher::hold(const Room& room, PendingAppend& asked, Record& record,
                                   const std::string& to) {
    const Act::Kind kind = record.act.kind;
    const bool is_text = kind == Act::Kind::message || kind == Act::Kind::edit;
    const Errc refusal = is_text ? judge(room, record.author, record.act, record.text) : Errc{};
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
        question = make_question(
            room, held.record,
            kind == Act::Kind::edit ? MessageQuestion::Kind::edit : MessageQuestion::Kind::message);
    }
    checks_->hold(std::move(held), std::move(question));
    return true;
}

QUICCHAT_DECL MessageQuestion Publisher::make_question(const Room& room, const Record& record,
                                                       MessageQuestion::Kind kind) {
    MessageQuestion question{.user = record.author,
                             .room = room.name_for(record.author),
                             .kind = kind,
                             .text = record.text,
                             .attributes = record.attributes};
    if (room.is_private()) question.recipient = room.other_than(record.author);
    return question;
}

QUICCHAT_DECL Errc Publisher::check_texts(const Act& act, const std::string& text,
                                          const std::string& attributes) const {
    if (act.kind != Act::Kind::file) return check_act(act, text, attributes, *limits_);
    return check_file_texts(act.target, text, attributes, *limits_);
}

QUICCHAT_DECL void Publisher::apply(CheckDecision decision, PendingAppend& asked, Record& record,
                                    const std::string& room_name) {
    match(
        std::move(decision), [](AcceptMessage&&) {},
        [&](ReplaceMessage&& m) {
            if (!m.attributes) m.attributes = record.attributes;
            const Errc errc = check_texts(record.act, m.text, *m.attributes);
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

QUICCHAT_DECL void Publisher::release(HeldMessage held, PendingAppend asked) {
    if (held.is_file) {
        const bool may_come = asked.refusal == Errc{};
        file_outcomes_.push_back({held.connection,
                                  held.stream,
                                  may_come ? Errc::no_such_file : asked.refusal,
                                  {},
                                  std::move(asked.reason),
                                  std::move(held.record)});
        return;
    }
    held.record.time = turn_->now();
    Room* room = room_store_->directory().find(held.room);
    if (room == nullptr && !held.to.empty()) {  // it was quiet for longest meanwhile
        const Caller caller{held.connection, held.record.author, held.record.device};
        if (const auto made = membership_->private_room(caller, held.to)) room = *made;
    }
    if (room == nullptr) {
        return refuse(asked, Errc::no_such_room);
    }
    put(*room, std::move(asked), std::move(held.record));
}

QUICCHAT_DECL void Publisher::say(const PendingAppend& asked, Bytes frame) {
    if (asked.stream == control_stream) {
        control_->answer(asked.connection, std::move(frame));
        return;
    }
    Member* member = fan_out_->find(asked.connection, asked.stream);
    if (member == nullptr) return;
    --member->appends;
    fan_out_->reply(*member, std::move(frame));
}

QUICCHAT_DECL void Publisher::deliver_private(const Room& room, const LoggedRecord& logged) {
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
