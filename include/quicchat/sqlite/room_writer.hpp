#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/id_blocks.hpp"
#include "quicchat/sqlite/names.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/record_table.hpp"
#include "quicchat/sqlite/room_authors.hpp"
#include "quicchat/sqlite/start_file.hpp"

namespace quicchat::sqlite {

/// Writes rooms and their records in the transactions of its Writer, and knows the rooms as the
/// open transaction sees them. Belongs to the thread of its database. Functions that can fail give
/// the result code of SQLite.
class RoomWriter {
public:
    /// The database outlives it. `durability` is what the answers say.
    RoomWriter(Database& database, Durability durability);

    /// Reads what is stored; before anything else, and once. With what is known of the rooms in the
    /// file, the records need not be read.
    int load(std::optional<KnownRooms> known = std::nullopt);

    /// What is known of them at the end, when nothing is written any more.
    KnownRooms leave();

    /// As the open transaction sees them.
    const std::map<RoomKey, StoredRoom>& rooms() const { return rooms_; }

    /// Does that in the open transaction.
    /// @{
    int apply(const CreateRoom& o);
    int apply(const SetRetention& o);
    int apply(const DropRoom& o);
    /// Once enough records wait to be deleted; their ids that may still be needed are kept.
    int apply(const TrimRoom& o);
    int apply(const StoreState& o);
    /// @}

    /// Looks for the record's name, and for what it is about, and stores it. `done`, which is new,
    /// becomes its answer once the transaction is committed.
    int append(const AppendRecord& append, WriteDone& done);

    /// Looks for the record's name, also among those whose records are gone. Sees what the open
    /// transaction has inserted.
    int find_duplicate(const AppendRecord& append, std::optional<WriteDone>& known) {
        return find_duplicate(append, name_of(append.record), known);
    }

    /// `done`, which is new, says where the room begins once the transaction is committed.
    int drop_old(const DropOld& o, WriteDone& done);

    /// The answer to an append that is not stored, for that reason.
    WriteDone answer(const AppendRecord& append, Errc error) const;

    /// Before the operations that were applied end: the records of appends may go then.
    int flush() { return table_.flush(); }

    /// Before the transaction is committed.
    int finish();

    /// The transaction is on disk.
    void accept();

    /// The transaction was undone: everything is as it was before.
    void roll_back();

private:
    /// The answer, into a `done` that is new; `first` is the room's.
    void answer(const AppendRecord& append, Errc error, Offset first, WriteDone& done) const;

    void forget_changes();

    /// A room that the open transaction has touched.
    struct Touched {
        std::optional<StoredRoom> before{};  ///< Nothing: it was not there.
        bool is_changed = false;             ///< Its row is to be written.
    };

    /// Call before the room is changed.
    Touched& remember(RoomKey key);

    WriteDone recognise(const AppendRecord& append, Offset offset, WallTime time,
                        bool is_same) const;

    std::uint64_t name_of(const Record& record) const;

    int find_duplicate(const AppendRecord& append, std::uint64_t name,
                       std::optional<WriteDone>& known);

    /// A record as it will be, and how many bytes more it will have.
    struct ChangedRecord {
        Record record;
        std::int64_t bytes = 0;
    };
    using ChangedRecords = std::map<Offset, ChangedRecord>;

    /// What the record at `offset` will change. `changed` stays empty if there is no message at its
    /// target.
    int find_changed(const AppendRecord& append, const StoredRoom& room, Offset offset,
                     std::optional<ChangedRecords>& changed);

    static void add_changed(ChangedRecords& changed, Offset at, Record record, const Record& by,
                            Offset offset);

    // How many records go with one append and with one transaction, since others wait for it. If an
    // append needs more to leave the room no larger than it was, it has them.
    static constexpr std::size_t dropped_per_append_max = 256;
    static constexpr std::size_t dropped_per_commit_max = 4096;

    /// How far the oldest records of a room are dropped.
    struct DropGoal {
        std::size_t most = 0;  ///< So many go if the room is still too large.
        RoomSize before{};     ///< More go until it is no larger than this.

        bool is_reached(const RoomSize& size, const Retention& retention,
                        std::size_t dropped) const;
    };

    /// That of the next append to a room of that size. Two go in any case, so that a room of too
    /// many records has fewer after each.
    DropGoal append_goal(const RoomSize& before) const {
        return {std::min(dropped_per_append_max, share_ + 2), before};
    }

    /// Whether the record would push out what another wrote a short while ago, and may not. What
    /// goes with later ones is not its concern.
    int look_for_haste(const AppendRecord& append, const StoredRoom& room,
                       const ChangedRecords& changed, const DropGoal& goal, bool& is_hasty);

    static RoomSize size_of(const StoredRoom& room);

    int change_record(RoomKey key, StoredRoom& room, Offset at, const ChangedRecord& changed);

    /// The oldest records of a room that are still rows.
    struct Oldest {
        std::deque<detail::OldRecord> records{};
        std::size_t dropped = 0;  ///< So many of them are before the room's `first`.
        bool is_whole = false;    ///< No row is older than these.
    };

    /// False: they are about other rooms than those that have records, or of more records.
    bool restore(KnownRooms&& known);

    /// Gives the authors of the ids whose records were dropped, and the names if they are not
    /// known.
    int load_old_ids(bool has_names);

    void add_old_id(RoomKey key, const detail::OldRecord& old, bool has_names);

    /// Whether so much of the room waits to be deleted before `first` that it is worth it.
    static bool is_due(const Oldest& oldest, const Retention& retention, Offset first);

    /// Reads more rows, and which of them were dropped.
    int read_oldest(RoomKey key, const StoredRoom& room, Offset from, Oldest& oldest);

    /// Puts the ids of the records before `first` into blocks.
    int keep_ids(RoomKey key, const StoredRoom& room, Oldest& oldest, Offset first);

    /// The record that will be dropped after `index` others. nullptr: not in a file of ours.
    int find_oldest(RoomKey key, const StoredRoom& room, Oldest& oldest, std::size_t index,
                    detail::OldRecord*& found);

    /// The record of the append is stored.
    void count_record(const AppendRecord& append, StoredRoom& room);

    /// Moves `first` on. The rows stay until they are trimmed.
    int drop_oldest(RoomKey key, StoredRoom& room, const DropGoal& goal);

    /// Moves `first` on behind the oldest one, which takes one of the share.
    void drop_one(RoomKey key, StoredRoom& room, Oldest& oldest, detail::OldRecord& record);

    /// The oldest one was dropped.
    static void pass_oldest(Oldest& oldest);

    /// The record is gone, and its id may be kept.
    void drop(RoomKey key, const StoredRoom& room, detail::OldRecord& record);

    /// Takes a step, and forgets what it forgets.
    void take(RoomKey key, Authors::Step&& step);

    /// It stands in a block, or in a row that waits for being deleted.
    void forget_id(RoomKey key, Offset offset);

    void forget_surplus(RoomKey key, const StoredRoom& room, const std::string& author,
                        const DeviceId& device);

    std::uint64_t name_of(const Authors::Step& step, const OldId& old);

    Database* database_;
    Durability durability_;
    detail::RecordTable table_;
    detail::Names names_;
    detail::RoomAuthors authors_;
    detail::IdBlocks blocks_;
    /// Those that were dropped and wait for being deleted, and those that will be dropped next,
    /// read some at a time.
    std::map<RoomKey, Oldest> oldest_;
    std::map<RoomKey, StoredRoom> rooms_;  ///< As the open transaction sees them.
    std::map<RoomKey, Touched> touched_;
    /// So many records the open transaction may still drop.
    std::size_t share_ = dropped_per_commit_max;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/room_writer.ipp"
#endif
