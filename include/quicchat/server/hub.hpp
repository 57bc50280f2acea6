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

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/concept.hpp"
#include "quicchat/server/private_rooms.hpp"
#include "quicchat/server/room.hpp"
#include "quicchat/server/roster.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Makes the frame that refuses a request.
inline Bytes encode_refusal(RequestId request, Errc errc) {
    const ErrorClass kind = error_class(errc);
    const Duration wait = kind == ErrorClass::retry_after ? refused_retry_after : Duration{};
    return Bytes{encode(wire::Error{request, wire_code(errc), static_cast<std::uint64_t>(kind),
                                    to_milliseconds(wait),
                                    error_category().message(static_cast<int>(errc))})};
}

/// The chat itself: who must be told what. It decides; Server moves the bytes.
///
/// Nobody sees a message before the log has committed it (PROTOCOL.md §6.4), and each member
/// follows its room's log with a cursor of its own.
template <RoomLog Log>
class Hub {
public:
    /// Something for the control stream of a connection.
    struct ControlFrame {
        ConnectionId connection{};
        Bytes frame{};
    };

    Hub(Log log, const Limits& limits) : log_(std::move(log)), limits_(&limits) {}

    /// Opens a room that members may join. Call before the first connection.
    Errc add_room(const std::string& name) {
        if (!is_room_name(name)) return Errc::invalid_name;
        const std::string key = canonical_name(name);
        if (rooms_.count(key) != 0) return Errc{};
        if (rooms_.size() >= limits_->rooms_max) return Errc::too_many_rooms;
        const Retention retention{limits_->room_log_records_max, limits_->room_log_bytes_max};
        const Result<LogHead> head = log_.open(key, retention);
        if (!head) return to_errc(head.error());
        rooms_.try_emplace(key, name, *head, limits_->room_recent_frames_max);
        return Errc{};
    }

    /// Opens what the log has from before. Call after `add_room`, which knows how names are
    /// spelled.
    Errc restore() {
        const Result<std::vector<std::string>> rooms = log_.rooms();
        if (!rooms) return to_errc(rooms.error());
        for (const std::string& room : *rooms) {
            if (private_rooms_.restore(room)) continue;
            if (const Errc errc = add_room(room); errc != Errc{}) return errc;
        }
        return Errc{};
    }

    void handle_login(ConnectionId connection, std::string_view user) {
        roster_.add(user, connection);
    }

    void handle_disconnected(ConnectionId connection, std::string_view user) {
        roster_.remove(user, connection);
    }

    /// Puts a connection into a room. Its cursor is taken and the membership made in one step, so
    /// no record falls between what Joined says and what follows (PROTOCOL.md §6.2).
    Result<Member*> join(ConnectionId connection, StreamId stream, std::string_view user,
                         DeviceId device, const wire::Join& request) {
        if (!is_room_name(request.room)) return Errc::invalid_name;
        const auto found = rooms_.find(canonical_name(request.room));
        if (found == rooms_.end()) return Errc::no_such_room;
        Room& room = found->second;
        if (room.members().size() >= limits_->members_max) return Errc::room_full;

        Member& member = members_[{connection, stream}];
        member.connection = connection;
        member.stream = stream;
        member.user = user;
        member.device = device;
        bool recovered = false;
        std::tie(member.next, recovered) = first_offset(room, request.position);
        member.replies.push_back(Bytes{encode(wire::Joined{
            request.request, room.name(), room.epoch(), room.head(), member.next, recovered})});
        if (room.add(member)) announce(room, member, true);
        wake(member);
        return &member;
    }

    /// Takes a member out of its room and forgets it.
    void leave(Member& member) {
        Room& room = *member.room;
        if (room.remove(member)) announce(room, member, false);
        if (member.waiting) waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &member));
        members_.erase({member.connection, member.stream});
    }

    /// Puts a message into the member's room. The answer comes when the log has committed it.
    void publish(Member& member, wire::Publish message, WallTime now) {
        ++member.appends;
        append(member.room->key(),
               {.connection = member.connection,
                .stream = member.stream,
                .request = message.request,
                .to = {}},
               {message.id, member.device, member.user, std::move(message.text),
                std::move(message.attributes), now});
    }

    /// A message to one person. Refused if that person is not here.
    Errc tell(ConnectionId connection, std::string_view user, DeviceId device, wire::Tell message,
              WallTime now) {
        if (!is_user_name(message.to)) return Errc::invalid_name;
        const Roster::User* addressee = roster_.find(message.to);
        if (addressee == nullptr) return Errc::no_such_user;
        const std::string room = private_rooms_.use(user, message.to);
        while (private_rooms_.size() > limits_->private_rooms_max) {
            log_.forget(private_rooms_.drop_quietest());
        }
        const Retention retention{limits_->private_log_records_max, limits_->private_log_bytes_max};
        if (const auto head = log_.open(room, retention); !head) return to_errc(head.error());
        ++tells_[connection];
        append(room,
               {.connection = connection,
                .stream = {},
                .request = message.request,
                .to = addressee->name},
               {message.id, device, std::string{user}, std::move(message.text),
                std::move(message.attributes), now});
        return Errc{};
    }

    void request_members(Member& member, const wire::MembersRequest& request) {
        reply(member, encode_members(*member.room, request.request, request.after));
    }

    /// Refuses a request on a member's stream.
    void refuse(Member& member, RequestId request, Errc errc) {
        reply(member, encode_refusal(request, errc));
    }

    /// Takes in what the log has committed since the last call. An error means that the log cannot
    /// be trusted any more, in writing or in reading: stop the server.
    Errc settle() {
        while (std::optional<AppendCompletion> done = log_.poll_completion()) {
            auto asked = appends_.extract(done->token);
            if (asked.empty()) continue;
            const bool refused = done->error == Errc::conflict || done->error == Errc::storage_full;
            if (done->error != Errc{} && !refused) return done->error;
            settle_one(*done, std::move(asked.mapped()));
        }
        return std::exchange(failure_, Errc{});
    }

    /// Says the newest offset in quiet rooms, so that the loss of the last record is noticed as
    /// well. To a slice of the members at a time, so that a large server has no busy moment.
    void handle_timeout(TimePoint now) {
        if (!next_beat_) next_beat_ = now + limits_->heartbeat / beat_slices;
        if (now < *next_beat_) return;
        next_beat_ = now + limits_->heartbeat / beat_slices;
        beat_slice_ = (beat_slice_ + 1) % beat_slices;
        for (auto& [key, room] : rooms_) {
            const std::vector<Member*>& members = room.members();
            if (members.empty() || !room.take_quiet()) continue;
            const Bytes frame{encode(wire::Heartbeat{room.head()})};
            for (std::size_t i = beat_slice_; i < members.size(); i += beat_slices) {
                const bool up_to_date = members[i]->next == room.head() + 1;
                if (up_to_date && members[i]->replies.empty()) reply(*members[i], frame);
            }
        }
    }

    std::optional<TimePoint> next_deadline() const {
        return members_.empty() ? std::nullopt : next_beat_;
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

    std::optional<Bytes> next_frame(Member& member) {
        if (member.replies.empty() && member.members_stale) {
            member.members_stale = false;
            member.replies.push_back(encode_members(*member.room, 0, ""));
        }
        if (!member.replies.empty()) return pop_front(member.replies);
        if (member.next > member.room->head()) return std::nullopt;
        if (const Bytes* frame = member.room->recent(member.next);
            frame && member.catch_up.empty()) {
            ++member.next;
            return *frame;
        }
        return next_old_frame(member);
    }

    void stall(Member& member) { member.stalled = true; }

    void handle_writable(Member& member) {
        member.stalled = false;
        wake(member);
    }

    std::optional<ControlFrame> poll_control() { return pop_front(control_); }

    /// True if `settle` has an error to report.
    bool has_failed() const { return failure_ != Errc{}; }

    /// True if as much waits to be answered or sent as may: it should ask for nothing more.
    bool is_busy(const Member& member) const {
        return member.replies.size() + member.appends >= limits_->replies_max;
    }

    /// The same for what one connection tells people.
    bool is_busy(ConnectionId connection) const {
        const auto found = tells_.find(connection);
        return found != tells_.end() && found->second >= limits_->replies_max;
    }

    std::size_t answers_waiting() const {
        std::size_t count = 0;
        for (const auto& [place, member] : members_) count += member.replies.size();
        return count;
    }

    const Log& log() const { return log_; }
    const Roster& roster() const { return roster_; }
    std::size_t appends_under_way() const { return appends_.size(); }

private:
    /// Who asked for an append, and for whom.
    struct Append {
        ConnectionId connection{};
        StreamId stream{};
        RequestId request = 0;
        std::string to{};  ///< The addressee; empty for a room.
        Record record{};
    };

    void wake(Member& member) {
        if (member.waiting || member.stalled) return;
        member.waiting = true;
        waiting_.push_back(&member);
    }

    void reply(Member& member, Bytes frame) {
        member.replies.push_back(std::move(frame));
        wake(member);
    }

    /// Where a new member begins, and whether it misses nothing (PROTOCOL.md §6.2).
    std::pair<Offset, bool> first_offset(const Room& room, const Position& position) const {
        const LogHead log = log_.head(room.key());
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

    void announce(Room& room, const Member& subject, bool present) {
        if (room.members().size() > limits_->presence_members_max) return;
        const Bytes frame{encode(wire::Presence{subject.user, present})};
        for (Member* member : room.members()) {
            if (member == &subject) continue;
            if (member->stalled || member->replies.size() >= limits_->replies_max) {
                member->members_stale = true;
            } else {
                reply(*member, frame);
            }
        }
    }

    Bytes encode_members(const Room& room, RequestId request, const std::string& after) const {
        auto [users, complete] = room.users(after, limits_->members_per_page_max);
        return Bytes{encode(wire::Members{request, std::move(users), complete})};
    }

    void append(const std::string& room, Append asked, Record record) {
        const AppendToken token = ++newest_append_;
        asked.record = record;
        appends_.emplace(token, std::move(asked));
        log_.append(token, room, std::move(record));
    }

    void settle_one(const AppendCompletion& done, Append asked) {
        const bool is_private = !asked.to.empty();
        if (done.error != Errc{}) {
            return answer(asked, encode_refusal(asked.request, done.error));
        }
        answer(asked, Bytes{encode(wire::Ack{asked.request, done.epoch, done.offset,
                                             done.durability, done.time})});
        if (done.duplicate) return;
        if (is_private) return deliver_private(done, std::move(asked));

        Room& room = rooms_.at(done.room);
        room.push({done.offset, std::move(asked.record)});
        for (Member* member : room.members()) wake(*member);
    }

    /// To the publisher, if it is still there.
    void answer(const Append& asked, Bytes frame) {
        if (!asked.to.empty()) {
            const auto count = tells_.find(asked.connection);
            if (--count->second == 0) tells_.erase(count);
            control_.push_back({asked.connection, std::move(frame)});
            return;
        }
        Member* member = find(asked.connection, asked.stream);
        if (member == nullptr) return;
        --member->appends;
        reply(*member, std::move(frame));
    }

    void deliver_private(const AppendCompletion& done, Append asked) {
        Record& r = asked.record;
        const Bytes frame{encode(wire::Told{done.epoch, done.offset, done.time, r.id, r.author,
                                            asked.to, std::move(r.text), std::move(r.attributes)})};
        const Roster::User* author = roster_.find(r.author);
        const Roster::User* addressee = roster_.find(asked.to);
        for (const Roster::User* user : {author, addressee == author ? nullptr : addressee}) {
            if (user == nullptr) continue;  // gone meanwhile
            for (const ConnectionId device : user->connections) control_.push_back({device, frame});
        }
    }

    Member* find(ConnectionId connection, StreamId stream) {
        const auto found = members_.find({connection, stream});
        return found == members_.end() ? nullptr : &found->second;
    }

    /// From the log: records that are no longer among the recent ones, or a Gap where they are
    /// gone.
    std::optional<Bytes> next_old_frame(Member& member) {
        const std::string& key = member.room->key();
        if (member.catch_up.empty()) {
            const Offset oldest = log_.head(key).first;
            if (member.next < oldest) {
                const wire::Gap gap{member.next, oldest - 1};
                member.next = oldest;
                return Bytes{encode(gap)};
            }
            const auto records = log_.read(key, member.next - 1, limits_->catch_up_records_max);
            if (!records) failure_ = to_errc(records.error());
            if (!records) return std::nullopt;
            for (const LoggedRecord& r : *records) member.catch_up.push_back(encode_event(r));
            if (member.catch_up.empty()) return std::nullopt;
        }
        ++member.next;
        return pop_front(member.catch_up);
    }

    Log log_;
    const Limits* limits_;
    std::map<std::string, Room> rooms_;  ///< By canonical name.
    PrivateRooms private_rooms_;
    Roster roster_;
    std::map<std::pair<ConnectionId, StreamId>, Member> members_;  ///< Their addresses are stable.
    std::vector<Member*> waiting_;
    std::deque<ControlFrame> control_;
    Errc failure_{};  ///< Of a read, until `settle` says so.
    std::map<AppendToken, Append> appends_;
    AppendToken newest_append_ = 0;
    std::map<ConnectionId, std::size_t> tells_;  ///< Under way, where there are any.

    static constexpr std::size_t beat_slices = 16;
    std::optional<TimePoint> next_beat_;
    std::size_t beat_slice_ = 0;
};

}  // namespace quicchat
