#pragma once

#include "quicchat/server/publish/proposer.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/rooms/acts.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Proposer::Proposer(RoomStore& room_store, Decider& decider, FanOut& fan_out,
                                      ControlStreams& control, Membership& membership,
                                      ModerationQueue& checks, const Limits& limits, Turn& turn)
    : room_store_(&room_store),
      decider_(&decider),
      fan_out_(&fan_out),
      control_(&control),
      membership_(&membership),
      checks_(&checks),
      limits_(&limits),
      turn_(&turn) {}

QUICCHAT_DECL void Proposer::publish(Member& member, wire::Publish m) {
    const Errc errc = check_act(m.act, m.text, m.attributes, *limits_);
    if (errc != Errc{}) {
        turn_->refusals().add(errc);
        return fan_out_->reply(member, encode_refusal(m.request, errc));
    }
    ++member.appends;
    Asker asker{member.connection, member.stream, m.request};
    Proposal proposal{.room = member.room->key(),
                      .record = {m.id,
                                 member.device,
                                 member.user,
                                 std::move(m.text),
                                 std::move(m.attributes),
                                 {},
                                 std::move(m.act)}};
    if (checks_->is_on() && hold(*member.room, asker, proposal)) return;
    propose(std::move(asker), std::move(proposal));
}

QUICCHAT_DECL Errc Proposer::tell(const Caller& caller, wire::Tell m) {
    if (const Errc errc = check_act({}, m.text, m.attributes, *limits_); errc != Errc{}) {
        return errc;
    }
    if (!is_user_name(m.to)) return Errc::invalid_name;
    const Result<Room*> room = membership_->private_room(caller, m.to);
    if (!room) return to_errc(room.error());
    room_store_->note_use(**room);
    Asker asker{caller.connection, control_stream, m.request};
    Proposal proposal{.room = (*room)->key(),
                      .record = {m.id,
                                 caller.device,
                                 std::string{caller.user},
                                 std::move(m.text),
                                 std::move(m.attributes),
                                 {},
                                 {}}};
    if (checks_->is_on() && hold(**room, asker, proposal, m.to)) return Errc{};
    propose(std::move(asker), std::move(proposal));
    return Errc{};
}

QUICCHAT_RARE_DECL Errc Proposer::create_room(const Caller& caller, const wire::CreateRoom& m) {
    if (const Errc errc = check_creation(m); errc != Errc{}) return errc;
    Asker asker{caller.connection, control_stream, m.request};
    Record record = make_creation(m, caller.user, caller.device);
    std::vector<StateChange> changes = changes_of(m, record.author);
    return try_to_propose(asker, {Proposal::Kind::creation, canonical_name(m.room),
                                  std::move(record), std::move(changes)});
}

QUICCHAT_RARE_DECL Errc Proposer::set_profile(const Caller& caller, RequestId request,
                                              Proposal wish) {
    Asker asker{caller.connection, control_stream, request, Asker::Answer::profile};
    return try_to_propose(asker, std::move(wish));
}

QUICCHAT_RARE_DECL Errc Proposer::propose_file(ConnectionId connection, StreamId stream,
                                               const std::string& key, Record record, bool store) {
    Asker asker{connection, stream, 0, Asker::Answer::file_outcome};
    return try_to_propose(
        asker, {store ? Proposal::Kind::file : Proposal::Kind::file_query, key, std::move(record)});
}

QUICCHAT_RARE_DECL bool Proposer::check_file(ConnectionId connection, StreamId stream,
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

QUICCHAT_DECL std::optional<FileOutcome> Proposer::poll_file_outcome() {
    return pop_front(file_outcomes_);
}

QUICCHAT_RARE_DECL Errc Proposer::propose_for_program(Proposal proposal, std::uint64_t ticket) {
    Asker asker{program_connection, control_stream, ticket, Asker::Answer::program};
    return try_to_propose(asker, std::move(proposal));
}

QUICCHAT_DECL std::optional<ProgramOutcome> Proposer::poll_program_outcome() {
    return pop_front(program_outcomes_);
}

QUICCHAT_DECL bool Proposer::release() {
    const auto may_go = [&](const HeldMessage& held) {
        const Room* room = room_store_->directory().find(held.room);
        return room == nullptr || !Decider::is_closed(*room, held.record);
    };
    return checks_->release(
        may_go, [&](HeldMessage&& held, CheckDecision&& decision, const std::string& room_name) {
            Asker asker{held.connection, held.stream, held.request};
            const Errc errc = apply(std::move(decision), asker, held.record, room_name);
            const Errc refusal = errc == Errc{} ? held.refusal : errc;
            release(std::move(held), std::move(asker), refusal);
        });
}

QUICCHAT_DECL std::optional<ConnectionId> Proposer::settle(const LogNews& news, Errc errc) {
    const auto entry = news.token ? askers_.extract(*news.token) : decltype(askers_)::node_type{};
    if (entry.empty()) return std::nullopt;
    const Asker& asker = entry.mapped();
    times_.add(turn_->steady() - asker.since);
    if (asker.stream == control_stream) {
        const auto count = under_way_.find(asker.connection);
        if (--count->second == 0) under_way_.erase(count);
    }
    if (errc == Errc{}) {
        confirm(asker, news);
    } else {
        refuse(asker, errc);
    }
    return asker.connection;
}

QUICCHAT_DECL std::size_t Proposer::under_way(ConnectionId connection) const {
    const auto found = under_way_.find(connection);
    return found == under_way_.end() ? 0 : found->second;
}

QUICCHAT_DECL void Proposer::propose(Asker&& asker, Proposal&& proposal) {
    if (const Errc errc = try_to_propose(asker, std::move(proposal)); errc != Errc{}) {
        refuse(asker, errc);
    }
}

QUICCHAT_DECL Errc Proposer::try_to_propose(Asker& asker, Proposal&& proposal) {
    const AppendToken token = ++newest_;
    if (const Errc errc = decider_->decide(token, std::move(proposal)); errc != Errc{}) return errc;
    if (asker.stream == control_stream) ++under_way_[asker.connection];
    asker.since = turn_->steady();
    askers_.emplace_hint(askers_.end(), token, std::move(asker));  // it is the highest one
    return Errc{};
}

QUICCHAT_DECL void Proposer::confirm(const Asker& asker, const LogNews& news) {
    const wire::Ack ack{asker.request, news.epoch, news.offset, news.durability, news.time};
    switch (asker.answer) {
        case Asker::Answer::ack:
            return say(asker, Bytes{encode(ack)});
        case Asker::Answer::file_outcome:
            file_outcomes_.push_back({asker.connection, asker.stream, Errc{}, ack, {}, {}});
            return;
        case Asker::Answer::program:
            if (asker.request != 0) program_outcomes_.push_back({asker.request, Errc{}, ack});
            return;
        case Asker::Answer::profile:
            const Record& record = *news.record;  // its id is new
            return say(asker,
                       Bytes{encode(wire::Profile{asker.request, record.author, record.text})});
    }
}

QUICCHAT_DECL void Proposer::refuse(const Asker& asker, Errc errc) {
    const std::string reason = errc == Errc::not_accepted ? asker.reason : "";
    if (asker.answer == Asker::Answer::file_outcome) {
        file_outcomes_.push_back({asker.connection, asker.stream, errc, {}, reason, {}});
    } else if (asker.answer == Asker::Answer::program) {
        if (asker.request != 0) program_outcomes_.push_back({asker.request, errc, {}});
    } else {
        turn_->refusals().add(errc);
        say(asker, encode_refusal(asker.request, errc, refused_retry_after, reason));
    }
}

QUICCHAT_DECL void Proposer::say(const Asker& asker, Bytes frame) {
    if (asker.stream == control_stream) {
        control_->answer(asker.connection, std::move(frame));
        return;
    }
    Member* member = fan_out_->find(asker.connection, asker.stream);
    if (member == nullptr) return;
    --member->appends;
    fan_out_->reply(*member, std::move(frame));
}

QUICCHAT_RARE_DECL bool Proposer::hold(const Room& room, const Asker& asker, Proposal& proposal,
                                       const std::string& to) {
    Record& record = proposal.record;
    const Act::Kind kind = record.act.kind;
    const bool is_text = kind == Act::Kind::message || kind == Act::Kind::edit;
    const Errc refusal = is_text ? decider_->judge(room, record) : Errc{};
    const bool is_checked = is_text && refusal == Errc{};
    HeldMessage held{asker.connection,  asker.stream, asker.request, room.key(), to,
                     std::move(record), refusal};
    const bool waits = is_checked || checks_->is_behind(held);
    if (!waits || !checks_->has_room(held.bytes())) {
        if (waits) proposal.refusal = Errc::queue_full;
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

QUICCHAT_RARE_DECL MessageQuestion Proposer::make_question(const Room& room, const Record& record,
                                                           MessageQuestion::Kind kind) {
    MessageQuestion question{.user = record.author,
                             .room = room.name_for(record.author),
                             .kind = kind,
                             .text = record.text,
                             .attributes = record.attributes};
    if (room.is_private()) question.recipient = room.other_than(record.author);
    return question;
}

QUICCHAT_RARE_DECL Errc Proposer::check_texts(const Act& act, const std::string& text,
                                              const std::string& attributes) const {
    if (act.kind != Act::Kind::file) return check_act(act, text, attributes, *limits_);
    return check_file_texts(act.target, text, attributes, *limits_);
}

QUICCHAT_RARE_DECL Errc Proposer::apply(CheckDecision&& decision, Asker& asker, Record& record,
                                        const std::string& room_name) {
    return match(
        std::move(decision), [](AcceptMessage&&) { return Errc{}; },
        [&](ReplaceMessage&& m) {
            if (!m.attributes) m.attributes = record.attributes;
            const Errc errc = check_texts(record.act, m.text, *m.attributes);
            if (errc != Errc{}) {
                checks_->note_failure({record.author, room_name,
                                       "the text that it should have is not fit: " +
                                           error_category().message(static_cast<int>(errc))});
                return Errc::not_accepted;
            }
            if (m.text == record.text && *m.attributes == record.attributes) return Errc{};
            record.sent = mark_of(record.text, record.attributes);
            record.text = std::move(m.text);
            record.attributes = *std::move(m.attributes);
            return Errc{};
        },
        [&](RefuseMessage&& m) {
            asker.reason = cleaned_text(m.reason, error_text_bytes_max);
            return Errc::not_accepted;
        },
        [&](CheckUnavailable&&) {
            return checks_->unchecked() == Unchecked::refuse ? Errc::not_checked : Errc{};
        });
}

QUICCHAT_DECL void Proposer::release(HeldMessage&& held, Asker&& asker, Errc refusal) {
    if (held.is_file) {
        const Errc errc = refusal == Errc{} ? Errc::no_such_file : refusal;  // it may come
        file_outcomes_.push_back({held.connection,
                                  held.stream,
                                  errc,
                                  {},
                                  std::move(asker.reason),
                                  std::move(held.record)});
        return;
    }
    const Room* room = room_store_->directory().find(held.room);
    if (room == nullptr && !held.to.empty()) {  // it was quiet for longest meanwhile
        const Caller caller{held.connection, held.record.author, held.record.device};
        (void)membership_->private_room(caller, held.to);  // its key is the same
    }
    propose(std::move(asker),
            {Proposal::Kind::act, std::move(held.room), std::move(held.record), {}, refusal});
}

}  // namespace quicchat
