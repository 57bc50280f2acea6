#pragma once

#include "quicchat/sqlite/room_writer.hpp"

#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/log/repeat.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL RoomWriter::RoomWriter(Database& database, Durability durability)
    : database_(&database), durability_(durability), table_(database) {}

QUICCHAT_DECL int RoomWriter::load() {
    SipHash::Key key{};
    Statement select{*database_, "SELECT value FROM meta WHERE key='secret'"};
    Rows rows = select.query();
    if (rows.next() && rows.bytes(0).size() >= 16) {
        for (std::size_t i = 0; i < 2; ++i) {
            key[i] = load_word(rows.bytes(0).subspan(8 * i, 8));
        }
    }
    if (rows.code() != SQLITE_OK) return rows.code();
    names_ = detail::Names{SipHash{key}};
    int code = detail::load_rooms(*database_, rooms_);
    if (code == SQLITE_OK) code = detail::load_old_ids(*database_, names_, authors_);
    if (code == SQLITE_OK) code = detail::load_names(*database_, rooms_, names_, authors_);
    return code;
}

QUICCHAT_DECL int RoomWriter::apply(const CreateRoom& o) {
    remember(o.room);
    rooms_[o.room] = {.name = o.name, .epoch = o.epoch};
    return table_.create(o);
}

QUICCHAT_DECL int RoomWriter::apply(const SetRetention& o) {
    remember(o.room);
    rooms_.at(o.room).retention = o.retention;
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::apply(const DropRoom& o) {
    remember(o.room);
    rooms_.erase(o.room);
    names_.erase(o.room);
    authors_.erase(o.room);
    oldest_.erase(o.room);
    return table_.drop(o.room);
}

QUICCHAT_DECL int RoomWriter::apply(const StoreState& o) {
    for (const auto& [key, value] : o.changes) {
        if (const int code = table_.set_state(o.room, key, value)) return code;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::append(const AppendRecord& append, AppendDone& done) {
    std::optional<AppendDone> known;
    if (const int code = find_duplicate(append, known)) return code;
    if (known) return done = *std::move(known), SQLITE_OK;

    if (append.only_look_up) {
        return done = answer(append, Errc::no_such_message), SQLITE_OK;
    }
    remember(append.room);
    StoredRoom& room = rooms_.at(append.room);
    const Offset offset = room.head + 1;
    std::optional<ChangedRecords> changed;
    if (const int code = find_changed(append, room, offset, changed)) return code;
    if (!changed) return done = answer(append, Errc::no_such_message), SQLITE_OK;
    bool is_hasty = false;
    if (const int code = look_for_haste(append, room, *changed, is_hasty)) return code;
    if (is_hasty) return done = answer(append, Errc::rate_limited), SQLITE_OK;

    changed_.insert(append.room);
    for (const auto& [at, record] : *changed) {
        if (const int code = change_record(append.room, room, at, record)) return code;
    }
    if (const int code = table_.insert(append.room, offset, append.record)) return code;
    names_.insert(append.room, name_of(append.record), offset);
    for (const auto& [key, value] : append.changes) {
        if (const int code = table_.set_state(append.room, key, value)) return code;
    }
    room.head = offset;
    if (const int code = count_record(append, room)) return code;
    if (const int code = drop_oldest(append.room, room)) return code;
    done = answer(append, Errc{});
    done.news.offset = offset;
    done.news.time = append.record.time;
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::find_duplicate(const AppendRecord& append,
                                             std::optional<AppendDone>& known) {
    const Record& record = append.record;
    const StoredRoom& room = rooms_.at(append.room);
    for (const Offset offset : names_.find(append.room, name_of(record), room.head)) {
        if (offset < room.first) {
            const OldId* old =
                authors_.at(append.room).find(record.author, record.device, record.id, offset);
            if (old == nullptr) continue;
            known = recognise(append, offset, old->time, is_repeat(*old, record));
            return SQLITE_OK;
        }
        std::optional<Record> found;
        if (const int code = table_.find(append.room, offset, found)) return code;
        if (!found || !has_same_name(*found, record)) continue;
        known = recognise(append, offset, found->time, is_repeat(*found, record));
        return SQLITE_OK;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL AppendDone RoomWriter::answer(const AppendRecord& append, Errc error) const {
    AppendDone done{.room = append.room,
                    .news = {.token = append.token,
                             .room = append.name,
                             .error = error,
                             .epoch = append.epoch,
                             .durability = durability_}};
    if (const auto room = rooms_.find(append.room); room != rooms_.end()) {
        done.first = room->second.first;
    }
    return done;
}

QUICCHAT_DECL int RoomWriter::finish() {
    for (const RoomKey key : changed_) {
        const auto room = rooms_.find(key);
        if (room == rooms_.end()) continue;
        if (const int code = table_.update(key, room->second)) return code;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL void RoomWriter::accept() {
    names_.accept();
    authors_.accept();
    forget_changes();
}

QUICCHAT_DECL void RoomWriter::roll_back() {
    for (auto& [key, before] : undo_) {
        if (before) {
            rooms_[key] = std::move(*before);
        } else {
            rooms_.erase(key);
        }
    }
    names_.roll_back();
    authors_.roll_back();
    oldest_.clear();
    forget_changes();
}

QUICCHAT_DECL void RoomWriter::forget_changes() {
    undo_.clear();
    changed_.clear();
}

QUICCHAT_DECL void RoomWriter::remember(RoomKey key) {
    const auto room = rooms_.find(key);
    undo_.try_emplace(key, room == rooms_.end() ? std::nullopt : std::optional{room->second});
}

QUICCHAT_DECL AppendDone RoomWriter::recognise(const AppendRecord& append, Offset offset,
                                               WallTime time, bool is_same) const {
    AppendDone known = answer(append, is_same ? Errc{} : Errc::conflict);
    known.news.offset = offset;
    known.news.time = time;
    known.news.duplicate = is_same;
    return known;
}

QUICCHAT_DECL std::uint64_t RoomWriter::name_of(const Record& record) {
    return names_.hash(record.author, record.device.bytes, record.id.bytes);
}

QUICCHAT_DECL int RoomWriter::find_changed(const AppendRecord& append, const StoredRoom& room,
                                           Offset offset, std::optional<ChangedRecords>& changed) {
    const Act& act = append.record.act;
    if (!is_change(act)) return changed.emplace(), SQLITE_OK;
    if (act.target < room.first || act.target > room.head) return SQLITE_OK;
    std::optional<Record> found;
    if (const int code = table_.find(append.room, act.target, found)) return code;
    if (!found || !is_changeable(found->act, act)) return SQLITE_OK;
    std::vector<Offset> places;
    if (act.kind == Act::Kind::deletion) {
        const int code = table_.find_edits(append.room, act.target, room.first, places);
        if (code != SQLITE_OK) return code;
    }
    changed.emplace();
    add_changed(*changed, act.target, *std::move(found), append.record, offset);
    for (const Offset place : places) {
        std::optional<Record> edit;
        if (const int code = table_.find(append.room, place, edit)) return code;
        if (edit) add_changed(*changed, place, *std::move(edit), append.record, offset);
    }
    return SQLITE_OK;
}

QUICCHAT_DECL void RoomWriter::add_changed(ChangedRecords& changed, Offset at, Record record,
                                           const Record& by, Offset offset) {
    const std::int64_t before = detail::size_of(record);
    change(record, by, offset);
    const std::int64_t bytes = detail::size_of(record) - before;
    changed.emplace(at, ChangedRecord{std::move(record), bytes});
}

QUICCHAT_DECL int RoomWriter::look_for_haste(const AppendRecord& append, const StoredRoom& room,
                                             const ChangedRecords& changed, bool& is_hasty) {
    const Record& record = append.record;
    RoomSize size = size_of(room);
    ++size.records;
    size.bytes += detail::size_of(record);
    for (const auto& [at, after] : changed) size.bytes += after.bytes;
    if (size.fits(room.retention) || room.retention.age_min <= Duration{}) return SQLITE_OK;
    if (!authors_.at(append.room).is_hasty(record.author, record.time, room.retention)) {
        return SQLITE_OK;
    }
    for (std::size_t i = 0; !size.fits(room.retention); ++i) {
        const detail::OldRecord* oldest = nullptr;
        if (const int code = find_oldest(append.room, room, i, oldest)) return code;
        if (oldest == nullptr) return SQLITE_OK;
        is_hasty = is_protected(oldest->author, oldest->id.time, record, room.retention);
        if (is_hasty) return SQLITE_OK;
        const auto after = changed.find(oldest->id.offset);
        size.bytes -= oldest->bytes + (after == changed.end() ? 0 : after->second.bytes);
        --size.records;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL RoomSize RoomWriter::size_of(const StoredRoom& room) {
    return {static_cast<std::size_t>(room.head - room.first + 1), room.bytes};
}

QUICCHAT_DECL int RoomWriter::change_record(RoomKey key, StoredRoom& room, Offset at,
                                            const ChangedRecord& changed) {
    const Record& record = changed.record;
    room.bytes += changed.bytes;
    authors_.take(key, {.author = record.author, .device = record.device, .bytes = changed.bytes});
    const auto oldest = oldest_.find(key);
    const bool is_known =
        oldest != oldest_.end() && !oldest->second.empty() && at <= oldest->second.back().id.offset;
    if (is_known) oldest_.erase(oldest);  // as it was before
    return table_.change(key, at, record);
}

QUICCHAT_DECL int RoomWriter::find_oldest(RoomKey key, const StoredRoom& room, std::size_t index,
                                          const detail::OldRecord*& found) {
    std::deque<detail::OldRecord>& oldest = oldest_[key];
    if (index >= oldest.size()) {
        const Offset from = oldest.empty() ? room.first : oldest.back().id.offset + 1;
        if (const int code = table_.find_oldest(key, from, oldest)) return code;
    }
    found = index < oldest.size() ? &oldest[index] : nullptr;
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::count_record(const AppendRecord& append, StoredRoom& room) {
    const Record& record = append.record;
    const std::int64_t bytes = detail::size_of(record);
    room.bytes += bytes;
    authors_.take(append.room, {.author = record.author,
                                .device = record.device,
                                .bytes = bytes,
                                .records = 1,
                                .written = record.time});
    return forget_surplus(append.room, room, record.author, record.device);
}

QUICCHAT_DECL int RoomWriter::drop_oldest(RoomKey key, StoredRoom& room) {
    while (!size_of(room).fits(room.retention)) {
        const detail::OldRecord* oldest = nullptr;
        if (const int code = find_oldest(key, room, 0, oldest)) return code;
        if (oldest == nullptr) return room.first = room.head, SQLITE_OK;
        const detail::OldRecord record = *oldest;
        oldest_.at(key).pop_front();
        room.bytes -= record.bytes;
        room.first = record.id.offset + 1;
        if (const int code = drop(key, room, record)) return code;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::drop(RoomKey key, const StoredRoom& room,
                                   const detail::OldRecord& record) {
    Authors::Step step = authors_.at(key).drop(record.author, record.id, record.device,
                                               record.bytes, room.retention.ids_max);
    if (!step.kept) names_.erase(key, name_of(step, record.id), record.id.offset);
    if (const int code = table_.change_ids(key, step)) return code;
    authors_.take(key, std::move(step));
    return forget_surplus(key, room, record.author, record.device);
}

QUICCHAT_DECL int RoomWriter::forget_surplus(RoomKey key, const StoredRoom& room,
                                             const std::string& author, const DeviceId& device) {
    while (auto step = authors_.at(key).next_surplus(author, device, room.retention.ids_max)) {
        names_.erase(key, name_of(*step, *step->forgotten), step->forgotten->offset);
        if (const int code = table_.change_ids(key, *step)) return code;
        authors_.take(key, *std::move(step));
    }
    return SQLITE_OK;
}

QUICCHAT_DECL std::uint64_t RoomWriter::name_of(const Authors::Step& step, const OldId& old) {
    return names_.hash(step.author, step.device.bytes, old.id.bytes);
}

}  // namespace quicchat::sqlite
