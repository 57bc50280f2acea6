#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/publish/moderation.hpp"
#include "quicchat/session/event.hpp"

namespace quicchat {

/// What somebody asked to have stored, until it is decided.
struct HeldMessage {
    ConnectionId connection{};
    StreamId stream = control_stream;  ///< Of a member; the control stream for a Tell.
    RequestId request = 0;
    std::string room;  ///< Its key.
    std::string to{};  ///< Of a Tell: whom it is for.
    Record record;
    Errc refusal{};  ///< It might not be stored when it came, so that nobody was asked about it.

    bool is_file = false;  ///< It is the name of a file; its answer is a FileOutcome.

    std::size_t bytes() const { return record.text.size() + record.attributes.size(); }
};

/// Holds back what the server's program has to judge (PROTOCOL.md §6.17). Off unless
/// `ServerConfig::checks_messages` says so.
///
/// Who asks on one stream is answered in order: what the program decides early waits for what was
/// asked before it, and so do acts that nobody is asked about. What was taken is decided and stored
/// also if its connection is gone by then: the client sends it again, under its id, and gets the
/// first Ack. A message that comes again while it is open is not asked about a second time.
///
/// Bounded by `Limits::checks_max` and `checks_bytes_max`; each question ends by itself after
/// `ServerConfig::check_timeout`.
class ModerationQueue {
public:
    explicit ModerationQueue(const ServerConfig& config) : config_(&config) {}

    bool is_on() const { return config_->checks_messages; }
    Unchecked unchecked() const { return config_->unchecked; }

    /// What time it is for everything up to the next call.
    void begin_turn(TimePoint now) { now_ = now; }

    // For the program.

    /// The oldest question that was not taken yet.
    std::optional<CheckQuestion> poll_question() {
        drop_stale();
        std::optional<Unasked> next = pop_front(unasked_);
        if (!next) return std::nullopt;
        return CheckQuestion{CheckTicket{next->ticket}, std::move(next->question)};
    }

    /// False if nobody waits for that answer (any more), or it was given.
    bool answer(CheckTicket ticket, CheckDecision decision) {
        const auto found = entries_.find(static_cast<Ticket>(ticket));
        if (found == entries_.end() || !found->second.asks || found->second.decision) return false;
        decide(found->second, std::move(decision));
        return true;
    }

    /// What went wrong with an answer, for the program's log.
    std::optional<CheckFailed> poll_failure() { return pop_front(failures_); }
    void note_failure(CheckFailed failure) { failures_.push_back(std::move(failure)); }

    void handle_timeout(TimePoint now) {
        while (!deadlines_.empty() && deadlines_.front().first <= now) {
            const auto found = entries_.find(deadlines_.front().second);
            deadlines_.pop_front();
            if (found == entries_.end() || found->second.decision) continue;
            Entry& entry = found->second;
            note_failure({entry.held.record.author, entry.room_name, "no answer in time"});
            decide(entry, CheckUnavailable{});
        }
        drop_stale();
    }
    std::optional<TimePoint> next_deadline() const {
        return deadlines_.empty() ? std::nullopt : std::optional{deadlines_.front().first};
    }

    // For the publisher.

    /// True if something before it in its stream, or the same message, is not decided yet: then it
    /// must be held as well.
    bool is_behind(const HeldMessage& message) const {
        return lanes_.count(lane_of(message)) != 0 || names_.count(name_of(message)) != 0;
    }

    /// False if there is no room for another one.
    bool has_room(std::size_t bytes) const {
        return entries_.size() < config_->limits.checks_max &&
               bytes_ + bytes <= config_->limits.checks_bytes_max;
    }

    /// Holds a message, and asks the program about it if there is a question. Ask `has_room` first.
    void hold(HeldMessage message, std::optional<MessageQuestion> question) {
        const Ticket ticket = ++newest_;
        const Lane lane = lane_of(message);
        const auto [same, is_first] = names_.try_emplace(name_of(message), ticket);
        Entry* const before = is_first ? nullptr : &entries_.at(same->second);
        lanes_[lane].push_back(ticket);
        bytes_ += message.bytes();
        Entry entry{.held = std::move(message)};
        // Another text under that name was not judged: it must not be stored if the first is not.
        if (before != nullptr && has_same_body(before->held.record, entry.held.record)) {
            before->followers.push_back(ticket);
        } else if (question) {
            entry.asks = true;
            entry.room_name = question->room;
            deadlines_.emplace_back(now_ + config_->check_timeout, ticket);
            unasked_.push_back({ticket, *std::move(question)});
        } else {
            entry.decision = AcceptMessage{};
            ready_.push_back(lane);
        }
        entries_.emplace(ticket, std::move(entry));
    }

    /// Hands `take` what is decided, in the order of each stream: the message, what was decided and
    /// its room's name for the program. What `may_go` does not let through waits for the next call.
    /// True if there was anything.
    template <class MayGo, class Take>
    bool release(const MayGo& may_go, const Take& take) {
        bool released = false;
        for (const Lane& lane : std::exchange(ready_, {})) {
            while (Entry* entry = decided_front(lane)) {
                if (!may_go(entry->held)) {
                    ready_.push_back(lane);
                    break;
                }
                released = true;
                Entry done = remove_front(lane);
                take(std::move(done.held), *std::move(done.decision), done.room_name);
            }
        }
        return released;
    }

    /// How much of one stream is held.
    std::size_t held(ConnectionId connection, StreamId stream = control_stream) const {
        const auto found = lanes_.find({connection, stream});
        return found == lanes_.end() ? 0 : found->second.size();
    }
    std::size_t size() const { return entries_.size(); }

private:
    using Ticket = std::uint64_t;
    using Lane = std::pair<ConnectionId, StreamId>;
    using Name = std::tuple<std::string, std::string, DeviceId, MessageId>;

    struct Entry {
        HeldMessage held;
        bool asks = false;
        std::string room_name{};  ///< As the user calls it.
        std::optional<CheckDecision> decision{};
        std::vector<Ticket> followers{};  ///< The same message, sent again: decided as this one is.
    };
    struct Unasked {
        Ticket ticket = 0;
        MessageQuestion question;
    };

    static Lane lane_of(const HeldMessage& message) { return {message.connection, message.stream}; }
    static Name name_of(const HeldMessage& message) {
        const Record& r = message.record;
        return {message.room, r.author, r.device, r.id};
    }

    bool is_open(Ticket ticket) const {
        const auto found = entries_.find(ticket);
        return found != entries_.end() && !found->second.decision;
    }

    /// Questions that are over need no deadline, and if nobody took them, nobody should.
    void drop_stale() {
        while (!deadlines_.empty() && !is_open(deadlines_.front().second)) deadlines_.pop_front();
        while (!unasked_.empty() && !is_open(unasked_.front().ticket)) unasked_.pop_front();
    }

    static bool has_same_body(const Record& one, const Record& other) {
        return one.text == other.text && one.attributes == other.attributes && one.act == other.act;
    }

    void decide(Entry& entry, CheckDecision decision) {
        entry.decision = std::move(decision);
        ready_.push_back(lane_of(entry.held));
    }

    /// What comes next in a stream, if it is decided; otherwise nullptr.
    Entry* decided_front(const Lane& lane) {
        const auto found = lanes_.find(lane);
        if (found == lanes_.end()) return nullptr;
        Entry& entry = entries_.at(found->second.front());
        return entry.decision ? &entry : nullptr;
    }

    Entry remove_front(const Lane& lane) {
        const auto found = lanes_.find(lane);
        const Ticket ticket = found->second.front();
        const auto place = entries_.find(ticket);
        Entry entry = std::move(place->second);
        entries_.erase(place);
        found->second.pop_front();
        if (found->second.empty()) lanes_.erase(found);
        bytes_ -= entry.held.bytes();
        // Only now, so that the first one is with the log before those that repeat it.
        for (const Ticket follower : entry.followers) {
            decide(entries_.at(follower), *entry.decision);
        }
        const auto name = names_.find(name_of(entry.held));
        if (name == names_.end() || name->second != ticket) return entry;
        if (entry.followers.empty()) {
            names_.erase(name);
        } else {  // the last one of them frees the name
            name->second = entry.followers.back();
        }
        return entry;
    }

    const ServerConfig* config_;
    TimePoint now_{};
    Ticket newest_ = 0;
    std::map<Ticket, Entry> entries_;
    std::map<Lane, std::deque<Ticket>> lanes_;  ///< Where there is anything.
    std::map<Name, Ticket> names_;              ///< Whom those that repeat it follow.
    std::vector<Lane> ready_;                   ///< Whose front may be decided.
    std::deque<Unasked> unasked_;
    std::deque<std::pair<TimePoint, Ticket>> deadlines_;  ///< In order: all wait equally long.
    std::deque<CheckFailed> failures_;
    std::size_t bytes_ = 0;
};

}  // namespace quicchat
