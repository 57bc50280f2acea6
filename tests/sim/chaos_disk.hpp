#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/entropy.hpp"
#include "quicchat/log/concept.hpp"

namespace quicchat::test {

/// What a log may do wrong on purpose, to see whether the judge notices.
enum class DiskFault {
    none,
    ack_before_commit,         ///< Completions come when the record is not on disk yet.
    unsynced,                  ///< A crash takes the last committed record as well.
    no_dedup,                  ///< Every append is stored.
    dedup_lost_on_restart,     ///< Only what was stored since the start is recognised.
    dedup_across_devices,      ///< The device is no part of the key.
    dedup_ignores_body,        ///< Another body under the same id is a success.
    offset_reused_on_restart,  ///< The newest record is overwritten by the next.
    epoch_kept_after_loss,     ///< A new log has the old one's epoch.
    epoch_new_on_restart,      ///< An old log has a new epoch.
    read_skips_a_record,
    read_gives_another_text,
    first_is_too_old,    ///< `head` promises records that retention has dropped.
    retention_eats_all,  ///< Retention drops the newest record as well.
    full_disk_says_yes,  ///< A full disk acknowledges what it does not store.
};

inline constexpr DiskFault last_disk_fault = DiskFault::full_disk_says_yes;

/// A simulated disk: what is in `rooms` survives a crash, what is `pending` does not.
struct Disk {
    struct Room {
        Epoch epoch{};
        Offset first = 1;
        Retention retention;
        std::vector<Record> records{};  ///< Since the epoch began, also what retention dropped.

        Offset head() const { return records.size(); }
    };
    struct Pending {
        AppendToken token = 0;
        std::string room;
        Record record;
        TimePoint due;
    };

    explicit Disk(std::uint64_t seed) : random(Entropy::seeded(seed)) {}

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random.draw_number() % (high - low + 1);
    }

    /// The machine loses its power: of what was under way, the first few may have arrived.
    void crash() {
        for (std::uint64_t arrived = draw(0, 2); arrived > 0 && !pending.empty(); --arrived) {
            if (!full) store(pending.front());
            pending.pop_front();
        }
        pending.clear();
        acked_early.clear();
        since_start.clear();
        for (auto& [name, room] : rooms) {
            if (fault == DiskFault::unsynced && room.head() > 0) room.records.pop_back();
            if (fault == DiskFault::offset_reused_on_restart && room.head() > 0) {
                room.records.pop_back();
            }
            if (fault == DiskFault::epoch_new_on_restart) room.epoch = Epoch{random.draw_number()};
        }
    }

    /// Somebody deletes the file.
    void wipe() {
        for (auto& [name, room] : rooms) {
            const Epoch old = room.epoch;
            room = {.epoch = Epoch{random.draw_number()}, .retention = room.retention};
            if (fault == DiskFault::epoch_kept_after_loss) room.epoch = old;
        }
    }

    /// Stores a record, or finds that it is there.
    AppendCompletion store(const Pending& append) {
        const std::string& name = append.room;
        Room& room = rooms.at(name);
        AppendCompletion done{.token = append.token, .room = append.room, .epoch = room.epoch};
        done.durability = Durability::fsync;
        const std::optional<Offset> found = find(name, append.record);
        if (found) {
            const Record& first = room.records[*found - 1];
            const bool same = first.text == append.record.text;
            done.offset = *found;
            done.time = first.time;
            done.duplicate = same || fault == DiskFault::dedup_ignores_body;
            if (!done.duplicate) done.error = Errc::conflict;
            return done;
        }
        room.records.push_back(append.record);
        done.offset = room.head();
        done.time = append.record.time;
        since_start.insert_or_assign({name, done.offset}, true);
        const Offset kept = room.retention.records_max;
        if (room.head() + 1 - room.first > kept) room.first = room.head() + 1 - kept;
        if (fault == DiskFault::retention_eats_all && room.head() % 50 == 0) {
            room.first = room.head() + 1;
        }
        return done;
    }

    std::optional<Offset> find(const std::string& name, const Record& wanted) const {
        const Room& room = rooms.at(name);
        if (fault == DiskFault::no_dedup) return std::nullopt;
        for (Offset offset = room.first; offset <= room.head(); ++offset) {
            const Record& r = room.records[offset - 1];
            const bool same_device =
                r.device == wanted.device || fault == DiskFault::dedup_across_devices;
            if (r.id != wanted.id || r.author != wanted.author || !same_device) continue;
            const bool lost =
                fault == DiskFault::dedup_lost_on_restart && since_start.count({name, offset}) == 0;
            if (!lost) return offset;
        }
        return std::nullopt;
    }

    DiskFault fault = DiskFault::none;
    Entropy random;
    TimePoint now{};
    bool full = false;
    bool was_full = false;  ///< Ever.
    std::map<std::string, Room> rooms;
    std::deque<Pending> pending;
    std::deque<AppendCompletion> acked_early;
    std::map<std::pair<std::string, Offset>, bool> since_start;
};

/// A log on a simulated disk.
class DiskLog {
public:
    explicit DiskLog(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}

    Result<LogHead> open(const std::string& room, Retention retention) {
        const auto [place, added] = disk_->rooms.try_emplace(room);
        if (added) place->second.epoch = Epoch{disk_->random.draw_number()};
        place->second.retention = retention;
        return head(room);
    }
    void forget(const std::string& room) { disk_->rooms.erase(room); }
    Result<std::vector<std::string>> rooms() const {
        std::vector<std::string> names;
        for (const auto& [name, room] : disk_->rooms) names.push_back(name);
        return names;
    }
    LogHead head(const std::string& room) const {
        const Disk::Room& r = disk_->rooms.at(room);
        const bool lies = disk_->fault == DiskFault::first_is_too_old;
        return {r.epoch, lies ? 1 : r.first, r.head()};
    }
    void append(AppendToken token, const std::string& room, Record record) {
        const auto delay = std::chrono::microseconds{disk_->draw(0, 8000)};
        TimePoint due = disk_->now + delay;
        if (!disk_->pending.empty()) due = std::max(due, disk_->pending.back().due);
        disk_->pending.push_back({token, room, std::move(record), due});
        if (disk_->fault != DiskFault::ack_before_commit) return;
        Disk copy = *disk_;
        for (const Disk::Pending& earlier : disk_->pending) {
            const AppendCompletion done = copy.store(earlier);
            if (done.token == token) disk_->acked_early.push_back(done);
        }
    }
    std::optional<AppendCompletion> poll_completion() {
        std::optional<AppendCompletion> done;
        if (!disk_->pending.empty() && disk_->pending.front().due <= disk_->now) {
            const Disk::Pending append = std::move(disk_->pending.front());
            disk_->pending.pop_front();
            done = disk_->full ? refuse(append) : disk_->store(append);
        }
        if (disk_->fault != DiskFault::ack_before_commit) return done;
        done.reset();
        if (!disk_->acked_early.empty()) {
            done = std::move(disk_->acked_early.front());
            disk_->acked_early.pop_front();
        }
        return done;
    }
    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const {
        const Disk::Room& r = disk_->rooms.at(room);
        std::vector<LoggedRecord> records;
        Offset offset = std::max(after + 1, r.first);
        if (disk_->fault == DiskFault::read_skips_a_record && offset % 7 == 0) ++offset;
        for (; offset <= r.head() && records.size() < count_max; ++offset) {
            records.push_back({offset, r.records[offset - 1]});
            if (disk_->fault == DiskFault::read_gives_another_text) {
                records.back().record.text += "!";
            }
        }
        return records;
    }
    Durability durability() const { return Durability::fsync; }

private:
    AppendCompletion refuse(const Disk::Pending& append) {
        AppendCompletion done{.token = append.token, .room = append.room};
        const std::optional<Offset> found = disk_->find(append.room, append.record);
        if (found) return disk_->store(append);
        done.error = Errc::storage_full;
        if (disk_->fault == DiskFault::full_disk_says_yes) {
            const Disk::Room& room = disk_->rooms.at(append.room);
            done = {.token = append.token, .room = append.room, .epoch = room.epoch};
            done.offset = room.head();
            done.duplicate = true;
        }
        return done;
    }

    std::shared_ptr<Disk> disk_;
};

static_assert(RoomLog<DiskLog>);

}  // namespace quicchat::test
