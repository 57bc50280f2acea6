#pragma once

#include "quicchat/sqlite/room_writer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/log/repeat.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL RoomWriter::RoomWriter(Database& database, Durability durability)
    : database_(&database), durability_(durability), table_(database), blocks_(database) {}

QUICCHAT_DECL int RoomWriter::load(std::optional<KnownRooms> known) {
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
    if (code != SQLITE_OK) return code;
    const bool is_known = known && restore(*std::move(known));
    code = load_old_ids(is_known);
    if (code != SQLITE_OK || is_known) return code;
    return detail::load_names(*database_, rooms_, names_, authors_);
}

QUICCHAT_DECL bool RoomWriter::restore(KnownRooms&& known) {
    for (const auto& [key, room] : rooms_) {
        std::size_t left = static_cast<std::size_t>(room.head - room.first + 1);
        const auto found = known.find(key);
        if (found == known.end()) {
            if (room.head > 0) return false;
            continue;
        }
        for (const Authors::Share& share : found->second.authors.shares()) {
            for (const auto& [device, records] : share.live) {
                if (records > left) return false;
                left -= records;
            }
        }
    }
    for (const auto& [key, room] : known) {
        if (!rooms_.contains(key)) return false;
    }
    for (auto& [key, room] : known) {
        names_.restore(key, std::move(room.names));
        authors_.restore(key, std::move(room.authors));
    }
    return true;
}

QUICCHAT_DECL KnownRooms RoomWriter::leave() {
    KnownRooms known;
    for (const auto& [key, room] : rooms_) {
        if (room.head > 0) known[key] = {names_.leave(key), authors_.leave(key)};
    }
    return known;
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
    const int code = blocks_.drop(o.room);
    return code == SQLITE_OK ? table_.drop(o.room) : code;
}

QUICCHAT_DECL int RoomWriter::apply(const TrimRoom& o) {
    const auto room = rooms_.find(o.room);
    if (room == rooms_.end()) return SQLITE_OK;
    Oldest& oldest = oldest_[o.room];
    if (!oldest.is_whole) {
        oldest = {.is_whole = true};
        if (const int code = read_oldest(o.room, room->second, 0, oldest)) return code;
    }
    if (!o.at_once && !is_due(oldest, room->second.retention, o.first)) return SQLITE_OK;
    if (const int code = keep_ids(o.room, room->second, oldest, o.first)) return code;
    return table_.trim(o.room, o.first);
}

QUICCHAT_DECL int RoomWriter::apply(const StoreState& o) {
    for (const auto& [key, value] : o.changes) {
        if (const int code = table_.set_state(o.room, key, value)) return code;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::append(const AppendRecord& append, WriteDone& done) {
    const std::uint64_t name = name_of(append.record);
    std::optional<WriteDone> known;
    if (const int code = find_duplicate(append, name, known)) return code;
    if (known) return done = *std::move(known), SQLITE_OK;

    if (append.only_look_up) return done = answer(append, Errc::no_such_message), SQLITE_OK;
    Touched& touched = remember(append.room);
    StoredRoom& room = rooms_.at(append.room);
    const Offset offset = room.head + 1;
    std::optional<ChangedRecords> changed;
    if (const int code = find_changed(append, room, offset, changed)) return code;
    if (!changed) return done = answer(append, Errc::no_such_message), SQLITE_OK;
    const DropGoal goal = append_goal(size_of(room));
    bool is_hasty = false;
    if (const int code = look_for_haste(append, room, *changed, goal, is_hasty)) return code;
    if (is_hasty) return done = answer(append, Errc::rate_limited), SQLITE_OK;

    touched.is_changed = true;
    for (const auto& [at, record] : *changed) {
        if (const int code = change_record(append.room, room, at, record)) return code;
    }
    if (const int code = table_.insert(append.room, offset, append.record)) return code;
    names_.insert(append.room, name, offset);
    for (const auto& [key, value] : append.changes) {
        if (const int code = table_.set_state(append.room, key, value)) return code;
    }
    room.head = offset;
    count_record(append, room);
    if (const int code = drop_oldest(append.room, room, goal)) return code;
    answer(append, Errc{}, room.first, done);
    done.news.offset = offset;
    done.news.time = append.record.time;
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::drop_old(const DropOld& o, WriteDone& done) {
    done.room = o.room;
    done.news.room = o.name;
    done.news.epoch = o.epoch;
    const auto found = rooms_.find(o.room);
    if (found == rooms_.end()) return SQLITE_OK;
    Touched& touched = remember(o.room);
    StoredRoom& room = found->second;
    const Offset first = room.first;
    if (const int code = drop_oldest(o.room, room, {share_, size_of(room)})) return code;
    Oldest& oldest = oldest_[o.room];
    while (share_ > 0 && room.first <= room.head) {
        detail::OldRecord* record = nullptr;
        if (const int code = find_oldest(o.room, room, oldest, 0, record)) return code;
        if (record == nullptr || record->id.time >= o.before) break;
        drop_one(o.room, room, oldest, *record);
    }
    touched.is_changed |= room.first != first;
    done.first = room.first;
    if (share_ == 0) done.more_before = o.before;
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::find_duplicate(const AppendRecord& append, std::uint64_t name,
                                             std::optional<WriteDone>& known) {
    const Record& record = append.record;
    const StoredRoom& room = rooms_.at(append.room);
    for (const Offset offset : names_.find(append.room, name, room.head)) {
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

QUICCHAT_DECL WriteDone RoomWriter::answer(const AppendRecord& append, Errc error) const {
    WriteDone done;
    const auto room = rooms_.find(append.room);
    answer(append, error, room == rooms_.end() ? done.first : room->second.first, done);
    return done;
}

QUICCHAT_DECL void RoomWriter::answer(const AppendRecord& append, Errc error, Offset first,
                                      WriteDone& done) const {
    done.room = append.room;
    done.news.token = append.token;
    done.news.room = append.name;
    done.news.error = error;
    done.news.epoch = append.epoch;
    done.news.durability = durability_;
    done.first = first;
}

QUICCHAT_DECL int RoomWriter::finish() {
    if (const int code = table_.flush()) return code;
    if (const int code = blocks_.finish()) return code;
    for (const auto& [key, touched] : touched_) {
        const auto room = rooms_.find(key);
        if (!touched.is_changed || room == rooms_.end()) continue;
        if (const int code = table_.update(key, room->second)) return code;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL void RoomWriter::accept() {
    names_.accept();
    authors_.accept();
    blocks_.accept();
    forget_changes();
}

QUICCHAT_DECL void RoomWriter::roll_back() {
    for (auto& [key, touched] : touched_) {
        if (touched.before) {
            rooms_[key] = std::move(*touched.before);
        } else {
            rooms_.erase(key);
        }
    }
    table_.forget();
    names_.roll_back();
    authors_.roll_back();
    blocks_.roll_back();
    oldest_.clear();
    forget_changes();
}

QUICCHAT_DECL void RoomWriter::forget_changes() {
    touched_.clear();
    share_ = dropped_per_commit_max;
}

QUICCHAT_DECL RoomWriter::Touched& RoomWriter::remember(RoomKey key) {
    const auto [place, is_new] = touched_.try_emplace(key);
    if (is_new) {
        const auto room = rooms_.find(key);
        if (room != rooms_.end()) place->second.before = room->second;
    }
    return place->second;
}

QUICCHAT_DECL WriteDone RoomWriter::recognise(const AppendRecord& append, Offset offset,
                                              WallTime time, bool is_same) const {
    WriteDone known = answer(append, is_same ? Errc{} : Errc::conflict);
    known.news.offset = offset;
    known.news.time = time;
    known.news.duplicate = is_same;
    return known;
}

QUICCHAT_DECL std::uint64_t RoomWriter::name_of(const Record& record) const {
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
                                             const ChangedRecords& changed, const DropGoal& goal,
                                             bool& is_hasty) {
    const Record& record = append.record;
    RoomSize size = size_of(room);
    ++size.records;
    size.bytes += detail::size_of(record);
    for (const auto& [at, after] : changed) size.bytes += after.bytes;
    if (size.fits(room.retention) || room.retention.age_min <= Duration{}) return SQLITE_OK;
    if (!authors_.at(append.room).is_hasty(record.author, record.time, room.retention)) {
        return SQLITE_OK;
    }
    for (std::size_t i = 0; !goal.is_reached(size, room.retention, i); ++i) {
        detail::OldRecord* oldest = nullptr;
        const int code = find_oldest(append.room, room, oldest_[append.room], i, oldest);
        if (code != SQLITE_OK) return code;
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
    if (const auto found = oldest_.find(key); found != oldest_.end()) {
        Oldest& oldest = found->second;
        const bool is_known = !oldest.records.empty() && at <= oldest.records.back().id.offset;
        if (is_known) oldest.records.resize(oldest.dropped);  // the others are as it was before
    }
    return table_.change(key, at, record);
}

QUICCHAT_DECL int RoomWriter::load_old_ids(bool has_names) {
    const auto add = [&](RoomKey key, const detail::OldRecord& old) {
        add_old_id(key, old, has_names);
    };
    if (const int code = blocks_.load(add)) return code;
    for (const auto& [key, room] : rooms_) {
        // Those that were dropped and not yet deleted.
        std::deque<detail::OldRecord> dropped;
        Offset from = 0;
        while (from < room.first) {
            dropped.clear();
            if (const int code = table_.find_oldest(key, from, dropped)) return code;
            if (dropped.empty()) break;
            for (const detail::OldRecord& old : dropped) {
                if (old.id.offset < room.first) add(key, old);
            }
            from = dropped.back().id.offset + 1;
        }
    }
    return SQLITE_OK;
}

QUICCHAT_DECL void RoomWriter::add_old_id(RoomKey key, const detail::OldRecord& old,
                                          bool has_names) {
    if (!has_names) {
        names_.insert(key, names_.hash(old.author, old.device.bytes, old.id.id.bytes),
                      old.id.offset);
    }
    authors_.take(key, {.author = old.author, .device = old.device, .kept = old.id});
    names_.accept();
    authors_.accept();
}

QUICCHAT_DECL bool RoomWriter::is_due(const Oldest& oldest, const Retention& retention,
                                      Offset first) {
    const std::size_t records_max =
        std::min<std::size_t>(retention.records_max / 4, detail::offsets_per_block);
    const std::size_t bytes_max = retention.bytes_max / 64;
    std::size_t records = 0;
    std::int64_t bytes = 0;
    for (const detail::OldRecord& record : oldest.records) {
        if (record.id.offset >= first) return false;
        bytes += record.bytes;
        if (++records >= records_max || static_cast<std::uint64_t>(bytes) >= bytes_max) return true;
    }
    return false;
}

QUICCHAT_DECL int RoomWriter::read_oldest(RoomKey key, const StoredRoom& room, Offset from,
                                          Oldest& oldest) {
    std::size_t i = oldest.records.size();
    if (const int code = table_.find_oldest(key, from, oldest.records)) return code;
    for (; i < oldest.records.size() && oldest.records[i].id.offset < room.first; ++i) {
        detail::OldRecord& old = oldest.records[i];
        old.is_needed = authors_.at(key).find(old.author, old.device, old.id.id, old.id.offset);
        ++oldest.dropped;
    }
    return SQLITE_OK;
}

QUICCHAT_DECL int RoomWriter::keep_ids(RoomKey key, const StoredRoom& room, Oldest& oldest,
                                       Offset first) {
    std::deque<detail::OldRecord>& records = oldest.records;
    std::vector<detail::OldRecord> kept;
    while (!records.empty() && records.front().id.offset < first) {
        const Offset offset = records.front().id.offset;
        if (records.front().is_needed) kept.push_back(std::move(records.front()));
        records.pop_front();
        --oldest.dropped;
        if (records.empty()) {
            if (const int code = read_oldest(key, room, offset + 1, oldest)) return code;
        }
    }
    return blocks_.insert(key, kept);
}

QUICCHAT_DECL int RoomWriter::find_oldest(RoomKey key, const StoredRoom& room, Oldest& oldest,
                                          std::size_t index, detail::OldRecord*& found) {
    std::deque<detail::OldRecord>& records = oldest.records;
    // What was dropped behind these is passed over, and read again to be deleted.
    if (!records.empty() && records.back().id.offset + 1 < room.first) oldest = {};
    index += oldest.dropped;
    if (index >= records.size()) {
        const Offset from = records.empty() ? room.first : records.back().id.offset + 1;
        if (const int code = table_.find_oldest(key, from, records)) return code;
    }
    found = index < records.size() ? &records[index] : nullptr;
    return SQLITE_OK;
}

QUICCHAT_DECL void RoomWriter::count_record(const AppendRecord& append, StoredRoom& room) {
    const Record& record = append.record;
    const std::int64_t bytes = detail::size_of(record);
    room.bytes += bytes;
    Authors::Step step = authors_.at(append.room).add(record, bytes, room.retention.ids_max);
    const bool leaves_surplus = step.leaves_surplus;
    take(append.room, std::move(step));
    if (leaves_surplus) forget_surplus(append.room, room, record.author, record.device);
}

QUICCHAT_DECL bool RoomWriter::DropGoal::is_reached(const RoomSize& size,
                                                    const Retention& retention,
                                                    std::size_t dropped) const {
    if (size.fits(retention)) return true;
    if (dropped < most) return false;
    Retention as_before = retention;
    as_before.records_max = std::max(retention.records_max, before.records);
    as_before.bytes_max = std::max(retention.bytes_max, static_cast<std::size_t>(before.bytes));
    return size.fits(as_before);
}

QUICCHAT_DECL int RoomWriter::drop_oldest(RoomKey key, StoredRoom& room, const DropGoal& goal) {
    if (size_of(room).fits(room.retention)) return SQLITE_OK;
    Oldest& oldest = oldest_[key];
    for (std::size_t i = 0; !goal.is_reached(size_of(room), room.retention, i); ++i) {
        detail::OldRecord* record = nullptr;
        if (const int code = find_oldest(key, room, oldest, 0, record)) return code;
        if (record == nullptr) return SQLITE_CORRUPT;  // there are rows for what counts
        drop_one(key, room, oldest, *record);
    }
    return SQLITE_OK;
}

QUICCHAT_DECL void RoomWriter::drop_one(RoomKey key, StoredRoom& room, Oldest& oldest,
                                        detail::OldRecord& record) {
    if (share_ > 0) --share_;
    room.bytes -= record.bytes;
    room.first = record.id.offset + 1;
    drop(key, room, record);
    pass_oldest(oldest);
}

QUICCHAT_DECL void RoomWriter::pass_oldest(Oldest& oldest) {
    constexpr std::size_t dropped_max = 1024;
    if (++oldest.dropped <= dropped_max) return;
    oldest.records.pop_front();  // it is read again to be deleted
    --oldest.dropped;
    oldest.is_whole = false;
}

QUICCHAT_DECL void RoomWriter::drop(RoomKey key, const StoredRoom& room,
                                    detail::OldRecord& record) {
    Authors::Step step = authors_.at(key).drop(record.author, record.id, record.device,
                                               record.bytes, room.retention.ids_max);
    record.is_needed = step.kept.has_value();
    if (!step.kept) names_.erase(key, name_of(step, record.id), record.id.offset);
    take(key, std::move(step));
    forget_surplus(key, room, record.author, record.device);
}

QUICCHAT_DECL void RoomWriter::take(RoomKey key, Authors::Step&& step) {
    if (step.forgotten) {
        const Offset offset = step.forgotten->offset;
        names_.erase(key, name_of(step, *step.forgotten), offset);
        forget_id(key, offset);
    }
    authors_.take(key, std::move(step));
}

QUICCHAT_DECL void RoomWriter::forget_id(RoomKey key, Offset offset) {
    if (const auto found = oldest_.find(key); found != oldest_.end()) {
        std::deque<detail::OldRecord>& records = found->second.records;
        const auto at = [](const detail::OldRecord& old) { return old.id.offset; };
        if (!records.empty() && records.front().id.offset <= offset) {
            const auto old = std::ranges::lower_bound(records, offset, {}, at);
            if (old != records.end() && at(*old) == offset) old->is_needed = false;
            return;
        }
    }
    blocks_.forget(key, offset);
}

QUICCHAT_DECL void RoomWriter::forget_surplus(RoomKey key, const StoredRoom& room,
                                              const std::string& author, const DeviceId& device) {
    while (auto step = authors_.at(key).next_surplus(author, device, room.retention.ids_max)) {
        take(key, *std::move(step));
    }
}

QUICCHAT_DECL std::uint64_t RoomWriter::name_of(const Authors::Step& step, const OldId& old) {
    return names_.hash(step.author, step.device.bytes, old.id.bytes);
}

}  // namespace quicchat::sqlite
