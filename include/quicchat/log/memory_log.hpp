#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/authors.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// The log that a crash loses: for tests, and for servers that need no history. Each room keeps the
/// newest records within its retention, and recognises its newest ids.
class MemoryLog : public RoomLog {
public:
    /// `entropy` gives the epochs.
    explicit MemoryLog(Entropy entropy) : entropy_(entropy) {}
    MemoryLog(MemoryLog&&) = default;
    MemoryLog& operator=(MemoryLog&&) = default;

    Result<LogHead> open(const std::string& room, Retention retention) override {
        const auto [found, added] = rooms_.try_emplace(room);
        if (added) {
            found->second = std::make_shared<Room>();
            found->second->epoch = Epoch{entropy_.draw_number()};
        }
        found->second->retention = retention;
        return head(room);
    }

    void forget(const std::string& room) override { rooms_.erase(room); }

    Result<std::vector<std::string>> rooms() const override {
        std::vector<std::string> names;
        for (const auto& [name, room] : rooms_) names.push_back(name);
        return names;
    }

    LogHead head(const std::string& room) const override {
        const Room& r = *rooms_.at(room);
        return {r.epoch, r.first, r.head()};
    }

    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes = {}) override {
        queue_.push_back(
            {rooms_.at(room), std::move(changes), Append{token, room, std::move(record)}});
    }

    void look_up(AppendToken token, const std::string& room, Record record) override {
        queue_.push_back({rooms_.at(room), {}, Append{token, room, std::move(record), true}});
    }

    void store(const std::string& room, std::vector<StateChange> changes) override {
        queue_.push_back({rooms_.at(room), std::move(changes), std::nullopt});
        store_first();
    }

    Result<RoomState> state(const std::string& room) const override {
        return rooms_.at(room)->state;
    }

    /// Stores the record, too: before that nobody may know of it.
    std::optional<AppendCompletion> poll_completion() override {
        store_first();
        std::optional<Step> step = pop_front(queue_);
        if (!step) return std::nullopt;
        AppendCompletion done = commit(*std::move(step));
        store_first();
        return done;
    }

    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override {
        const Room& r = *rooms_.at(room);
        std::vector<LoggedRecord> records;
        if (after >= r.head()) return records;
        for (Offset offset = std::max(after + 1, r.first);
             offset <= r.head() && records.size() < count_max; ++offset) {
            records.push_back(r.records[static_cast<std::size_t>(offset - r.first)]);
        }
        return records;
    }

    Result<std::vector<LoggedRecord>> files(const std::string& room) const override {
        std::vector<LoggedRecord> files;
        for (const LoggedRecord& logged : rooms_.at(room)->records) {
            if (logged.record.act.kind == Act::Kind::file) files.push_back(logged);
        }
        return files;
    }

    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const override {
        const Room& r = *rooms_.at(room);
        Reactions found;
        for (Offset offset = std::max(target, r.first); offset <= r.head(); ++offset) {
            const LoggedRecord& logged = r.records[static_cast<std::size_t>(offset - r.first)];
            count_reaction(found, logged.record, target, author, text);
        }
        return found;
    }

    Durability durability() const override { return Durability::memory; }

private:
    using Key = std::tuple<std::string, DeviceId, MessageId>;

    struct Room {
        Epoch epoch{};
        Retention retention;
        Offset first = 1;
        std::deque<LoggedRecord> records;
        std::int64_t bytes = 0;
        std::map<Key, Offset> ids;  ///< Also of records that are gone, see `authors`.
        Authors authors;
        RoomState state;

        Offset head() const { return first + records.size() - 1; }
        LoggedRecord& at(Offset offset) {
            return records[static_cast<std::size_t>(offset - first)];
        }
    };

    struct Append {
        AppendToken token = 0;
        std::string name;
        Record record;
        bool only_look_up = false;
    };

    /// Something to do, in the order in which it was asked.
    struct Step {
        std::shared_ptr<Room> room;  ///< Also if it is forgotten meanwhile.
        std::vector<StateChange> changes;
        std::optional<Append> append;
    };

    static AppendCompletion commit(Step step) {
        Room& r = *step.room;
        Record& record = step.append->record;
        AppendCompletion done{
            .token = step.append->token, .room = std::move(step.append->name), .epoch = r.epoch};
        const Key key = key_of(record);
        if (const auto found = r.ids.find(key); found != r.ids.end()) {
            recognise(r, record, found->second, done);
            return done;
        }
        const Offset offset = r.head() + 1;
        std::optional<std::vector<LoggedRecord>> changed = changed_by(r, record, offset);
        if (step.append->only_look_up || !changed) {
            done.error = Errc::no_such_message;
            return done;
        }
        if (is_too_hasty(r, record, *changed)) {
            done.error = Errc::rate_limited;
            return done;
        }
        for (LoggedRecord& logged : *changed) {
            Record& target = r.at(logged.offset).record;
            count(r, target, -1);
            target = std::move(logged.record);
            count(r, target, 1);
        }
        done.offset = offset;
        done.time = record.time;
        r.ids.emplace(key, offset);
        const std::string author = record.author;
        const DeviceId device = record.device;
        const std::int64_t bytes = bytes_of(record);
        r.bytes += bytes;
        r.records.push_back({offset, std::move(record)});
        r.authors.take({.author = author,
                        .device = device,
                        .bytes = bytes,
                        .records = 1,
                        .written = done.time});
        forget_surplus(r, author, device);
        change_state(r, std::move(step.changes));
        drop_oldest(r);
        return done;
    }

    /// The record has the name of the one that is or was at the offset.
    static void recognise(Room& r, const Record& record, Offset offset, AppendCompletion& done) {
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

    /// Does the changes of state that no append is before.
    void store_first() {
        while (!queue_.empty() && !queue_.front().append) {
            change_state(*queue_.front().room, std::move(queue_.front().changes));
            queue_.pop_front();
        }
    }

    static void change_state(Room& room, std::vector<StateChange> changes) {
        for (StateChange& change : changes) {
            if (change.value) {
                room.state[change.key] = *std::move(change.value);
            } else {
                room.state.erase(change.key);
            }
        }
    }

    /// The records that the one at `offset` will change, as they will be. Nothing: there is no
    /// message at its target.
    static std::optional<std::vector<LoggedRecord>> changed_by(Room& room, const Record& record,
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

    /// Whether the record would push out what another wrote a short while ago, and may not.
    static bool is_too_hasty(Room& room, const Record& record,
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

    /// Its bytes are taken away, -1, or added.
    static void count(Room& room, const Record& record, std::int64_t sign) {
        const std::int64_t bytes = sign * bytes_of(record);
        room.bytes += bytes;
        room.authors.take({.author = record.author, .device = record.device, .bytes = bytes});
    }

    static Key key_of(const Record& record) { return {record.author, record.device, record.id}; }

    static std::int64_t bytes_of(const Record& record) {
        return static_cast<std::int64_t>(sizeof(LoggedRecord) + record.author.size() +
                                         record.text.size() + record.attributes.size() +
                                         record.act.subject.size());
    }

    static void drop_oldest(Room& room) {
        while (!RoomSize{room.records.size(), room.bytes}.fits(room.retention)) {
            const LoggedRecord oldest = std::move(room.records.front());
            const Record& record = oldest.record;
            const std::int64_t bytes = bytes_of(record);
            room.bytes -= bytes;
            room.records.pop_front();
            ++room.first;
            const Authors::Step step = room.authors.drop(
                record.author, old_id_of(oldest), record.device, bytes, room.retention.ids_max);
            room.authors.take(step);
            if (!step.kept) room.ids.erase(key_of(record));
            forget_surplus(room, record.author, record.device);
        }
    }

    /// Of the ids without records.
    static void forget_surplus(Room& room, const std::string& author, const DeviceId& device) {
        while (const auto step =
                   room.authors.next_surplus(author, device, room.retention.ids_max)) {
            room.ids.erase({step->author, step->device, step->forgotten->id});
            room.authors.take(*step);
        }
    }

    Entropy entropy_;
    std::map<std::string, std::shared_ptr<Room>> rooms_;
    std::deque<Step> queue_;
};

}  // namespace quicchat
