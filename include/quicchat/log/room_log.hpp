#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// The place of a log: which life of it, what it still holds, and where it ends.
struct LogHead {
    Epoch epoch{};
    Offset first = 1;  ///< The oldest record that is still there; `head + 1` if there is none.
    Offset head = 0;   ///< The newest record; 0 if there never was one.
};

/// How much a room's log keeps; older records are dropped.
struct Retention {
    std::size_t records_max = 0;
    std::size_t bytes_max = 0;
};

/// A record as it is put into a log. The log gives it its offset. Within a room (author, device,
/// id) names it: appending the same again is recognised (PROTOCOL.md §6.3).
struct Record {
    MessageId id;
    DeviceId device;
    std::string author;
    std::string text;
    std::string attributes;
    WallTime time;
    Act act{};
    /// The record that replaced this one's text and attributes, by an edit or a deletion; 0: none.
    /// Given by the log.
    Offset changed_by = 0;
    /// What was sent, by `mark_of`, if the server's program gave it other texts; 0: it did not.
    std::uint64_t sent = 0;
};

/// Something that is known of a room beside its records, such as who is a moderator: a key gets a
/// value, or none.
struct StateChange {
    std::string key;
    std::optional<std::string> value;
    friend bool operator==(const StateChange&, const StateChange&) = default;
};
using RoomState = std::map<std::string, std::string>;

struct LoggedRecord {
    Offset offset = 0;
    Record record;
};

/// What a log knows of the reactions on one message.
struct Reactions {
    std::size_t records = 0;  ///< Records of reactions and unreactions, by anybody.
    bool there = false;       ///< Somebody's last one of some text is a reaction.
    friend bool operator==(const Reactions&, const Reactions&) = default;
};

/// The caller's number for one append, returned with its completion.
using AppendToken = std::uint64_t;

/// An append is over. On success the record is committed at `durability`, either now or, if
/// `duplicate`, when the same device appended the same id first.
struct AppendCompletion {
    AppendToken token = 0;
    std::string room;
    /// `Errc{}`: success. `conflict`: the id was used with another body. `no_such_message`: there
    /// is nothing at the act's target that it could change. `storage_full`: nothing was stored, and
    /// reading goes on. Anything else: the log is of no more use.
    Errc error{};
    Epoch epoch{};
    Offset offset = 0;
    WallTime time{};  ///< Of the record in the log.
    bool duplicate = false;
    Durability durability = Durability::memory;
};

/// Keeps the records of all rooms. `MemoryLog` and `SqliteLog` model it.
///
/// Beyond the signatures a log promises that
///  - `open` begins a room's log or finds it, and is called before anything else about the room;
///  - `forget` deletes a room's log; if it is opened again, it has another epoch;
///  - offsets of a room begin at 1 and grow by 1 with each record, without a hole;
///  - completions come in the order of the appends, and only once a record is committed;
///  - looking for (author, device, id) and inserting are one step: an id is stored once, however
///    often it is appended, also while the first append is still under way. The same: text and
///    attributes as they were sent (`Record::sent`), and act; of a record that was changed, the
///    name alone;
///  - an edit and its effect are one step: `read` gives the message at its target with the text and
///    attributes of the edit from then on, and `changed_by`: it may do so as soon as the edit is
///    committed, before its completion is polled. A deletion leaves a tombstone there without text
///    and with the attributes `{}`, and does the same to the text of its edits. Without a message
///    at the target that is within retention they are `no_such_message`;
///  - the changes of the room's state that come with a record are stored together with it or, if it
///    is a duplicate or refused, not at all. `store` needs no record, and is safe at the latest
///    when an append that followed it is;
///  - `head` and `read` know a record from the moment on when its completion was polled;
///  - what they know is there until retention drops it from the old end, and after a restart.
template <class L>
concept RoomLog = std::movable<L> &&
    requires(L log, const L& view, std::string room, Record record, AppendToken token, Offset after,
             std::size_t count_max, Retention retention, std::vector<StateChange> changes,
             Offset target, std::string author, std::string text) {
    { log.open(room, retention) } -> std::same_as<Result<LogHead>>;
    { log.forget(room) } -> std::same_as<void>;
    /// The rooms whose logs exist, in order: after a restart, those from before.
    { view.rooms() } -> std::same_as<Result<std::vector<std::string>>>;
    { view.head(room) } -> std::same_as<LogHead>;
    { log.append(token, room, record, changes) } -> std::same_as<void>;
    /// Completes as `append` would if the record is there already (or in the queue), or in conflict
    /// with one; otherwise stores nothing and is `no_such_message`.
    { log.look_up(token, room, record) } -> std::same_as<void>;
    { log.store(room, changes) } -> std::same_as<void>;
    /// What is stored of the room, for the start: at least what was asked before an append that was
    /// polled, or before the log was begun.
    { view.state(room) } -> std::same_as<Result<RoomState>>;
    { log.poll_completion() } -> std::same_as<std::optional<AppendCompletion>>;
    /// At most `count_max` records with offsets above `after`, in order.
    { view.read(room, after, count_max) } -> std::same_as<Result<std::vector<LoggedRecord>>>;
    /// The records of kind `file` that are within retention, in order: for the start.
    { view.files(room) } -> std::same_as<Result<std::vector<LoggedRecord>>>;
    /// The reactions on the message at `target` that are there, as `read` knows them; `there` is
    /// about those of one author and text.
    { view.reactions(room, target, author, text) } -> std::same_as<Result<Reactions>>;
    { view.durability() } -> std::same_as<Durability>;
};

}  // namespace quicchat
