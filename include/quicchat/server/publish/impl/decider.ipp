#pragma once

#include "quicchat/server/publish/decider.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/server/rooms/acts.hpp"
#include "quicchat/server/rooms/authorizer.hpp"

namespace quicchat {

QUICCHAT_DECL Decider::Decider(RoomStore& room_store, const Limits& limits, Turn& turn,
                               TurnWork& work)
    : room_store_(&room_store), limits_(&limits), turn_(&turn), work_(&work) {}

QUICCHAT_DECL Errc Decider::decide(AppendToken token, Proposal&& proposal) {
    Decision decision{.refusal = proposal.refusal};
    const Errc errc = proposal.kind == Proposal::Kind::creation
                          ? prepare_creation(proposal, decision)
                          : prepare(proposal, decision);
    if (errc != Errc{}) return errc;
    proposal.record.time = turn_->now();
    work_->count(proposal.record.author, proposal.record.text.size());
    RoomLog& log = room_store_->log();
    if (decision.refusal == Errc{}) {
        log.append(token, proposal.room, std::move(proposal.record), std::move(proposal.changes));
    } else {
        log.look_up(token, proposal.room, std::move(proposal.record));
    }
    if (!decision.is_empty()) decisions_.emplace(token, decision);
    return Errc{};
}

QUICCHAT_DECL Result<Room*> Decider::open_private_room(const std::string& one,
                                                       const std::string& other) {
    const Result<Room*> room = room_store_->open_private(one, other);
    if (!room) return turn_->noted(to_errc(room.error()));
    return room;
}

QUICCHAT_DECL Errc Decider::judge(const Room& room, const Record& record) {
    const Authorizer authorizer{room_store_->directory(), room_store_->log(), *limits_,
                                turn_->now()};
    return turn_->noted(authorizer.judge(room, record.author, record.act, record.text));
}

QUICCHAT_DECL bool Decider::is_closed(const Room& room, const Record& record) {
    return room.changes_under_way > 0 ||
           (is_reaction(record.act) && room.has_reaction_under_way(record.author));
}

QUICCHAT_DECL Decider::Outcome Decider::settle(const LogNews& news) {
    Outcome outcome{.error = news.error};
    const auto entry =
        news.token ? decisions_.extract(*news.token) : decltype(decisions_)::node_type{};
    if (entry.empty()) return outcome;
    const Decision& decision = entry.mapped();
    if (news.error == Errc::no_such_message && decision.refusal != Errc{}) {
        outcome.error = decision.refusal;
    }
    if (decision.creates_room) {
        room_store_->end_creation(news.room, news.error == Errc{});
    }
    Room* room = room_store_->directory().find(news.room);
    if (room == nullptr) return outcome;
    if (decision.changes_room && --room->changes_under_way == 0) outcome.opened = room;
    if (decision.reacts_in && room->epoch() == *decision.reacts_in) {
        room->reactions_under_way.erase(room->reactions_under_way.begin());  // in order
        outcome.opened = room;
    }
    return outcome;
}

QUICCHAT_DECL bool Decider::Decision::is_empty() const {
    return refusal == Errc{} && !creates_room && !changes_room && !reacts_in;
}

QUICCHAT_DECL Errc Decider::prepare_creation(const Proposal& proposal, Decision& decision) {
    // Refused, unless it was this request that made the room, and it was sent again.
    if (room_store_->directory().find(proposal.room) != nullptr) {
        decision.refusal = Errc::room_exists;
    } else if (room_store_->is_being_made(proposal.room)) {
        decision.refusal = Errc::queue_full;
    } else {
        const std::string& author = proposal.record.author;
        const Errc errc = turn_->noted(room_store_->begin_creation(proposal.room, author));
        if (errc != Errc{}) return errc;
        decision.creates_room = true;
    }
    return Errc{};
}

QUICCHAT_DECL Errc Decider::prepare(Proposal& proposal, Decision& decision) {
    if (proposal.kind == Proposal::Kind::profile) return Errc{};
    Room* room = room_store_->directory().find(proposal.room);
    if (room == nullptr) return Errc::no_such_room;
    const Record& record = proposal.record;
    if (proposal.kind != Proposal::Kind::act) {
        if (is_closed(*room, record)) return Errc::queue_full;
        room_store_->note_use(*room);
    }
    if (decision.refusal == Errc{}) decision.refusal = judge(*room, record);
    if (decision.refusal != Errc{}) return Errc{};
    if (proposal.kind == Proposal::Kind::file_query) {
        decision.refusal = Errc::no_such_file;
    } else if (changes_room(record.act.kind)) {
        proposal.changes = changes_of(record.act, record.text);
        decision.changes_room = true;
        ++room->changes_under_way;
    } else if (is_reaction(record.act)) {
        decision.reacts_in = room->epoch();
        room->reactions_under_way.emplace_back(record.author, record.act.target);
    }
    return Errc{};
}

}  // namespace quicchat
