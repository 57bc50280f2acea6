#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/names.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/record_table.hpp"
#include "quicchat/sqlite/room_authors.hpp"

namespace quicchat::sqlite {

/// Writes rooms and their records in the transactions of its Writer, and knows the rooms as the
/// open transaction sees them. Belongs to the thread of its database. Functions that can fail give
/// the result code of SQLite.
class RoomWriter {
public:
    RoomWriter(Database& database, Durability durability);

    int load();

    const std::map<RoomKey, StoredRoom>& rooms() const { return rooms_; }

    int apply(const CreateRoom& o);
    int apply(const SetRetention& o);
    int apply(const DropRoom& o);
    int apply(const TrimRoom& o) { return table_.trim(o.room, o.first); }
    int apply(const StoreState& o);

    /// Looks for the record's name, and for what it is about, and stores it. `done` is its answer
    /// once the transaction is committed.
    int append(const AppendRecord& append, AppendDone& done);

    /// Looks for the record's name, also among those whose records are gone. Sees what the open
    /// transaction has inserted.
    int find_duplicate(const AppendRecord& append, std::optional<AppendDone>& known);

    AppendDone answer(const AppendRecord& append, Errc error) const;

    /// Before the transaction is committed.
    int finish();

    /// The transaction is on disk.
    void accept();

    void roll_back();

private:
    void forget_changes();

    void remember(RoomKey key);

    AppendDone recognise(const AppendRecord& append, Offset offset, WallTime time,
                         bool is_same) const;

    std::uint64_t name_of(const Record& record);

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

    /// Whether the record would push out what another wrote a short while ago, and may not.
    int look_for_haste(const AppendRecord& append, const StoredRoom& room,
                       const ChangedRecords& changed, bool& is_hasty);

    static RoomSize size_of(const StoredRoom& room);

    int change_record(RoomKey key, StoredRoom& room, Offset at, const ChangedRecord& changed);

    /// The record that will be dropped after `index` others. nullptr: not in a file of ours.
    int find_oldest(RoomKey key, const StoredRoom& room, std::size_t index,
                    const detail::OldRecord*& found);

    /// The record of the append is stored.
    int count_record(const AppendRecord& append, StoredRoom& room);

    /// Moves `first` on until the room is within its retention. The rows stay until they are
    /// trimmed.
    int drop_oldest(RoomKey key, StoredRoom& room);

    /// The record is gone, and its id may be kept.
    int drop(RoomKey key, const StoredRoom& room, const detail::OldRecord& record);

    /// Of the ids without records.
    int forget_surplus(RoomKey key, const StoredRoom& room, const std::string& author,
                       const DeviceId& device);

    std::uint64_t name_of(const Authors::Step& step, const OldId& old);

    Database* database_;
    Durability durability_;
    detail::RecordTable table_;
    detail::Names names_;
    detail::RoomAuthors authors_;
    /// The records that will be dropped next, read some at a time.
    std::map<RoomKey, std::deque<detail::OldRecord>> oldest_;
    std::map<RoomKey, StoredRoom> rooms_;                ///< As the open transaction sees them.
    std::map<RoomKey, std::optional<StoredRoom>> undo_;  ///< As they were before it.
    std::set<RoomKey> changed_;                          ///< Whose rows are to be written.
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/room_writer.ipp"
#endif
