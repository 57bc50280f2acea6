#pragma once

#include <cassert>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/log/concept.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

class Room;

/// One device of one user in one room: a cursor into the room's log, and few answers. It has no
/// queue of messages, so a slow reader costs no memory.
struct Member {
    ConnectionId connection{};
    StreamId stream{};
    std::string user{};
    DeviceId device{};
    Room* room = nullptr;
    std::size_t place = 0;         ///< Index among the room's members.
    Offset next = 1;               ///< The record to send next.
    std::deque<Bytes> replies{};   ///< Joined, Ack, Error, Members, Presence.
    std::deque<Bytes> catch_up{};  ///< Records from the log, older than the room's recent ones.
    std::size_t appends = 0;       ///< What it published and the log has not committed yet.
    bool waiting = false;          ///< In the hub's list of members with something to send.
    bool stalled = false;  ///< The stream's backlog is full; Writable will say when it is not.
    bool held_up = false;  ///< What it asks waits until it has read more answers.
    bool members_stale = false;  ///< Presence was left out; the whole list goes out instead.
};

inline Bytes encode_event(const LoggedRecord& logged) {
    const Record& r = logged.record;
    return Bytes{encode(wire::Event{logged.offset, r.time, wire::Event::Kind::message, r.id,
                                    r.author, r.text, r.attributes})};
}

/// Members and recent events of one room. The recent events are encoded once, in shared memory;
/// each member has an offset into them.
class Room {
public:
    Room(std::string name, LogHead head, std::size_t recent_max)
        : name_(std::move(name)),
          key_(canonical_name(name_)),
          epoch_(head.epoch),
          head_(head.head),
          recent_first_(head.head + 1),
          recent_max_(recent_max) {}

    /// A record was committed: it follows the newest one.
    void push(const LoggedRecord& record) {
        assert(record.offset == head_ + 1);
        head_ = record.offset;
        quiet_ = false;
        recent_.push_back(encode_event(record));
        if (recent_.size() > recent_max_) {
            recent_.pop_front();
            ++recent_first_;
        }
    }

    /// The frame of a record, if it is among the recent ones.
    const Bytes* recent(Offset offset) const {
        if (offset < recent_first_ || offset > head_) return nullptr;
        return &recent_[static_cast<std::size_t>(offset - recent_first_)];
    }

    /// Adds a member. True if its user was not here before.
    bool add(Member& member) {
        member.room = this;
        member.place = members_.size();
        members_.push_back(&member);
        return ++devices_[member.user] == 1;
    }

    /// Removes a member. True if that was the last device of its user.
    bool remove(Member& member) {
        members_.back()->place = member.place;
        members_[member.place] = members_.back();
        members_.pop_back();
        const auto user = devices_.find(member.user);
        if (--user->second > 0) return false;
        devices_.erase(user);
        return true;
    }

    /// At most `count_max` users with names above `after`, in order, and whether that was all.
    std::pair<std::vector<std::string>, bool> users(const std::string& after,
                                                    std::size_t count_max) const {
        std::vector<std::string> page;
        auto user = devices_.upper_bound(after);
        for (; user != devices_.end() && page.size() < count_max; ++user) {
            page.push_back(user->first);
        }
        return {std::move(page), user == devices_.end()};
    }

    const std::string& name() const { return name_; }
    const std::string& key() const { return key_; }  ///< The name of the room's log.
    Epoch epoch() const { return epoch_; }
    Offset head() const { return head_; }
    /// True if nothing was pushed since the last call.
    bool take_quiet() { return std::exchange(quiet_, true); }
    const std::vector<Member*>& members() const { return members_; }

private:
    std::string name_;
    std::string key_;
    Epoch epoch_;
    Offset head_;
    Offset recent_first_;
    std::size_t recent_max_;
    bool quiet_ = true;
    std::deque<Bytes> recent_;
    std::vector<Member*> members_;
    std::map<std::string, std::size_t> devices_;
};

}  // namespace quicchat
