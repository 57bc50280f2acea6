#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/log/concept.hpp"
#include "quicchat/sqlite/account_table.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/operation.hpp"

// The rows of rooms and records. All functions give the result code of SQLite.

namespace quicchat::sqlite::detail {

/// What a record counts against `Retention::bytes_max`: its texts, and about what the row and its
/// place in the index take.
inline std::int64_t size_of(const Record& record) {
    constexpr std::size_t row_bytes = 128;
    return static_cast<std::int64_t>(row_bytes + record.author.size() + record.text.size() +
                                     record.attributes.size());
}

/// A row that has the name of a record that is to be appended.
struct NamedRecord {
    Offset offset = 0;
    WallTime time{};
    bool same_body = false;
};

inline int load_rooms(Database& database, std::map<RoomKey, StoredRoom>& rooms) {
    Statement select{database, "SELECT id, name, epoch, first, head, bytes FROM room"};
    Rows rows = select.query();
    while (rows.next()) {
        rooms[RoomKey{rows.number(0)}] = {std::string{rows.text(1)},
                                          Epoch{static_cast<std::uint64_t>(rows.number(2))},
                                          static_cast<Offset>(rows.number(3)),
                                          static_cast<Offset>(rows.number(4)), rows.number(5)};
    }
    return rows.code();
}

/// Writes rooms and records. Belongs to the thread of its database.
class RecordTable {
public:
    explicit RecordTable(Database& database)
        : database_(&database),
          create_(database, "INSERT INTO room VALUES(?1, ?2, ?3, 1, 0, 0)"),
          update_(database, "UPDATE room SET first=?2, head=?3, bytes=?4 WHERE id=?1"),
          drop_room_(database, "DELETE FROM room WHERE id=?1"),
          drop_records_(database, "DELETE FROM record WHERE room=?1"),
          find_(database,
                "SELECT offset, time, text, attributes FROM record "
                "WHERE room=?1 AND author=?2 AND device=?3 AND id=?4 AND dropped=0"),
          free_name_(database, "UPDATE record SET dropped=1 WHERE room=?1 AND offset=?2"),
          insert_(database, "INSERT INTO record VALUES(?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)"),
          insert_new_(database,
                      "INSERT INTO record VALUES(?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9) "
                      "ON CONFLICT(room, author, device, id) WHERE dropped=0 DO NOTHING"),
          size_(database, "SELECT bytes FROM record WHERE room=?1 AND offset=?2"),
          trim_(database, "DELETE FROM record WHERE room=?1 AND offset<?2") {}

    int create(const CreateRoom& room) { return create_.run(room.room, room.name, room.epoch); }

    int update(RoomKey key, const StoredRoom& room) {
        return update_.run(key, room.first, room.head, room.bytes);
    }

    int drop(RoomKey room) {
        const int code = drop_records_.run(room);
        return code != SQLITE_OK ? code : drop_room_.run(room);
    }

    int trim(RoomKey room, Offset first) { return trim_.run(room, first); }

    int find(RoomKey room, const Record& record, std::optional<NamedRecord>& found) {
        Rows rows = find_.query(room, record.author, BytesView{record.device.bytes},
                                BytesView{record.id.bytes});
        if (rows.next()) {
            found = NamedRecord{static_cast<Offset>(rows.number(0)), to_time(rows.number(1)),
                                rows.text(2) == record.text && rows.text(3) == record.attributes};
        }
        return rows.code();
    }

    /// For a record whose name is free.
    int insert(RoomKey room, Offset offset, const Record& record) {
        return insert_by(insert_, room, offset, record);
    }

    /// The look-up and the insert in one. `inserted` is false if a row has the record's name.
    int insert_new(RoomKey room, Offset offset, const Record& record, bool& inserted) {
        const int code = insert_by(insert_new_, room, offset, record);
        inserted = code == SQLITE_OK && database_->changes() == 1;
        return code;
    }

    /// Lets the name of a dropped record be used again.
    int free_name(RoomKey room, Offset offset) { return free_name_.run(room, offset); }

    /// Moves `first` on until the room is within its retention. The rows stay until they are
    /// trimmed, and so does the newest record in any case: it was just acknowledged.
    int drop_oldest(RoomKey key, StoredRoom& room) {
        while (room.first < room.head &&
               (room.head - room.first + 1 > room.retention.records_max ||
                static_cast<std::uint64_t>(room.bytes) > room.retention.bytes_max)) {
            Rows rows = size_.query(key, room.first);
            if (rows.next()) room.bytes -= rows.number(0);
            if (rows.code() != SQLITE_OK) return rows.code();
            ++room.first;
        }
        return SQLITE_OK;
    }

private:
    static int insert_by(Statement& statement, RoomKey room, Offset offset, const Record& record) {
        return statement.run(room, offset, size_of(record), to_number(record.time),
                             BytesView{record.id.bytes}, BytesView{record.device.bytes},
                             record.author, record.text, record.attributes);
    }

    Database* database_;
    Statement create_;
    Statement update_;
    Statement drop_room_;
    Statement drop_records_;
    Statement find_;
    Statement free_name_;
    Statement insert_;
    Statement insert_new_;
    Statement size_;
    Statement trim_;
};

}  // namespace quicchat::sqlite::detail
