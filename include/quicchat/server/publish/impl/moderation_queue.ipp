#pragma once

#include "quicchat/server/publish/moderation_queue.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL ModerationQueue::ModerationQueue(const ServerConfig& config)
    : config_(&config) {}

QUICCHAT_RARE_DECL std::optional<CheckQuestion> ModerationQueue::poll_question() {
    drop_stale();
    if (unasked_.empty()) return std::nullopt;
    const std::unique_ptr<Unasked> next = std::move(unasked_.front());
    unasked_.pop_front();
    return CheckQuestion{CheckTicket{next->ticket}, std::move(next->question)};
}

QUICCHAT_RARE_DECL bool ModerationQueue::answer(CheckTicket ticket, CheckDecision decision) {
    const auto found = entries_.find(static_cast<Ticket>(ticket));
    if (found == entries_.end() || !found->second->asks || found->second->decision) return false;
    decide(*found->second, std::move(decision));
    return true;
}

QUICCHAT_RARE_DECL std::optional<CheckFailed> ModerationQueue::poll_failure() {
    return pop_front(failures_);
}

QUICCHAT_RARE_DECL void ModerationQueue::note_failure(CheckFailed failure) {
    failures_.push_back(std::move(failure));
}

QUICCHAT_DECL void ModerationQueue::handle_timeout(TimePoint now) {
    while (!deadlines_.empty() && deadlines_.front().first <= now) {
        const auto found = entries_.find(deadlines_.front().second);
        deadlines_.pop_front();
        if (found == entries_.end() || found->second->decision) continue;
        Entry& entry = *found->second;
        note_failure({entry.held.record.author, entry.room_name, "no answer in time"});
        decide(entry, CheckUnavailable{});
    }
    drop_stale();
}

QUICCHAT_DECL std::optional<TimePoint> ModerationQueue::next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional{deadlines_.front().first};
}

QUICCHAT_DECL bool ModerationQueue::is_behind(const HeldMessage& message) const {
    return lanes_.count(lane_of(message)) != 0 || names_.count(name_of(message)) != 0;
}

QUICCHAT_RARE_DECL bool ModerationQueue::has_room(std::size_t bytes) const {
    return entries_.size() < config_->limits.checks_max &&
           bytes_ + bytes <= config_->limits.checks_bytes_max;
}

QUICCHAT_RARE_DECL void ModerationQueue::hold(HeldMessage&& message,
                                              std::optional<MessageQuestion>&& question) {
    const Ticket ticket = ++newest_;
    const Lane lane = lane_of(message);
    const auto [same, is_first] = names_.try_emplace(name_of(message), ticket);
    Entry* const before = is_first ? nullptr : entries_.at(same->second).get();
    lanes_[lane].push_back(ticket);
    bytes_ += message.bytes();
    auto entry = std::make_unique<Entry>(Entry{.held = std::move(message)});
    // Another text under that name was not judged: it must not be stored if the first is not.
    if (before != nullptr && has_same_body(before->held.record, entry->held.record)) {
        before->followers.push_back(ticket);
    } else if (question) {
        entry->asks = true;
        entry->room_name = question->room;
        deadlines_.push_back({now_ + config_->check_timeout, ticket});
        unasked_.push_back(std::make_unique<Unasked>(Unasked{ticket, *std::move(question)}));
    } else {
        entry->decision = AcceptMessage{};
        ready_.push_back(lane);
    }
    entries_.emplace(ticket, std::move(entry));
}

QUICCHAT_DECL std::size_t ModerationQueue::held(ConnectionId connection, StreamId stream) const {
    const auto found = lanes_.find({connection, stream});
    return found == lanes_.end() ? 0 : found->second.size();
}

QUICCHAT_RARE_DECL ModerationQueue::Name ModerationQueue::name_of(const HeldMessage& message) {
    const Record& r = message.record;
    return {message.room, r.author, r.device, r.id};
}

QUICCHAT_RARE_DECL bool ModerationQueue::is_open(Ticket ticket) const {
    const auto found = entries_.find(ticket);
    return found != entries_.end() && !found->second->decision;
}

QUICCHAT_RARE_DECL void ModerationQueue::drop_stale() {
    while (!deadlines_.empty() && !is_open(deadlines_.front().second)) deadlines_.pop_front();
    while (!unasked_.empty() && !is_open(unasked_.front()->ticket)) unasked_.pop_front();
}

QUICCHAT_RARE_DECL bool ModerationQueue::has_same_body(const Record& one, const Record& other) {
    return one.text == other.text && one.attributes == other.attributes && one.act == other.act;
}

QUICCHAT_RARE_DECL void ModerationQueue::decide(Entry& entry, CheckDecision&& decision) {
    entry.decision = std::move(decision);
    ready_.push_back(lane_of(entry.held));
}

QUICCHAT_RARE_DECL ModerationQueue::Entry* ModerationQueue::decided_front(const Lane& lane) {
    const auto found = lanes_.find(lane);
    if (found == lanes_.end()) return nullptr;
    Entry* entry = entries_.at(found->second.front()).get();
    return entry->decision ? entry : nullptr;
}

QUICCHAT_RARE_DECL std::unique_ptr<ModerationQueue::Entry> ModerationQueue::remove_front(
    const Lane& lane) {
    const auto found = lanes_.find(lane);
    const Ticket ticket = found->second.front();
    const auto place = entries_.find(ticket);
    std::unique_ptr<Entry> entry = std::move(place->second);
    entries_.erase(place);
    found->second.pop_front();
    if (found->second.empty()) lanes_.erase(found);
    bytes_ -= entry->held.bytes();
    // Only now, so that the first one is with the log before those that repeat it.
    for (const Ticket follower : entry->followers) {
        decide(*entries_.at(follower), CheckDecision{*entry->decision});
    }
    const auto name = names_.find(name_of(entry->held));
    if (name == names_.end() || name->second != ticket) return entry;
    if (entry->followers.empty()) {
        names_.erase(name);
    } else {  // the last one of them frees the name
        name->second = entry->followers.back();
    }
    return entry;
}

}  // namespace quicchat
