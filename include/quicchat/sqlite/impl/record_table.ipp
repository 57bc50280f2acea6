#pragma once

#include "quicchat/sqlite/record_table.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/sqlite/account_table.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL std::int64_t size_of(const Record& record) {
    constexpr std::size_t row_bytes = 128;
    return static_cast<std::int64_t>(row_bytes + record.author.size() + record.text.size() +
                                     record.attributes.size() + record.act.subject.size());
}

QUICCHAT_DECL LoggedRecord read_record(const Rows& row) {
    LoggedRecord read;
    read.offset = static_cast<Offset>(row.number(0));
    Record& record = read.record;
    record.time = to_time(row.number(1));
    row.copy_to(2, record.id.bytes);
    row.copy_to(3, record.device.bytes);
    record.author = row.text(4);
    record.text = row.text(5);
    record.attributes = row.text(6);
    record.act.kind = static_cast<Act::Kind>(row.number(7));
    record.act.target = static_cast<Offset>(row.number(8));
    record.act.subject = row.text(9);
    record.act.value = static_cast<std::uint64_t>(row.number(10));
    record.act.until = to_time(row.number(11));
    record.changed_by = static_cast<Offset>(row.number(12));
    record.sent = static_cast<std::uint64_t>(row.number(13));
    return read;
}

QUICCHAT_DECL int load_rooms(Database& database, std::map<RoomKey, StoredRoom>& rooms) {
    Statement select{database, "SELECT id, name, epoch, first, head, bytes FROM room"};
    Rows rows = select.query();
    while (rows.next()) {
        const std::int64_t first = rows.number(3);
        const std::int64_t head = rows.number(4);
        const std::int64_t bytes = rows.number(5);
        if (first < 1 || first - 1 > head || head > head_max) return SQLITE_CORRUPT;
        if (bytes < 0 || bytes > room_bytes_max) return SQLITE_CORRUPT;
        rooms[RoomKey{rows.number(0)}] = {
            std::string{rows.text(1)}, Epoch{static_cast<std::uint64_t>(rows.number(2))},
            static_cast<Offset>(first), static_cast<Offset>(head), bytes};
    }
    return rows.code();
}

QUICCHAT_DECL int load_names(Database& database, const std::map<RoomKey, StoredRoom>& rooms,
                             Names& names, RoomAuthors& authors) {
    Statement select{database,
                     "SELECT offset, author, device, id, bytes, time FROM record "
                     "WHERE room=?1 AND offset>=?2"};
    Authors::Step step;
    step.records = 1;
    for (const auto& [key, room] : rooms) {
        Rows rows = select.query(key, room.first);
        while (rows.next()) {
            const auto offset = static_cast<Offset>(rows.number(0));
            const std::string_view author = rows.text(1);
            const BytesView device = rows.bytes(2);
            names.load(key, names.hash(author, device, rows.bytes(3)), offset);
            if (step.author != author) step.author = author;
            step.device = {};
            std::copy_n(device.begin(), std::min(device.size(), step.device.bytes.size()),
                        step.device.bytes.begin());
            step.bytes = rows.number(4);
            if (step.bytes < 0 || step.bytes > record_bytes_max) return SQLITE_CORRUPT;
            step.written = to_time(rows.number(5));
            authors.load(key, step);
        }
        if (rows.code() != SQLITE_OK) return rows.code();
    }
    names.accept();
    authors.accept();
    return SQLITE_OK;
}

/// For so many plain records, of which each has nine values. A failure ends the transaction in any
/// case: if SQLite could take back a statement alone, it would write a journal of it.
inline std::string insert_plain(std::size_t rows) {
    std::string sql = "INSERT OR ROLLBACK INTO record VALUES";
    for (std::size_t row = 0; row < rows; ++row) {
        sql += row == 0 ? "(" : ", (";
        for (std::size_t i = 1; i <= 9; ++i) sql += "?" + std::to_string(9 * row + i) + ", ";
        sql += "0, 0, '', 0, 0, 0, 0)";
    }
    return sql;
}

QUICCHAT_DECL RecordTable::RecordTable(Database& database)
    : create_(database, "INSERT INTO room VALUES(?1, ?2, ?3, 1, 0, 0)"),
      update_(database, "UPDATE room SET first=?2, head=?3, bytes=?4 WHERE id=?1"),
      drop_room_(database, "DELETE FROM room WHERE id=?1"),
      drop_records_(database, "DELETE FROM record WHERE room=?1"),
      drop_state_(database, "DELETE FROM room_state WHERE room=?1"),
      select_(database, select_records),
      select_oldest_(database,
                     "SELECT offset, time, id, device, author, bytes, text, attributes, "
                     "kind | target | value | until | changed_by | sent | (subject <> '') "
                     "FROM record "
                     "WHERE room=?1 AND offset>=?2 ORDER BY offset LIMIT 64"),
      select_edits_(database,
                    "SELECT offset FROM record INDEXED BY record_acts "
                    "WHERE room=?1 AND kind=1 AND kind <> 0 AND target=?2 "
                    "AND offset>=?3"),
      insert_(database,
              "INSERT INTO record "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, ?15)"),
      insert_plain_(database, insert_plain(1).c_str()),
      insert_many_(database, insert_plain(rows_at_once).c_str()),
      change_(database,
              "UPDATE record SET bytes=?3, text=?4, attributes=?5, kind=?6, changed_by=?7, "
              "subject=?8, value=?9, until=?10 WHERE room=?1 AND offset=?2"),
      trim_(database, "DELETE FROM record WHERE room=?1 AND offset<?2"),
      set_state_(database, "INSERT OR REPLACE INTO room_state VALUES(?1, ?2, ?3)"),
      remove_state_(database, "DELETE FROM room_state WHERE room=?1 AND key=?2") {}

QUICCHAT_DECL int RecordTable::create(const CreateRoom& room) {
    return create_.run(room.room, room.name, room.epoch);
}

QUICCHAT_DECL int RecordTable::update(RoomKey key, const StoredRoom& room) {
    return update_.run(key, room.first, room.head, room.bytes);
}

QUICCHAT_DECL int RecordTable::drop(RoomKey room) {
    int code = flush();
    if (code == SQLITE_OK) code = drop_records_.run(room);
    if (code == SQLITE_OK) code = drop_state_.run(room);
    return code == SQLITE_OK ? drop_room_.run(room) : code;
}

QUICCHAT_DECL int RecordTable::trim(RoomKey room, Offset first) {
    const int code = flush();
    return code == SQLITE_OK ? trim_.run(room, first) : code;
}

QUICCHAT_DECL int RecordTable::find(RoomKey room, Offset offset, std::optional<Record>& found) {
    const auto is_it = [&](const Row& row) { return row.room == room && row.offset == offset; };
    if (std::ranges::any_of(waiting_, is_it)) {
        if (const int code = flush()) return code;
    }
    Rows rows = select_.query(room, offset, offset, 1);
    if (rows.next()) found = read_record(rows).record;
    return rows.code();
}

QUICCHAT_DECL int RecordTable::find_oldest(RoomKey room, Offset first,
                                           std::deque<OldRecord>& found) {
    const std::size_t before = found.size();
    if (const int code = read_oldest(room, first, found)) return code;
    // Those that wait are newer than all in the table.
    if (waiting_.empty() || found.size() - before >= oldest_at_once) return SQLITE_OK;
    if (const int code = flush()) return code;
    return read_oldest(room, found.size() == before ? first : found.back().id.offset + 1, found);
}

QUICCHAT_DECL int RecordTable::read_oldest(RoomKey room, Offset first,
                                           std::deque<OldRecord>& found) {
    Rows rows = select_oldest_.query(room, first);
    for (Offset next = first; rows.next();) {
        const auto offset = static_cast<Offset>(rows.number(0));
        if (offset < next) return SQLITE_CORRUPT;
        next = offset + 1;
        OldRecord& old = found.emplace_back();
        old.id.offset = offset;
        old.id.time = to_time(rows.number(1));
        rows.copy_to(2, old.id.id.bytes);
        rows.copy_to(3, old.device.bytes);
        old.author = rows.text(4);
        old.bytes = rows.number(5);
        if (rows.number(8) == 0) {  // as of nearly all
            const Act plain;
            old.id.mark = mark_of(plain.kind, plain.target, plain.subject, plain.value, plain.until,
                                  mark_of(rows.text(6), rows.text(7)));
            continue;
        }
        std::optional<Record> record;
        if (const int code = find(room, offset, record)) return code;
        if (!record || record->changed_by != 0) continue;
        old.id.mark = mark_of(*record);
    }
    return rows.code();
}

QUICCHAT_DECL int RecordTable::find_edits(RoomKey room, Offset target, Offset first,
                                          std::vector<Offset>& found) {
    Rows rows = select_edits_.query(room, target, first);
    while (rows.next()) found.push_back(static_cast<Offset>(rows.number(0)));
    return rows.code();
}

QUICCHAT_DECL int RecordTable::insert(RoomKey room, Offset offset, const Record& record) {
    const Act& act = record.act;
    if (record.sent == 0 && act == Act{}) {  // as nearly all are
        waiting_.push_back({room, offset, &record});
        return waiting_.size() < rows_at_once ? SQLITE_OK : flush();
    }
    if (const int code = flush()) return code;  // or this one would be before those that wait
    return insert_.run(room, offset, size_of(record), to_number(record.time),
                       BytesView{record.id.bytes}, BytesView{record.device.bytes}, record.author,
                       record.text, record.attributes, act.kind, act.target, act.subject, act.value,
                       to_number(act.until), record.sent);
}

QUICCHAT_DECL int RecordTable::flush() {
    int code = SQLITE_OK;
    const bool is_many = waiting_.size() == rows_at_once;
    int place = 1;
    for (const Row& row : waiting_) {
        if (code != SQLITE_OK) break;
        if (is_many) {
            code = bind_plain(insert_many_, place, row);
            continue;
        }
        place = 1;
        code = bind_plain(insert_plain_, place, row);
        if (code == SQLITE_OK) code = insert_plain_.run_bound();
    }
    if (code == SQLITE_OK && is_many) code = insert_many_.run_bound();
    waiting_.clear();
    return code;
}

QUICCHAT_DECL int RecordTable::bind_plain(Statement& statement, int& place, const Row& row) {
    const Record& record = *row.record;
    return statement.bind_next(place, row.room, row.offset, size_of(record), to_number(record.time),
                               BytesView{record.id.bytes}, BytesView{record.device.bytes},
                               record.author, record.text, record.attributes);
}

QUICCHAT_DECL int RecordTable::change(RoomKey room, Offset offset, const Record& record) {
    if (const int code = flush()) return code;
    return change_.run(room, offset, size_of(record), record.text, record.attributes,
                       record.act.kind, record.changed_by, record.act.subject, record.act.value,
                       to_number(record.act.until));
}

QUICCHAT_DECL int RecordTable::set_state(RoomKey room, const std::string& key,
                                         const std::optional<std::string>& value) {
    return value ? set_state_.run(room, key, *value) : remove_state_.run(room, key);
}

}  // namespace quicchat::sqlite::detail
