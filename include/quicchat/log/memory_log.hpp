#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
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
        std::size_t bytes = 0;
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
        if (step.append->only_look_up ||
            (is_change(record.act) && !change_target(r, record, offset))) {
            done.error = Errc::no_such_message;
            return done;
        }
        done.offset = offset;
        done.time = record.time;
        r.ids.emplace(key, offset);
        const auto size = static_cast<std::int64_t>(size_of(record));
        r.bytes += size_of(record);
        const std::string author = record.author;
        const DeviceId device = record.device;
        r.records.push_back({offset, std::move(record)});
        r.authors.take({.author = author, .device = device, .bytes = size, .records = 1});
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

    /// Does to the message at the target what the record at `offset` will say. False: there is
    /// none.
    static bool change_target(Room& room, const Record& record, Offset offset) {
        const Act& act = record.act;
        if (act.target < room.first || act.target > room.head()) return false;
        Record& target = room.at(act.target).record;
        if (!is_changeable(target.act, act)) return false;
        if (act.kind == Act::Kind::edit) {
            change(room, target, record.text, record.attributes, offset);
            return true;
        }
        count(room, target, -1);
        target.act = make_tombstone(target.act);
        count(room, target, 1);
        change(room, target, "", blank_attributes, offset);
        for (LoggedRecord& logged : room.records) {
            const Act& other = logged.record.act;
            if (other.kind != Act::Kind::edit || other.target != act.target) continue;
            change(room, logged.record, "", blank_attributes, offset);
        }
        return true;
    }

    static void change(Room& room, Record& record, const std::string& text,
                       const std::string& attributes, Offset changed_by) {
        count(room, record, -1);
        record.text = text;
        record.attributes = attributes;
        record.changed_by = changed_by;
        count(room, record, 1);
    }

    /// Its bytes are taken away, -1, or added.
    static void count(Room& room, const Record& record, std::int64_t sign) {
        const std::int64_t bytes = sign * static_cast<std::int64_t>(size_of(record));
        room.bytes += static_cast<std::size_t>(bytes);
        room.authors.take({.author = record.author, .device = record.device, .bytes = bytes});
    }

    static Key key_of(const Record& record) { return {record.author, record.device, record.id}; }

    static std::size_t size_of(const Record& record) {
        return sizeof(LoggedRecord) + record.author.size() + record.text.size() +
               record.attributes.size() + record.act.subject.size();
    }

    /// The newest record stays in any case: it was just acknowledged.
    static void drop_oldest(Room& room) {
        while (room.records.size() > 1 && (room.records.size() > room.retention.records_max ||
                                           room.bytes > room.retention.bytes_max)) {
            const LoggedRecord oldest = std::move(room.records.front());
            const Record& record = oldest.record;
            room.bytes -= size_of(record);
            room.records.pop_front();
            ++room.first;
            const Authors::Step step = room.authors.drop(
                record.author, old_id_of(oldest), record.device,
                static_cast<std::int64_t>(size_of(record)), room.retention.ids_max);
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
