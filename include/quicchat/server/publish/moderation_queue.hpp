#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/publish/moderation.hpp"
#include "quicchat/session/event.hpp"

namespace quicchat {

/// What somebody asked to have stored, until it is decided.
struct HeldMessage {
    ConnectionId connection{};         ///< Who waits for the answer; it may be gone by then.
    StreamId stream = control_stream;  ///< Of a member; the control stream for a Tell.
    RequestId request = 0;             ///< Of that connection.
    std::string room;                  ///< Its key.
    std::string to{};                  ///< Of a Tell: whom it is for.
    Record record;                     ///< As it is to be stored, without offset.
    Errc refusal{};  ///< It might not be stored when it came, so that nobody was asked about it.

    bool is_file = false;  ///< It is the name of a file; its answer is a FileOutcome.

    /// What counts for `Limits::checks_bytes_max`.
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
    /// `config` outlives it, and may be changed.
    explicit ModerationQueue(const ServerConfig& config);

    /// As the configuration says now.
    /// @{
    bool is_on() const { return config_->checks_messages; }
    Unchecked unchecked() const { return config_->unchecked; }
    /// @}

    /// What time it is for everything up to the next call.
    void begin_turn(TimePoint now) { now_ = now; }

    // For the program.

    /// The oldest question that was not taken yet.
    std::optional<CheckQuestion> poll_question();

    /// False if nobody waits for that answer (any more), or it was given.
    bool answer(CheckTicket ticket, CheckDecision decision);

    /// What went wrong with an answer, for the program's log.
    std::optional<CheckFailed> poll_failure();
    /// Behind those that were not polled.
    void note_failure(CheckFailed failure);

    /// Ends the questions that were open for too long; each leaves a failure.
    void handle_timeout(TimePoint now);
    /// When the next question is over; nothing: none is open.
    std::optional<TimePoint> next_deadline() const;

    // For the publisher.

    /// True if something before it in its stream, or the same message, is not decided yet: then it
    /// must be held as well.
    bool is_behind(const HeldMessage& message) const;

    /// False if there is no room for another one.
    bool has_room(std::size_t bytes) const;

    /// Holds a message, and asks the program about it if there is a question. Ask `has_room` first.
    void hold(HeldMessage&& message, std::optional<MessageQuestion>&& question);

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
                const std::unique_ptr<Entry> done = remove_front(lane);
                take(std::move(done->held), *std::move(done->decision), done->room_name);
            }
        }
        return released;
    }

    /// How much of one stream is held.
    std::size_t held(ConnectionId connection, StreamId stream = control_stream) const;
    /// All that is held, asked about or behind something.
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
    static Name name_of(const HeldMessage& message);

    bool is_open(Ticket ticket) const;

    /// Questions that are over need no deadline, and if nobody took them, nobody should.
    void drop_stale();

    static bool has_same_body(const Record& one, const Record& other);

    void decide(Entry& entry, CheckDecision&& decision);

    /// What comes next in a stream, if it is decided; otherwise nullptr.
    Entry* decided_front(const Lane& lane);

    std::unique_ptr<Entry> remove_front(const Lane& lane);

    const ServerConfig* config_;
    TimePoint now_{};
    Ticket newest_ = 0;
    std::map<Ticket, std::unique_ptr<Entry>> entries_;
    std::map<Lane, Queue<Ticket>> lanes_;  ///< Where there is anything.
    std::map<Name, Ticket> names_;         ///< Whom those that repeat it follow.
    std::vector<Lane> ready_;              ///< Whose front may be decided.
    Queue<std::unique_ptr<Unasked>> unasked_;
    Queue<std::pair<TimePoint, Ticket>> deadlines_;  ///< In order: all wait equally long.
    Queue<CheckFailed> failures_;
    std::size_t bytes_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/publish/impl/moderation_queue.ipp"
#endif
