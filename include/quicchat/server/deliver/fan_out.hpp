#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/deliver/event_frames.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Hands the records of rooms, and answers, to their members: to each as fast as it reads, from
/// memory or from the log.
class FanOut {
public:
    FanOut(const RoomLog& log, EventFrames& frames, const Limits& limits)
        : log_(&log), frames_(&frames), limits_(&limits) {}

    Member& add(Member member) {
        const std::pair place{member.connection, member.stream};
        return members_.insert_or_assign(place, std::move(member)).first->second;
    }

    void remove(Member& member) {
        if (member.waiting) waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &member));
        members_.erase({member.connection, member.stream});
    }

    Member* find(ConnectionId connection, StreamId stream) {
        const auto found = members_.find({connection, stream});
        return found == members_.end() ? nullptr : &found->second;
    }

    /// The memberships of one connection.
    std::vector<const Member*> members_of(ConnectionId connection) const {
        std::vector<const Member*> all;
        auto place = members_.lower_bound({connection, StreamId{}});
        for (; place != members_.end() && place->first.first == connection; ++place) {
            all.push_back(&place->second);
        }
        return all;
    }

    bool empty() const { return members_.empty(); }

    void wake(Member& member) {
        if (member.waiting || member.stalled) return;
        member.waiting = true;
        waiting_.push_back(&member);
    }

    void wake_all(const Room& room) {
        for (Member* member : room.members()) wake(*member);
    }

    void reply(Member& member, Bytes frame) {
        member.replies.push_back(std::move(frame));
        wake(member);
    }

    /// Where a new member begins, and whether it misses nothing (PROTOCOL.md §6.2).
    std::pair<Offset, bool> first_offset(const Room& room, const Position& position) const {
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

    /// A member with something to send that is not stalled, or nothing. Take frames by `next_frame`
    /// until there is none or the stream is full; then say so by `stall`.
    Member* poll_waiting() {
        if (waiting_.empty()) return nullptr;
        Member* member = waiting_.back();
        waiting_.pop_back();
        member->waiting = false;
        return member;
    }

    /// An answer, or the next record as it is now, or a Gap where records are gone.
    std::optional<Bytes> next_frame(Member& member) {
        if (!member.replies.empty()) return pop_front(member.replies);
        Room& room = *member.room;
        if (member.next > room.head()) return std::nullopt;
        if (room.recent(member.next) == nullptr) {
            const Offset oldest = log_->head(room.key()).first;
            if (member.next < oldest) {
                const wire::Gap gap{member.next, oldest - 1};
                member.next = oldest;
                return Bytes{encode(gap)};
            }
        }
        std::optional<Bytes> frame = frames_->get(room, member.next);
        if (frame) ++member.next;
        return frame;
    }

    void stall(Member& member) { member.stalled = true; }

    void handle_writable(Member& member) {
        member.stalled = false;
        wake(member);
    }

    std::size_t answers_waiting() const {
        std::size_t count = 0;
        for (const auto& [place, member] : members_) count += member.replies.size();
        return count;
    }

private:
    const RoomLog* log_;
    EventFrames* frames_;
    const Limits* limits_;
    std::map<std::pair<ConnectionId, StreamId>, Member> members_;  ///< Their addresses are stable.
    std::vector<Member*> waiting_;
};

}  // namespace quicchat
