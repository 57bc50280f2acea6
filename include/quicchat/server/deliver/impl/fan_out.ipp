#pragma once

#include "quicchat/server/deliver/fan_out.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL FanOut::FanOut(const RoomLog& log, EventFrames& frames, const Limits& limits,
                             TurnWork& work)
    : log_(&log), frames_(&frames), limits_(&limits), work_(&work) {}

QUICCHAT_DECL void FanOut::begin_turn() {
    for (const auto& [connection, stream] : std::exchange(postponed_, {})) {
        if (Member* member = find(connection, stream)) wake(*member);
    }
}

QUICCHAT_DECL Member& FanOut::add(Member member) {
    const std::pair place{member.connection, member.stream};
    return members_.insert_or_assign(place, std::move(member)).first->second;
}

QUICCHAT_DECL void FanOut::remove(Member& member) {
    if (member.waiting) waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &member));
    answer_bytes_.subtract(member.connection, member.reply_bytes);
    members_.erase({member.connection, member.stream});
}

QUICCHAT_DECL Member* FanOut::find(ConnectionId connection, StreamId stream) {
    const auto found = members_.find({connection, stream});
    return found == members_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL std::vector<const Member*> FanOut::members_of(ConnectionId connection) const {
    std::vector<const Member*> all;
    auto place = members_.lower_bound({connection, StreamId{}});
    for (; place != members_.end() && place->first.first == connection; ++place) {
        all.push_back(&place->second);
    }
    return all;
}

QUICCHAT_DECL void FanOut::wake(Member& member) {
    if (member.waiting || member.stalled) return;
    member.waiting = true;
    waiting_.push_back(&member);
}

QUICCHAT_DECL void FanOut::wake_all(const Room& room) {
    for (Member* member : room.members()) wake(*member);
}

QUICCHAT_DECL void FanOut::reply(Member& member, Bytes frame) {
    member.reply_bytes += frame.size();
    answer_bytes_.add(member.connection, frame.size());
    member.replies.push_back(std::move(frame));
    wake(member);
}

QUICCHAT_DECL std::pair<Offset, bool> FanOut::first_offset(const Room& room,
                                                           const Position& position) const {
    const LogHead log = log_->head(room.key());
    if (position.kind == Position::Kind::last) {
        const Offset count = std::min<Offset>(position.count, limits_->history_records_max);
        const Offset oldest = room.head() + 1 - std::min(count, room.head());
        return {std::max(oldest, log.first), false};
    }
    const bool same_log = position.kind == Position::Kind::after &&
                          position.epoch == room.epoch() && position.offset <= room.head();
    if (same_log && position.offset + 1 >= log.first) return {position.offset + 1, true};
    return {room.head() + 1, false};
}

QUICCHAT_DECL Member* FanOut::poll_waiting() {
    if (waiting_.empty()) return nullptr;
    Member* member = waiting_.back();
    waiting_.pop_back();
    member->waiting = false;
    return member;
}

QUICCHAT_DECL std::optional<Bytes> FanOut::next_frames(Member& member) {
    if (std::optional<Bytes> answer = pop_front(member.replies)) {
        member.reply_bytes -= answer->size();
        answer_bytes_.subtract(member.connection, answer->size());
        return answer;
    }
    Room& room = *member.room;
    if (member.next > room.head()) return std::nullopt;
    EventFrames::Run run = frames_->get_run(room, member.next);
    if (!run.bytes.empty()) {
        count_delivered(member, run.last, run.bytes.size());
        return std::move(run.bytes);
    }
    if (work_->must_wait(member.user)) {
        postponed_.emplace_back(member.connection, member.stream);
        return std::nullopt;
    }
    const Offset oldest = log_->head(room.key()).first;
    if (member.next < oldest) {
        const wire::Gap gap{member.next, oldest - 1};
        member.next = oldest;
        return Bytes{encode(gap)};
    }
    std::optional<Bytes> frame = frames_->get(room, member.next, member.user);
    if (frame) count_delivered(member, member.next, frame->size());
    return frame;
}

QUICCHAT_DECL void FanOut::count_delivered(Member& member, Offset last, std::size_t bytes) {
    deliveries_ += last + 1 - member.next;
    delivered_bytes_ += bytes;
    member.next = last + 1;
}

QUICCHAT_DECL void FanOut::handle_writable(Member& member) {
    member.stalled = false;
    wake(member);
}

QUICCHAT_DECL std::size_t FanOut::answers_waiting() const {
    std::size_t count = 0;
    for (const auto& [place, member] : members_) count += member.replies.size();
    return count;
}

}  // namespace quicchat
