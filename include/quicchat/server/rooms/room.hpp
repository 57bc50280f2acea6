#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room_accounts.hpp"
#include "quicchat/server/rooms/unread.hpp"

namespace quicchat {

class Room;

/// One device of one user in one room: a cursor into the room's log, and few answers. It has no
/// queue of messages, so a slow reader costs no memory.
struct Member {
    // What each delivery looks at is together: there are many members, and memory is far away.
    /// Where its frames go, and which room it follows. The room outlives it.
    /// @{
    ConnectionId connection{};
    StreamId stream{};
    Room* room = nullptr;
    /// @}

    Offset next = 1;                      ///< The record to send next.
    bool waiting = false;                 ///< In the hub's list of members with something to send.
    bool stalled = false;                 ///< The stream's backlog is full until Writable comes.
    bool held_up = false;                 ///< What it asks waits until it has read more answers.
    bool members_stale = false;           ///< Too many came or went: the whole list goes out.
    std::vector<std::string> presence{};  ///< Who came or went and was not told yet, each once.
    Queue<Bytes> replies{};               ///< Joined, Ack, Error, Members: what it asked for.
    std::size_t reply_bytes = 0;          ///< Bytes of those answers.
    std::size_t appends = 0;              ///< What it published and the log has not committed yet.

    /// Who it is, in the account's spelling, and on which device.
    /// @{
    std::string user{};
    DeviceId device{};
    /// @}

    std::size_t place = 0;                ///< Index among the room's members.
    std::optional<TimePoint> typed_at{};  ///< When the others were last told that it types.
};

/// Members and recent events of one room, and what else is known of it. The recent events are
/// encoded once, in shared memory; each member has an offset into them.
class Room {
public:
    /// As its log stands. At most `recent_max` records are kept encoded.
    Room(std::string name, LogHead head, std::size_t recent_max);

    /// Takes in what the log has stored of the room.
    void restore(const RoomState& state);

    /// A record was committed: it follows the newest one, and does what it does.
    void push(const LoggedRecord& record);

    /// The frame of a record, if it is among the recent ones.
    const Bytes* recent(Offset offset) const;

    /// A recent record is another one now. An empty frame: ask the log.
    void replace_recent(Offset offset, Bytes frame);

    /// The log begins at `first` now: what was before is not handed out any more.
    void drop_before(Offset first);

    /// Which recent records are edits of that message.
    std::vector<Offset> recent_edits_of(Offset target) const;

    /// True if `count_unread` and `count_mentions` can tell for that marker; otherwise show it
    /// older records.
    bool knows_authors_after(Offset marker) const { return unread_.knows(head_ - marker); }

    /// The newest record whose author it does not know.
    Offset newest_without_author() const { return head_ - unread_.known(); }

    /// Takes in who wrote the records up to that one, and whom they mention. `is_all`: there are
    /// none before them.
    void note_authors(const std::vector<LoggedRecord>& older, bool is_all) const {
        unread_.add_older(older, is_all);
    }

    /// The messages of others after the marker that are still there, up to `unread_max`.
    std::uint64_t count_unread(Offset marker, std::string_view user) const;
    /// Those of them that mention the account.
    std::uint64_t count_mentions(Offset marker, std::string_view user) const;

    /// Adds a member. True if its user was not here before.
    bool add(Member& member);

    /// Removes a member. True if that was the last device of its user.
    bool remove(Member& member);

    /// As whoever made it spells it. Another spelling has the same key.
    /// @{
    const std::string& name() const { return name_; }
    void rename(std::string name) { name_ = std::move(name); }
    /// @}

    /// True if it is the room of two people; see PrivateRooms.
    bool is_private() const;

    /// What one of its people calls it.
    std::string name_for(std::string_view user) const;

    /// The other one of two people.
    std::string other_than(std::string_view user) const;

    const std::string& key() const { return key_; }  ///< The name of the room's log.
    /// Empty if nobody has set one.
    const std::string& topic() const { return topic_; }
    const std::string& creator() const { return creator_; }  ///< Empty: the server's program.
    const std::string& maker() const { return maker_; }  ///< Of a room of two; empty: not known.
    /// Of a room of two people: `invitation`.
    RoomAccess access() const { return access_; }
    /// Of its log; a room that was deleted and made again has another one.
    Epoch epoch() const { return epoch_; }
    /// The offset of the newest record; 0: there is none.
    Offset head() const { return head_; }
    /// True if nothing was pushed since the last call.
    bool take_quiet();
    /// Those that follow it now, in no order.
    const std::vector<Member*>& members() const { return members_; }
    /// Those who belong to it, or are in it.
    /// @{
    RoomAccounts& people() { return people_; }
    const RoomAccounts& people() const { return people_; }
    /// @}

    /// Acts under way that change who may do what. Until they are over nobody is judged by it.
    std::size_t changes_under_way = 0;

    /// Reactions under way: whose, and on which message. Until one is over its author is not heard
    /// again, since whether a reaction is there depends on it.
    std::vector<std::pair<std::string, Offset>> reactions_under_way{};

    /// Whether a reaction of that account is among these.
    bool has_reaction_under_way(std::string_view user) const;

private:
    /// However many records they are: the frames of ten thousand busy rooms must fit.
    static constexpr std::size_t recent_bytes_max = 256 * 1024;

    struct Recent {
        Bytes frame;        ///< Empty: ask the log.
        Offset edited = 0;  ///< The message that it edits.
    };

    std::string name_;
    std::string key_;
    std::string topic_;
    std::string creator_;
    std::string maker_;
    RoomAccess access_ = RoomAccess::everybody;
    Epoch epoch_;
    Offset head_;
    Offset recent_first_;
    std::size_t recent_max_;
    bool quiet_ = true;
    std::deque<Recent> recent_;
    std::size_t recent_bytes_ = 0;
    mutable UnreadCounter unread_;  ///< After a restart filled when needed.
    std::vector<Member*> members_;
    RoomAccounts people_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/room.ipp"
#endif
