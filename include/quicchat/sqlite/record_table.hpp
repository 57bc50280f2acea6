#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/log/authors.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/id_blocks.hpp"
#include "quicchat/sqlite/names.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/room_authors.hpp"

// The rows of rooms, records and what else is known of a room. All functions give the result code
// of SQLite.

namespace quicchat::sqlite::detail {

/// What a record counts against `Retention::bytes_max`: its texts, and about what the row and its
/// name in memory take.
QUICCHAT_DECL std::int64_t size_of(const Record& record);

/// A file that says more, or less than nothing, is damaged: sums of it could overflow.
inline constexpr std::int64_t record_bytes_max = std::int64_t{1} << 30;
inline constexpr std::int64_t room_bytes_max = std::int64_t{1} << 60;  ///< The same.
/// The same: with some to come, offsets must fit a varint (RFC 9000 §16).
inline constexpr std::int64_t head_max = std::int64_t{1} << 61;

inline constexpr const char* select_records =
    "SELECT offset, time, id, device, author, text, attributes, kind, target, subject, value, "
    "until, changed_by, sent FROM record "
    "WHERE room=?1 AND offset>=?2 AND offset<=?3 ORDER BY offset LIMIT ?4";

// By the index in words: without figures about the tables SQLite takes the primary key, and reads
// the whole room. It takes an index of some rows only if the query repeats which ones.
inline constexpr const char* select_files =
    "SELECT offset, time, id, device, author, text, attributes, kind, target, subject, value, "
    "until, changed_by, sent FROM record INDEXED BY record_acts "
    "WHERE room=?1 AND kind=10 AND kind <> 0 AND offset>=?2 AND offset<=?3 ORDER BY offset";

inline constexpr const char* count_reactions =
    "SELECT count(*), count(*) FILTER (WHERE author=?5) FROM record INDEXED BY record_acts "
    "WHERE room=?1 AND target=?2 AND kind IN (3, 4) AND kind <> 0 "
    "AND offset BETWEEN ?3 AND ?4";

inline constexpr const char* select_reaction =
    "SELECT kind FROM record INDEXED BY record_acts "
    "WHERE room=?1 AND target=?2 AND kind IN (3, 4) AND kind <> 0 "
    "AND offset BETWEEN ?3 AND ?4 AND author=?5 AND text=?6 ORDER BY offset DESC LIMIT 1";

QUICCHAT_DECL LoggedRecord read_record(const Rows& row);

QUICCHAT_DECL int load_rooms(Database& database, std::map<RoomKey, StoredRoom>& rooms);

/// The names and authors of all records within retention.
QUICCHAT_DECL int load_names(Database& database, const std::map<RoomKey, StoredRoom>& rooms,
                             Names& names, RoomAuthors& authors);

/// `RecordTable::find_oldest` gives so many, or all that there are.
inline constexpr std::size_t oldest_at_once = 64;

/// Writes rooms and records. Belongs to the thread of its database.
class RecordTable {
public:
    explicit RecordTable(Database& database);

    int create(const CreateRoom& room);

    int update(RoomKey key, const StoredRoom& room);

    int drop(RoomKey room);

    int trim(RoomKey room, Offset first);

    int find(RoomKey room, Offset offset, std::optional<Record>& found);

    /// Some of the records from `first` on.
    int find_oldest(RoomKey room, Offset first, std::deque<OldRecord>& found);

    /// The edits of the message at `target`, from `first` on.
    int find_edits(RoomKey room, Offset target, Offset first, std::vector<Offset>& found);

    /// The row may be written with those of other records, which costs less: `record` must stay
    /// where it is until `flush`. Whatever else reads or changes that row does so as well.
    int insert(RoomKey room, Offset offset, const Record& record);

    /// Writes what waits.
    int flush();

    /// The transaction is undone: nothing of it is written any more.
    void forget() { waiting_.clear(); }

    /// Writes what an edit or a deletion has made of a record.
    int change(RoomKey room, Offset offset, const Record& record);

    int set_state(RoomKey room, const std::string& key, const std::optional<std::string>& value);

private:
    struct Row {
        RoomKey room{};
        Offset offset = 0;
        const Record* record = nullptr;
    };

    /// So many plain records go into one statement.
    static constexpr std::size_t rows_at_once = 16;

    static int bind_plain(Statement& statement, int& place, const Row& row);

    int read_oldest(RoomKey room, Offset first, std::deque<OldRecord>& found);

    std::vector<Row> waiting_;
    Statement create_;
    Statement update_;
    Statement drop_room_;
    Statement drop_records_;
    Statement drop_state_;
    Statement select_;
    Statement select_oldest_;
    Statement select_edits_;
    Statement insert_;
    Statement insert_plain_;
    Statement insert_many_;
    Statement change_;
    Statement trim_;
    Statement set_state_;
    Statement remove_state_;
};

}  // namespace quicchat::sqlite::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/record_table.ipp"
#endif
