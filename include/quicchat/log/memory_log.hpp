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
#include "quicchat/log/concept.hpp"

namespace quicchat {

/// The log that a crash loses: for tests, and for servers that need no history. Each room keeps the
/// newest records within its retention. Dedup reaches as far back as the records do.
class MemoryLog {
public:
    /// `entropy` gives the epochs.
    explicit MemoryLog(Entropy entropy) : entropy_(entropy) {}
    MemoryLog(MemoryLog&&) = default;
    MemoryLog& operator=(MemoryLog&&) = default;

    Result<LogHead> open(const std::string& room, Retention retention) {
        const auto [found, added] = rooms_.try_emplace(room);
        if (added) {
            found->second = std::make_shared<Room>();
            found->second->epoch = Epoch{entropy_.draw_number()};
        }
        found->second->retention = retention;
        return head(room);
    }

    void forget(const std::string& room) { rooms_.erase(room); }

    Result<std::vector<std::string>> rooms() const {
        std::vector<std::string> names;
        for (const auto& [name, room] : rooms_) names.push_back(name);
        return names;
    }

    LogHead head(const std::string& room) const {
        const Room& r = *rooms_.at(room);
        return {r.epoch, r.first, r.head()};
    }

    void append(AppendToken token, const std::string& room, Record record) {
        appends_.push_back({token, room, rooms_.at(room), std::move(record)});
    }

    /// Stores the record, too: before that nobody may know of it.
    std::optional<AppendCompletion> poll_completion() {
        std::optional<Append> append = pop_front(appends_);
        if (!append) return std::nullopt;
        return commit(*std::move(append));
    }

    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
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

    Durability durability() const { return Durability::memory; }

private:
    using Key = std::tuple<std::string, DeviceId, MessageId>;

    struct Room {
        Epoch epoch{};
        Retention retention;
        Offset first = 1;
        std::deque<LoggedRecord> records;
        std::size_t bytes = 0;
        std::map<Key, Offset> ids;

        Offset head() const { return first + records.size() - 1; }
    };

    struct Append {
        AppendToken token = 0;
        std::string name;
        std::shared_ptr<Room> room;  ///< Also if it is forgotten meanwhile.
        Record record;
    };

    static AppendCompletion commit(Append append) {
        Room& r = *append.room;
        Record& record = append.record;
        AppendCompletion done{
            .token = append.token, .room = std::move(append.name), .epoch = r.epoch};
        const Key key = key_of(record);
        if (const auto found = r.ids.find(key); found != r.ids.end()) {
            const LoggedRecord& first =
                r.records[static_cast<std::size_t>(found->second - r.first)];
            const bool same =
                first.record.text == record.text && first.record.attributes == record.attributes;
            done.error = same ? Errc{} : Errc::conflict;
            done.offset = first.offset;
            done.time = first.record.time;
            done.duplicate = same;
            return done;
        }
        done.offset = r.head() + 1;
        done.time = record.time;
        r.ids.emplace(key, done.offset);
        r.bytes += size_of(record);
        r.records.push_back({done.offset, std::move(record)});
        drop_oldest(r);
        return done;
    }

    static Key key_of(const Record& record) { return {record.author, record.device, record.id}; }

    static std::size_t size_of(const Record& record) {
        return sizeof(LoggedRecord) + record.author.size() + record.text.size() +
               record.attributes.size();
    }

    /// The newest record stays in any case: it was just acknowledged.
    static void drop_oldest(Room& room) {
        while (room.records.size() > 1 && (room.records.size() > room.retention.records_max ||
                                           room.bytes > room.retention.bytes_max)) {
            const Record& oldest = room.records.front().record;
            room.ids.erase(key_of(oldest));
            room.bytes -= size_of(oldest);
            room.records.pop_front();
            ++room.first;
        }
    }

    Entropy entropy_;
    std::map<std::string, std::shared_ptr<Room>> rooms_;
    std::deque<Append> appends_;
};

static_assert(RoomLog<MemoryLog>);

}  // namespace quicchat
