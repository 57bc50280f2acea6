#pragma once

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
    Epoch epoch{};     ///< Another one: the log was lost, and begun anew.
    Offset first = 1;  ///< The oldest record that is still there; `head + 1` if there is none.
    Offset head = 0;   ///< The newest record; 0 if there never was one.
};

/// How much a room's log keeps; older records are dropped.
struct Retention {
    std::size_t records_max = 0;  ///< So many at most.
    /// Of texts, names and attributes, and of what a record takes beside them: some 100 to 300
    /// each.
    std::size_t bytes_max = 0;
    /// So many of the newest ids of each device are recognised, also when their records are gone.
    std::size_t ids_max = 0;
    /// Who writes in haste pushes out no record of another that is younger than that.
    Duration age_min{};
};

/// A record as it is put into a log. The log gives it its offset. Within a room (author, device,
/// id) names it: appending the same again is recognised (PROTOCOL.md §6.3).
struct Record {
    MessageId id;            ///< By which its author knows it.
    DeviceId device;         ///< From which it came.
    std::string author;      ///< Who wrote it.
    std::string text;        ///< What it says.
    std::string attributes;  ///< JSON object.
    WallTime time;           ///< When it was stored.
    Act act{};               ///< What it does.
    /// The record that replaced this one's text and attributes, by an edit or a deletion; 0: none.
    /// Given by the log.
    Offset changed_by = 0;
    /// What was sent, by `mark_of`, if the server's program gave it other texts; 0: it did not.
    std::uint64_t sent = 0;
};

/// Something that is known of a room beside its records, such as who is a moderator: a key gets a
/// value, or none.
struct StateChange {
    std::string key;                   ///< What it is about.
    std::optional<std::string> value;  ///< Nothing: it has none any more.
    /// The same change.
    friend bool operator==(const StateChange&, const StateChange&) = default;
};
/// All that is known of a room beside its records: values by their keys.
using RoomState = std::map<std::string, std::string>;

/// A record with its place.
struct LoggedRecord {
    Offset offset = 0;  ///< Its place.
    Record record;      ///< What is there.
};

/// What a log knows of the reactions on one message.
struct Reactions {
    std::size_t records = 0;    ///< Records of reactions and unreactions, by anybody.
    std::size_t by_author = 0;  ///< Those of them that are one account's.
    bool there = false;         ///< Its last one of some text is a reaction.
    /// The same figures.
    friend bool operator==(const Reactions&, const Reactions&) = default;
};

/// The caller's number for one append, returned with its news.
using AppendToken = std::uint64_t;

/// What a log has to tell: a record was committed, an append of one's own has ended without, or the
/// old end has gone by `RoomLog::trim`.
struct LogNews {
    /// Of one's own append. Nothing: the record was put there by another who shares the log, or
    /// there is none, and the room's log begins later than before.
    std::optional<AppendToken> token{};
    std::string room{};  ///< Whose log it is.
    /// `Errc{}`: success. `conflict`: the id was used with another body. `no_such_message`: there
    /// is nothing at the act's target that it could change. `storage_full`: nothing was stored, and
    /// reading goes on. `rate_limited`: it would push out what another wrote a short while ago, and
    /// nothing was stored. Anything else: the log is of no more use.
    Errc error{};
    Epoch epoch{};           ///< Which life of it.
    Offset offset = 0;       ///< Of the record in the log, whether it is new or not.
    WallTime time{};         ///< The same.
    bool duplicate = false;  ///< The same device appended the same id first.
    Durability durability = Durability::memory;  ///< What the record outlives from now on.
    /// What was committed, as it was put in; nothing unless it is new.
    std::optional<Record> record{};

    /// Something new was stored.
    bool is_commit() const { return record.has_value() && error == Errc{}; }
    /// Records were dropped by `trim`: `RoomLog::head` says which are still there.
    bool is_trim() const { return !token && !record && error == Errc{}; }
};

/// Keeps the records of all rooms: `MemoryLog`, `SqliteLog`, or one of your own. A call for each
/// append and each read, none for each delivery.
///
/// Beyond the signatures a log promises that
///  - `open` begins a room's log or finds it, and is called before anything else about the room;
///  - `forget` deletes a room's log; if it is opened again, it has another epoch;
///  - offsets of a room begin at 1 and grow by 1 with each record, without a hole;
///  - each append has news, in the order of the appends, and only once its record is committed;
///  - what others put into a log that is shared comes as news too, without a token, in the same
///    order of offsets;
///  - looking for (author, device, id) and inserting are one step: an id is stored once, however
///    often it is appended, also while the first append is still under way. The same: text and
///    attributes as they were sent (`Record::sent`), and act; of a record that was changed, the
///    name alone;
///  - of each device it recognises at least the newest `Retention::ids_max` ids, whether their
///    records are there or were dropped. Of an author so many devices are remembered that have lost
///    records, `devices_per_account_max`: then the one that is quiet for longest is forgotten;
///  - an edit and its effect are one step: `read` gives the message at its target with the text and
///    attributes of the edit from then on, and `changed_by`: it may do so as soon as the edit is
///    committed, before its news are polled. A deletion leaves a tombstone there without text
///    and with the attributes `{}`, and does the same to the text of its edits. Without a message
///    at the target that is within retention they are `no_such_message`;
///  - only its old end goes. A record that would push out one of another author that is younger
///    than `Retention::age_min`, by the times of both, is `rate_limited` while its author writes in
///    haste: has more than a quarter of `records_max` or of `bytes_max` in the log, and wrote as
///    much in this hour and the one before. So who fills a room in days may go on;
///  - `trim` drops from the old end whatever does not fit `Retention` any more, and whatever was
///    stored before a time, up to the first record that was not; nothing is protected from it. By
///    its time the newest record goes as well, and the log is empty with `first` behind `head`. If
///    something went, news say so that are `LogNews::is_trim`, in the order of the appends;
///  - the changes of the room's state that come with a record are stored together with it or, if it
///    is a duplicate or refused, not at all. `store` needs no record, and is safe at the latest
///    when an append that followed it is;
///  - `head` and `read` know a record from the moment on when its news were polled;
///  - what they know is there until retention drops it from the old end, and after a restart.
///
/// `tests/conformance/log_conformance.hpp` has a test for each of these, for your log as well.
class RoomLog {
public:
    virtual ~RoomLog() = default;

    /// The log of a room, made if it is not there. How much it keeps holds from now on.
    virtual Result<LogHead> open(const std::string& room, Retention retention) = 0;
    /// Deletes the log of a room.
    virtual void forget(const std::string& room) = 0;
    /// The rooms whose logs exist, in order: after a restart, those from before.
    virtual Result<std::vector<std::string>> rooms() const = 0;
    /// Where the log of a room begins and ends, as polled news say.
    virtual LogHead head(const std::string& room) const = 0;
    /// Puts a record behind all others. News with the token follow.
    virtual void append(AppendToken token, const std::string& room, Record record,
                        std::vector<StateChange> changes) = 0;
    /// Ends as `append` would if the record is there already (or in the queue), or in conflict
    /// with one; otherwise stores nothing and is `no_such_message`.
    virtual void look_up(AppendToken token, const std::string& room, Record record) = 0;
    /// Drops what does not fit, and what was stored before that time. News follow if that is
    /// anything.
    virtual void trim(const std::string& room, WallTime before) = 0;
    /// Changes what is known of a room, beside records.
    virtual void store(const std::string& room, std::vector<StateChange> changes) = 0;
    /// What is stored of the room, for the start: at least what was asked before an append that was
    /// polled, or before the log was begun.
    virtual Result<RoomState> state(const std::string& room) const = 0;
    /// What has happened since, one by one.
    virtual std::optional<LogNews> poll_news() = 0;
    /// At most `count_max` records with offsets above `after`, in order.
    virtual Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                                   std::size_t count_max) const = 0;
    /// The records of kind `file` that are within retention, in order: for the start.
    virtual Result<std::vector<LoggedRecord>> files(const std::string& room) const = 0;
    /// The reactions on the message at `target` that are there, as `read` knows them; `by_author`
    /// and `there` are about one author, `there` about one text.
    virtual Result<Reactions> reactions(const std::string& room, Offset target,
                                        const std::string& author,
                                        const std::string& text) const = 0;
    /// What its records outlive.
    virtual Durability durability() const = 0;
    /// A descriptor that is readable while `poll_news` has something; nothing if that is so
    /// only after one's own calls.
    virtual std::optional<int> wake_fd() const;

protected:
    RoomLog() = default;  // a model decides itself whether it can be copied or moved
    /// Of a model.
    RoomLog(const RoomLog&) = default;
    /// Of a model.
    RoomLog(RoomLog&&) = default;
    /// Of a model.
    RoomLog& operator=(const RoomLog&) = default;
    /// Of a model.
    RoomLog& operator=(RoomLog&&) = default;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/log/impl/room_log.ipp"
#endif
