#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/log/repeat.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/names.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/record_table.hpp"

namespace quicchat::sqlite {

/// Writes rooms and their records in the transactions of its Writer, and knows the rooms as the
/// open transaction sees them. Belongs to the thread of its database. Functions that can fail give
/// the result code of SQLite.
class RoomWriter {
public:
    RoomWriter(Database& database, Durability durability)
        : database_(&database), durability_(durability), table_(database) {}

    int load() {
        detail::HashKey key{};
        Statement select{*database_, "SELECT value FROM meta WHERE key='secret'"};
        Rows rows = select.query();
        if (rows.next() && rows.bytes(0).size() >= 16) {
            for (std::size_t i = 0; i < 2; ++i) {
                key[i] = detail::load_word(rows.bytes(0).subspan(8 * i, 8));
            }
        }
        if (rows.code() != SQLITE_OK) return rows.code();
        names_ = detail::Names{key};
        const int code = detail::load_rooms(*database_, rooms_);
        return code == SQLITE_OK ? detail::load_names(*database_, rooms_, names_) : code;
    }

    const std::map<RoomKey, StoredRoom>& rooms() const { return rooms_; }

    int apply(const CreateRoom& o) {
        remember(o.room);
        rooms_[o.room] = {.name = o.name, .epoch = o.epoch};
        return table_.create(o);
    }
    int apply(const SetRetention& o) {
        remember(o.room);
        rooms_.at(o.room).retention = o.retention;
        return SQLITE_OK;
    }
    int apply(const DropRoom& o) {
        remember(o.room);
        rooms_.erase(o.room);
        names_.erase(o.room);
        oldest_.erase(o.room);
        return table_.drop(o.room);
    }
    int apply(const TrimRoom& o) { return table_.trim(o.room, o.first); }
    int apply(const StoreState& o) {
        for (const auto& [key, value] : o.changes) {
            if (const int code = table_.set_state(o.room, key, value)) return code;
        }
        return SQLITE_OK;
    }

    /// Looks for the record's name, and for what it is about, and stores it. `done` is its answer
    /// once the transaction is committed.
    int append(const AppendRecord& append, AppendDone& done) {
        std::optional<AppendDone> known;
        if (const int code = find_duplicate(append, known)) return code;
        if (known) return done = *std::move(known), SQLITE_OK;

        if (append.only_look_up) {
            return done = answer(append, Errc::no_such_message), SQLITE_OK;
        }
        remember(append.room);
        StoredRoom& room = rooms_.at(append.room);
        const Offset offset = room.head + 1;
        if (is_change(append.record.act)) {
            bool changed = false;
            if (const int code = change_target(append, room, offset, changed)) return code;
            if (!changed) return done = answer(append, Errc::no_such_message), SQLITE_OK;
        }
        changed_.insert(append.room);
        if (const int code = table_.insert(append.room, offset, append.record)) return code;
        names_.insert(append.room, name_of(append.record), offset);
        for (const auto& [key, value] : append.changes) {
            if (const int code = table_.set_state(append.room, key, value)) return code;
        }
        room.head = offset;
        room.bytes += detail::size_of(append.record);
        if (const int code = drop_oldest(append.room, room)) return code;
        done = answer(append, Errc{});
        done.completion.offset = offset;
        done.completion.time = append.record.time;
        return SQLITE_OK;
    }

    /// Looks for the record's name among those within retention. Sees what the open transaction
    /// has inserted.
    int find_duplicate(const AppendRecord& append, std::optional<AppendDone>& known) {
        const StoredRoom& room = rooms_.at(append.room);
        for (const Offset offset : names_.find(append.room, name_of(append.record), room.head)) {
            if (offset < room.first) continue;
            std::optional<Record> found;
            if (const int code = table_.find(append.room, offset, found)) return code;
            if (!found || !has_same_name(*found, append.record)) continue;
            const bool same = is_repeat(*found, append.record);
            known = answer(append, same ? Errc{} : Errc::conflict);
            known->completion.offset = offset;
            known->completion.time = found->time;
            known->completion.duplicate = same;
            return SQLITE_OK;
        }
        return SQLITE_OK;
    }

    AppendDone answer(const AppendRecord& append, Errc error) const {
        AppendDone done{.room = append.room,
                        .completion = {.token = append.token,
                                       .room = append.name,
                                       .error = error,
                                       .epoch = append.epoch,
                                       .durability = durability_}};
        if (const auto room = rooms_.find(append.room); room != rooms_.end()) {
            done.first = room->second.first;
        }
        return done;
    }

    /// Before the transaction is committed.
    int finish() {
        for (const RoomKey key : changed_) {
            const auto room = rooms_.find(key);
            if (room == rooms_.end()) continue;
            if (const int code = table_.update(key, room->second)) return code;
        }
        return SQLITE_OK;
    }

    /// The transaction is on disk.
    void accept() {
        names_.accept();
        forget_changes();
    }

    void roll_back() {
        for (auto& [key, before] : undo_) {
            if (before) {
                rooms_[key] = std::move(*before);
            } else {
                rooms_.erase(key);
            }
        }
        names_.roll_back();
        oldest_.clear();
        forget_changes();
    }

private:
    void forget_changes() {
        undo_.clear();
        changed_.clear();
    }

    void remember(RoomKey key) {
        const auto room = rooms_.find(key);
        undo_.try_emplace(key, room == rooms_.end() ? std::nullopt : std::optional{room->second});
    }

    std::uint64_t name_of(const Record& record) {
        return names_.hash(record.author, record.device.bytes, record.id.bytes);
    }

    /// Does to the message at the target what the record at `offset` says. `changed` stays false if
    /// there is none.
    int change_target(const AppendRecord& append, StoredRoom& room, Offset offset, bool& changed) {
        const Act& act = append.record.act;
        if (act.target < room.first || act.target > room.head) return SQLITE_OK;
        std::optional<Record> found;
        if (const int code = table_.find(append.room, act.target, found)) return code;
        if (!found || !is_changeable(found->act, act)) return SQLITE_OK;
        changed = true;
        if (act.kind == Act::Kind::edit) {
            return change(append.room, room, act.target, *found, offset, append.record.text,
                          append.record.attributes);
        }
        room.bytes -= static_cast<std::int64_t>(found->act.subject.size());
        found->act = make_tombstone(found->act);
        if (const int code = blank(append.room, room, act.target, *found, offset)) return code;
        std::vector<Offset> edits;
        if (const int code = table_.find_edits(append.room, act.target, room.first, edits)) {
            return code;
        }
        for (const Offset edit : edits) {
            std::optional<Record> text;
            if (const int code = table_.find(append.room, edit, text)) return code;
            if (!text) continue;
            if (const int code = blank(append.room, room, edit, *text, offset)) return code;
        }
        return SQLITE_OK;
    }

    int blank(RoomKey key, StoredRoom& room, Offset at, Record& record, Offset changed_by) {
        return change(key, room, at, record, changed_by, "", blank_attributes);
    }

    int change(RoomKey key, StoredRoom& room, Offset at, Record& record, Offset changed_by,
               const std::string& text, const std::string& attributes) {
        room.bytes -= detail::size_of(record);
        record.text = text;
        record.attributes = attributes;
        record.changed_by = changed_by;
        room.bytes += detail::size_of(record);
        oldest_.erase(key);  // it may have the old size
        return table_.change(key, at, record);
    }

    /// Moves `first` on until the room is within its retention. The rows stay until they are
    /// trimmed, and so does the newest record in any case: it was just acknowledged.
    int drop_oldest(RoomKey key, StoredRoom& room) {
        while (room.first < room.head &&
               (room.head - room.first + 1 > room.retention.records_max ||
                static_cast<std::uint64_t>(room.bytes) > room.retention.bytes_max)) {
            Oldest& oldest = oldest_[key];
            if (oldest.next == oldest.records.size()) {
                oldest = {};
                const int code = table_.find_oldest(key, room.first, names_, oldest.records);
                if (code != SQLITE_OK) return code;
                if (oldest.records.empty()) {  // not in a file of ours
                    room.first = room.head;
                    return SQLITE_OK;
                }
            }
            const detail::OldRecord& record = oldest.records[oldest.next++];
            room.bytes -= record.bytes;
            names_.erase(key, record.name, record.offset);
            room.first = record.offset + 1;
        }
        return SQLITE_OK;
    }

    /// The records that will be dropped next, read some at a time.
    struct Oldest {
        std::vector<detail::OldRecord> records;
        std::size_t next = 0;
    };

    Database* database_;
    Durability durability_;
    detail::RecordTable table_;
    detail::Names names_;
    std::map<RoomKey, Oldest> oldest_;
    std::map<RoomKey, StoredRoom> rooms_;                ///< As the open transaction sees them.
    std::map<RoomKey, std::optional<StoredRoom>> undo_;  ///< As they were before it.
    std::set<RoomKey> changed_;                          ///< Whose rows are to be written.
};

}  // namespace quicchat::sqlite
