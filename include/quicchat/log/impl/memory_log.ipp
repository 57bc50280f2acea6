#pragma once

#include "quicchat/log/memory_log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/repeat.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL MemoryLog::MemoryLog(Entropy entropy)
    : entropy_(entropy), hash_(SipHash::Key{entropy_.draw_number(), entropy_.draw_number()}) {}

QUICCHAT_RARE_DECL Result<LogHead> MemoryLog::open(const std::string& room, Retention retention) {
    const auto [found, added] = rooms_.try_emplace(room);
    if (added) {
        found->second = std::make_shared<Room>();
        found->second->epoch = Epoch{entropy_.draw_number()};
    }
    found->second->retention = retention;
    return head(room);
}

QUICCHAT_RARE_DECL void MemoryLog::forget(const std::string& room) { rooms_.erase(room); }

QUICCHAT_RARE_DECL Result<std::vector<std::string>> MemoryLog::rooms() const {
    std::vector<std::string> names;
    for (const auto& [name, room] : rooms_) names.push_back(name);
    return names;
}

QUICCHAT_DECL LogHead MemoryLog::head(const std::string& room) const {
    const Room& r = *rooms_.at(room);
    return {r.epoch, r.first, r.head()};
}

QUICCHAT_DECL void MemoryLog::append(AppendToken token, const std::string& room, Record record,
                                     std::vector<StateChange> changes) {
    queue_.push_back({rooms_.at(room), std::move(changes), Append{token, room, {}}});
    queue_.back().append->record = std::move(record);  // it has many members, moved once here
}

QUICCHAT_DECL void MemoryLog::look_up(AppendToken token, const std::string& room, Record record) {
    queue_.push_back({rooms_.at(room), {}, Append{token, room, std::move(record), true}});
}

QUICCHAT_RARE_DECL void MemoryLog::trim(const std::string& room, WallTime before) {
    queue_.push_back({rooms_.at(room), {}, std::nullopt, Trim{room, before}});
}

QUICCHAT_DECL void MemoryLog::store(const std::string& room, std::vector<StateChange> changes) {
    queue_.push_back({rooms_.at(room), std::move(changes), std::nullopt});
    store_first();
}

QUICCHAT_DECL Result<RoomState> MemoryLog::state(const std::string& room) const {
    return rooms_.at(room)->state;
}

QUICCHAT_DECL std::optional<LogNews> MemoryLog::poll_news() {
    std::optional<LogNews> done;
    store_first();
    while (std::optional<Step> step = pop_front(queue_)) {
        if (step->append) {
            commit(*step, done.emplace());
        } else {
            done = trim(*step);
        }
        store_first();
        if (done) break;
    }
    return done;
}

QUICCHAT_DECL Result<std::vector<LoggedRecord>> MemoryLog::read(const std::string& room,
                                                                Offset after,
                                                                std::size_t count_max) const {
    const Room& r = *rooms_.at(room);
    std::vector<LoggedRecord> records;
    if (after >= r.head()) return records;
    for (Offset offset = std::max(after + 1, r.first);
         offset <= r.head() && records.size() < count_max; ++offset) {
        records.push_back(r.records[static_cast<std::size_t>(offset - r.first)]);
    }
    return records;
}

QUICCHAT_RARE_DECL Result<std::vector<LoggedRecord>> MemoryLog::files(
    const std::string& room) const {
    std::vector<LoggedRecord> files;
    for (const LoggedRecord& logged : rooms_.at(room)->records) {
        if (logged.record.act.kind == Act::Kind::file) files.push_back(logged);
    }
    return files;
}

QUICCHAT_DECL Result<Reactions> MemoryLog::reactions(const std::string& room, Offset target,
                                                     const std::string& author,
                                                     const std::string& text) const {
    const Room& r = *rooms_.at(room);
    Reactions found;
    for (Offset offset = std::max(target, r.first); offset <= r.head(); ++offset) {
        const LoggedRecord& logged = r.records[static_cast<std::size_t>(offset - r.first)];
        count_reaction(found, logged.record, target, author, text);
    }
    return found;
}

QUICCHAT_DECL const LoggedRecord& MemoryLog::Room::at(Offset offset) const {
    return records[static_cast<std::size_t>(offset - first)];
}

QUICCHAT_DECL LoggedRecord& MemoryLog::Room::at(Offset offset) {
    return records[static_cast<std::size_t>(offset - first)];
}

QUICCHAT_DECL void MemoryLog::commit(Step& step, LogNews& done) {
    Room& r = *step.room;
    Record& record = step.append->record;
    done.token = step.append->token;
    done.room = std::move(step.append->name);
    done.epoch = r.epoch;
    const std::uint64_t hash = hash_of(record);
    if (const auto first = find_name(r, hash, record)) {
        return recognise(r, record, *first, done);
    }
    const Offset offset = r.head() + 1;
    std::optional<std::vector<LoggedRecord>> changed = changed_by(r, record, offset);
    if (step.append->only_look_up || !changed) {
        done.error = Errc::no_such_message;
        return;
    }
    if (is_too_hasty(r, record, *changed)) {
        done.error = Errc::rate_limited;
        return;
    }
    for (LoggedRecord& logged : *changed) {
        Record& target = r.at(logged.offset).record;
        count(r, target, -1);
        target = std::move(logged.record);
        count(r, target, 1);
    }
    done.offset = offset;
    done.time = record.time;
    r.names.insert(hash, offset);
    const std::int64_t bytes = bytes_of(record);
    r.bytes += bytes;
    take(r, r.authors.add(record, bytes, r.retention.ids_max));
    forget_surplus(r, record.author, record.device);
    done.record = record;
    LoggedRecord& stored = r.records.emplace_back();
    stored.offset = offset;
    stored.record = std::move(record);
    change_state(r, std::move(step.changes));
    drop_surplus(r);
}

QUICCHAT_RARE_DECL std::optional<LogNews> MemoryLog::trim(Step& step) {
    Room& r = *step.room;
    const Offset first = r.first;
    drop_surplus(r);
    while (!r.records.empty() && r.records.front().record.time < step.trim->before) drop_oldest(r);
    if (r.first == first) return std::nullopt;
    return LogNews{.room = std::move(step.trim->name), .epoch = r.epoch};
}

QUICCHAT_DECL void MemoryLog::recognise(Room& r, const Record& record, Offset offset,
                                        LogNews& done) {
    bool same = false;
    if (offset >= r.first) {
        const Record& first = r.at(offset).record;
        same = is_repeat(first, record);
        done.time = first.time;
    } else {
        const OldId& old = *r.authors.find(record.author, record.device, record.id, offset);
        same = is_repeat(old, record);
        done.time = old.time;
    }
    done.error = same ? Errc{} : Errc::conflict;
    done.offset = offset;
    done.duplicate = same;
}

QUICCHAT_DECL void MemoryLog::store_first() {
    while (!queue_.empty() && !queue_.front().has_news()) {
        change_state(*queue_.front().room, std::move(queue_.front().changes));
        queue_.pop_front();
    }
}

QUICCHAT_DECL void MemoryLog::change_state(Room& room, std::vector<StateChange> changes) {
    for (StateChange& change : changes) {
        if (change.value) {
            room.state[change.key] = *std::move(change.value);
        } else {
            room.state.erase(change.key);
        }
    }
}

QUICCHAT_DECL std::optional<std::vector<LoggedRecord>> MemoryLog::changed_by(Room& room,
                                                                             const Record& record,
                                                                             Offset offset) {
    std::vector<LoggedRecord> changed;
    const Act& act = record.act;
    if (!is_change(act)) return changed;
    if (act.target < room.first || act.target > room.head()) return std::nullopt;
    const LoggedRecord& target = room.at(act.target);
    if (!is_changeable(target.record.act, act)) return std::nullopt;
    changed.push_back(target);
    if (act.kind == Act::Kind::deletion) {
        std::ranges::copy_if(room.records, std::back_inserter(changed), [&](const auto& r) {
            return r.record.act.kind == Act::Kind::edit && r.record.act.target == act.target;
        });
    }
    for (LoggedRecord& logged : changed) change(logged.record, record, offset);
    return changed;
}

QUICCHAT_DECL bool MemoryLog::is_too_hasty(Room& room, const Record& record,
                                           const std::vector<LoggedRecord>& changed) {
    RoomSize size{room.records.size() + 1, room.bytes + bytes_of(record)};
    for (const LoggedRecord& logged : changed) {
        size.bytes += bytes_of(logged.record) - bytes_of(room.at(logged.offset).record);
    }
    if (!room.authors.is_hasty(record.author, record.time, room.retention)) return false;
    for (const LoggedRecord& oldest : room.records) {
        if (size.fits(room.retention)) return false;
        const Record& r = oldest.record;
        if (is_protected(r.author, r.time, record, room.retention)) return true;
        const auto after =
            std::ranges::lower_bound(changed, oldest.offset, {}, &LoggedRecord::offset);
        const bool is_changed = after != changed.end() && after->offset == oldest.offset;
        size.bytes -= bytes_of(is_changed ? after->record : r);
        --size.records;
    }
    return false;
}

QUICCHAT_DECL void MemoryLog::count(Room& room, const Record& record, std::int64_t sign) {
    const std::int64_t bytes = sign * bytes_of(record);
    room.bytes += bytes;
    room.authors.take({.author = record.author, .device = record.device, .bytes = bytes});
}

QUICCHAT_DECL std::uint64_t MemoryLog::hash_of(const Record& record) const {
    return hash_name(hash_, record.author, record.device.bytes, record.id.bytes);
}

QUICCHAT_DECL std::optional<Offset> MemoryLog::find_name(const Room& room, std::uint64_t hash,
                                                         const Record& record) {
    for (const Offset offset : room.names.find(hash, room.head())) {
        const bool is_same = offset >= room.first ? has_same_name(room.at(offset).record, record)
                                                  : room.authors.find(record.author, record.device,
                                                                      record.id, offset) != nullptr;
        if (is_same) return offset;
    }
    return std::nullopt;
}

QUICCHAT_DECL std::int64_t MemoryLog::bytes_of(const Record& record) {
    return static_cast<std::int64_t>(sizeof(LoggedRecord) + record.author.size() +
                                     record.text.size() + record.attributes.size() +
                                     record.act.subject.size());
}

QUICCHAT_DECL void MemoryLog::drop_surplus(Room& room) {
    while (!RoomSize{room.records.size(), room.bytes}.fits(room.retention)) drop_oldest(room);
}

QUICCHAT_DECL void MemoryLog::drop_oldest(Room& room) {
    const LoggedRecord oldest = std::move(room.records.front());
    const Record& record = oldest.record;
    const std::int64_t bytes = bytes_of(record);
    room.bytes -= bytes;
    room.records.pop_front();
    ++room.first;
    const Authors::Step step = room.authors.drop(record.author, old_id_of(oldest), record.device,
                                                 bytes, room.retention.ids_max);
    room.authors.take(step);
    if (!step.kept) room.names.erase(hash_of(record), oldest.offset);
    forget_surplus(room, record.author, record.device);
}

QUICCHAT_RARE_DECL void MemoryLog::forget_surplus(Room& room, const std::string& author,
                                                  const DeviceId& device) {
    while (const auto step = room.authors.next_surplus(author, device, room.retention.ids_max)) {
        take(room, *step);
    }
}

QUICCHAT_DECL void MemoryLog::take(Room& room, const Authors::Step& step) {
    room.authors.take(step);
    if (!step.forgotten) return;
    const OldId& old = *step.forgotten;
    room.names.erase(hash_name(hash_, step.author, step.device.bytes, old.id.bytes), old.offset);
}

}  // namespace quicchat
