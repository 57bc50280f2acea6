#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/byte_counts.hpp"
#include "quicchat/server/deliver/event_frames.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/server/turn_work.hpp"

namespace quicchat {

/// Hands the records of rooms, and answers, to their members: to each as fast as it reads, from
/// memory or from the log.
class FanOut {
public:
    /// What it is given outlives it.
    FanOut(const RoomLog& log, EventFrames& frames, const Limits& limits, TurnWork& work);

    /// Who had to wait for this turn is served again.
    void begin_turn();

    /// In place of one with that connection and stream. Its address is stable until `remove`.
    Member& add(Member member);

    /// With the answers that wait for it. The room's own list is the caller's.
    void remove(Member& member);

    /// nullptr if no room is joined on that stream.
    Member* find(ConnectionId connection, StreamId stream);

    /// The memberships of one connection.
    std::vector<const Member*> members_of(ConnectionId connection) const;

    /// Of all rooms and connections: one connection in two rooms counts twice.
    /// @{
    bool empty() const { return members_.empty(); }
    std::size_t size() const { return members_.size(); }
    /// @}

    /// There is something for it, unless its stream is full: then it waits for `handle_writable`.
    void wake(Member& member);

    /// The same for each member of a room.
    void wake_all(const Room& room);

    /// An answer, which goes out before any more records.
    void reply(Member& member, Bytes frame);

    /// Where a new member begins, and whether it misses nothing (PROTOCOL.md §6.2).
    std::pair<Offset, bool> first_offset(const Room& room, const Position& position) const;

    /// A member with something to send that is not stalled, or nothing. Take frames by
    /// `next_frames` until there is none or the stream is full; then say so by `stall`.
    Member* poll_waiting();

    /// Those that `poll_waiting` will give, the next one last.
    std::span<Member* const> waiting() const { return waiting_; }

    /// An answer, or the next records as they are now, or a Gap where records are gone. Who reads
    /// old records waits after so many for the next turn.
    std::optional<Bytes> next_frames(Member& member);

    /// The stream of a member is full: it is not served before `handle_writable`.
    void stall(Member& member) { member.stalled = true; }

    /// The stream has room again.
    void handle_writable(Member& member);

    /// Frames that wait, of all members.
    std::size_t answers_waiting() const;
    /// Of answers that wait.
    const ByteCounts& answer_bytes() const { return answer_bytes_; }

    // Records that were handed over since the start.
    /// Counted for each member to whom it went.
    std::uint64_t deliveries() const { return deliveries_; }
    /// Bytes of their frames.
    std::uint64_t delivered_bytes() const { return delivered_bytes_; }

private:
    void count_delivered(Member& member, Offset last, std::size_t bytes);

    const RoomLog* log_;
    EventFrames* frames_;
    const Limits* limits_;
    TurnWork* work_;
    std::map<std::pair<ConnectionId, StreamId>, Member> members_;  ///< Their addresses are stable.
    std::vector<Member*> waiting_;
    std::vector<std::pair<ConnectionId, StreamId>> postponed_;
    ByteCounts answer_bytes_;
    std::uint64_t deliveries_ = 0;
    std::uint64_t delivered_bytes_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/fan_out.ipp"
#endif
