#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
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

    Result<LogHead> open(const std::string& room, Retention retention) {
        const auto [found, added] = rooms_.try_emplace(room);
        if (added) found->second.epoch = Epoch{entropy_.draw_number()};
        found->second.retention = retention;
        return head(room);
    }

    void forget(const std::string& room) { rooms_.erase(room); }

    LogHead head(const std::string& room) const {
        const Room& r = rooms_.at(room);
        return {r.epoch, r.first, r.head()};
    }

    void append(AppendToken token, const std::string& room, Record record) {
        Room& r = rooms_.at(room);
        AppendCompletion done{.token = token, .room = room, .epoch = r.epoch};

        const Key key{record.author, record.id};
        if (const auto found = r.ids.find(key); found != r.ids.end()) {
            const LoggedRecord& first =
                r.records[static_cast<std::size_t>(found->second - r.first)];
            const bool same =
                first.record.text == record.text && first.record.attributes == record.attributes;
            done.error = same ? Errc{} : Errc::conflict;
            done.offset = first.offset;
            done.time = first.record.time;
            done.duplicate = same;
        } else {
            done.offset = r.head() + 1;
            done.time = record.time;
            r.ids.emplace(key, done.offset);
            r.bytes += size_of(record);
            r.records.push_back({done.offset, std::move(record)});
            drop_oldest(r);
        }
        completions_.push_back(std::move(done));
    }

    std::optional<AppendCompletion> poll_completion() { return pop_front(completions_); }

    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const {
        const Room& r = rooms_.at(room);
        std::vector<LoggedRecord> records;
        for (Offset offset = std::max(after + 1, r.first);
             offset <= r.head() && records.size() < count_max; ++offset) {
            records.push_back(r.records[static_cast<std::size_t>(offset - r.first)]);
        }
        return records;
    }

    Durability durability() const { return Durability::memory; }

private:
    using Key = std::pair<std::string, MessageId>;

    struct Room {
        Epoch epoch{};
        Retention retention;
        Offset first = 1;
        std::deque<LoggedRecord> records;
        std::size_t bytes = 0;
        std::map<Key, Offset> ids;

        Offset head() const { return first + records.size() - 1; }
    };

    static std::size_t size_of(const Record& record) {
        return sizeof(LoggedRecord) + record.author.size() + record.text.size() +
               record.attributes.size();
    }

    /// The newest record stays in any case: it was just acknowledged.
    static void drop_oldest(Room& room) {
        while (room.records.size() > 1 && (room.records.size() > room.retention.records_max ||
                                           room.bytes > room.retention.bytes_max)) {
            const Record& oldest = room.records.front().record;
            room.ids.erase(Key{oldest.author, oldest.id});
            room.bytes -= size_of(oldest);
            room.records.pop_front();
            ++room.first;
        }
    }

    Entropy entropy_;
    std::map<std::string, Room> rooms_;
    std::deque<AppendCompletion> completions_;
};

static_assert(RoomLog<MemoryLog>);

}  // namespace quicchat
