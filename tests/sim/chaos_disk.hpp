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
#include "quicchat/log/repeat.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn_work.hpp"

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
    edit_changes_nothing,
    deletion_changes_nothing,
    deletion_keeps_edits,   ///< The text is gone, but not that of its edits.
    target_may_be_gone,     ///< What is deleted can be edited.
    state_lost_on_restart,  ///< Who is banned, and what a room is called.
    state_changed_twice,    ///< An act that is sent again changes the state again.
    look_up_finds_nothing,  ///< What was stored is refused when it is sent again.
    reactions_forgotten,    ///< No reaction is there.
    ids_go_with_records,    ///< What retention dropped is not recognised any more.
};

inline constexpr DiskFault last_disk_fault = DiskFault::ids_go_with_records;

/// A simulated disk: what is in `rooms` survives a crash, what is `pending` does not.
struct Disk {
    struct Room {
        Epoch epoch{};
        Offset first = 1;
        Retention retention;
        std::vector<Record> records{};    ///< Since the epoch began, also what retention dropped.
        std::vector<Record> originals{};  ///< The same, before anything changed them.
        RoomState state{};

        Offset head() const { return records.size(); }
    };
    struct Pending {
        enum class Kind { append, look_up, store };
        Kind kind = Kind::append;
        AppendToken token = 0;
        std::string room;
        Record record;
        std::vector<StateChange> changes;
        TimePoint due;
    };

    explicit Disk(std::uint64_t seed) : random(Entropy::seeded(seed)) {}

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random.draw_number() % (high - low + 1);
    }

    /// The machine loses its power: of what was under way, the first few may have arrived.
    void crash() {
        ++changes;
        for (std::uint64_t arrived = draw(0, 2); arrived > 0 && !pending.empty(); --arrived) {
            if (!full && rooms.count(pending.front().room) != 0) apply(pending.front());
            pending.pop_front();
        }
        pending.clear();
        postponed.clear();
        acked_early.clear();
        since_start.clear();
        for (auto& [name, room] : rooms) {
            if (fault == DiskFault::unsynced && room.head() > 0) drop_newest(room);
            if (fault == DiskFault::offset_reused_on_restart && room.head() > 0) {
                drop_newest(room);
            }
            if (fault == DiskFault::epoch_new_on_restart) room.epoch = Epoch{random.draw_number()};
            if (fault == DiskFault::state_lost_on_restart) room.state.clear();
        }
    }

    /// Somebody deletes the file.
    void wipe() {
        ++changes;
        for (auto& [name, room] : rooms) {
            const Epoch old = room.epoch;
            room = {.epoch = Epoch{random.draw_number()}, .retention = room.retention};
            if (fault == DiskFault::epoch_kept_after_loss) room.epoch = old;
        }
    }

    static void drop_newest(Room& room) {
        room.records.pop_back();
        room.originals.pop_back();
    }

    /// Does what was asked for. What has no news has no token.
    LogNews apply(const Pending& asked) {
        if (asked.kind != Pending::Kind::store) return store(asked);
        apply_changes(rooms.at(asked.room), asked.changes);
        return {};
    }

    static void apply_changes(Room& room, const std::vector<StateChange>& changes) {
        for (const StateChange& change : changes) {
            if (change.value) {
                room.state[change.key] = *change.value;
            } else {
                room.state.erase(change.key);
            }
        }
    }

    /// Stores a record, or finds that it is there.
    LogNews store(const Pending& append) {
        const std::string& name = append.room;
        Room& room = rooms.at(name);
        LogNews done{.token = append.token, .room = append.room, .epoch = room.epoch};
        done.durability = Durability::fsync;
        const std::optional<Offset> found = find(name, append.record);
        if (found) {
            const Record& first = room.records[*found - 1];
            const bool same = is_repeat(first, append.record);
            done.offset = *found;
            done.time = first.time;
            done.duplicate = same || fault == DiskFault::dedup_ignores_body;
            if (!done.duplicate) done.error = Errc::conflict;
            if (fault == DiskFault::state_changed_twice) apply_changes(room, append.changes);
            return done;
        }
        if (append.kind == Pending::Kind::look_up || !may_change(room, append.record.act)) {
            done.error = Errc::no_such_message;
            return done;
        }
        ++changes;
        room.records.push_back(append.record);
        room.originals.push_back(append.record);
        change_target(room, append.record.act);
        apply_changes(room, append.changes);
        done.offset = room.head();
        done.time = append.record.time;
        done.record = append.record;
        since_start.insert_or_assign({name, done.offset}, true);
        const Offset kept = room.retention.records_max;
        if (room.head() + 1 - room.first > kept) room.first = room.head() + 1 - kept;
        if (fault == DiskFault::retention_eats_all && room.head() % 20 == 0) {
            room.first = room.head() + 1;
        }
        return done;
    }

    /// Whether the act has what it wants to change.
    bool may_change(const Room& room, const Act& act) const {
        if (act.kind != Act::Kind::edit && act.kind != Act::Kind::deletion) return true;
        if (act.target < room.first || act.target > room.head()) return false;
        const Act::Kind kind = room.records[act.target - 1].act.kind;
        const bool is_file = kind == Act::Kind::file && act.kind == Act::Kind::deletion;
        return kind == Act::Kind::message || is_file || fault == DiskFault::target_may_be_gone;
    }

    /// The newest record changes another one.
    void change_target(Room& room, const Act& act) const {
        const Offset by = room.head();
        const auto change = [&](Record& record, const std::string& text) {
            record.text = text;
            record.attributes = text.empty() ? "{}" : room.records[by - 1].attributes;
            record.changed_by = by;
        };
        Record& target = room.records[act.target == 0 ? 0 : act.target - 1];
        if (act.kind == Act::Kind::edit && fault != DiskFault::edit_changes_nothing) {
            change(target, room.records[by - 1].text);
        }
        if (act.kind != Act::Kind::deletion || fault == DiskFault::deletion_changes_nothing) return;
        change(target, "");
        target.act = make_tombstone(target.act);
        if (fault == DiskFault::deletion_keeps_edits) return;
        for (Offset offset = room.first; offset <= room.head(); ++offset) {
            Record& r = room.records[offset - 1];
            if (r.act.kind == Act::Kind::edit && r.act.target == act.target) change(r, "");
        }
    }

    std::optional<Offset> find(const std::string& name, const Record& wanted) const {
        const Room& room = rooms.at(name);
        if (fault == DiskFault::no_dedup) return std::nullopt;
        std::size_t newer = 0;  // ids of the same device
        for (Offset offset = room.head(); offset >= 1; --offset) {
            const Record& r = room.records[offset - 1];
            const bool same_device =
                r.device == wanted.device || fault == DiskFault::dedup_across_devices;
            if (r.author != wanted.author || !same_device) continue;
            const bool kept =
                newer < room.retention.ids_max && fault != DiskFault::ids_go_with_records;
            ++newer;
            if (r.id != wanted.id || (offset < room.first && !kept)) continue;
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
    bool was_full = false;      ///< Ever.
    std::uint64_t changes = 0;  ///< Counts what may have changed `rooms`.
    std::map<std::string, Room> rooms;
    std::deque<Pending> pending;
    std::deque<Pending> postponed;  ///< Changes of state that a full disk did not take.
    std::deque<LogNews> acked_early;
    std::map<std::pair<std::string, Offset>, bool> since_start;

    /// What was asked for in one turn of the server.
    struct Work {
        std::size_t read = 0;                      ///< For whom is not known here.
        std::map<std::string, std::size_t> put{};  ///< By author.
        std::size_t longest = 0;                   ///< A single record of them.
    };
    Work work{};

    std::size_t size_for_work(const Record& record) {
        const std::size_t size = TurnWork::step + record.text.size();
        work.longest = std::max(work.longest, size);
        return size;
    }
};

/// A log on a simulated disk.
class DiskLog : public RoomLog {
public:
    explicit DiskLog(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}

    Result<LogHead> open(const std::string& room, Retention retention) override {
        ++disk_->changes;
        const auto [place, added] = disk_->rooms.try_emplace(room);
        if (added) place->second.epoch = Epoch{disk_->random.draw_number()};
        place->second.retention = retention;
        return head(room);
    }
    void forget(const std::string& room) override {
        ++disk_->changes;
        disk_->rooms.erase(room);
    }
    Result<std::vector<std::string>> rooms() const override {
        std::vector<std::string> names;
        for (const auto& [name, room] : disk_->rooms) names.push_back(name);
        return names;
    }
    LogHead head(const std::string& room) const override {
        const Disk::Room& r = disk_->rooms.at(room);
        const bool lies = disk_->fault == DiskFault::first_is_too_old;
        return {r.epoch, lies ? 1 : r.first, r.head()};
    }
    Result<RoomState> state(const std::string& room) const override {
        return disk_->rooms.at(room).state;
    }
    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes) override {
        disk_->work.put[record.author] += disk_->size_for_work(record);
        ask({Disk::Pending::Kind::append, token, room, std::move(record), std::move(changes), {}});
        if (disk_->fault != DiskFault::ack_before_commit) return;
        Disk copy = *disk_;
        for (const Disk::Pending& earlier : disk_->pending) {
            const LogNews done = copy.apply(earlier);
            if (done.token == token) disk_->acked_early.push_back(done);
        }
    }
    void look_up(AppendToken token, const std::string& room, Record record) override {
        ask({Disk::Pending::Kind::look_up, token, room, std::move(record), {}, {}});
    }
    void trim(const std::string&, WallTime) override {}  // no script chooses a retention
    void store(const std::string& room, std::vector<StateChange> changes) override {
        ask({Disk::Pending::Kind::store, 0, room, {}, std::move(changes), {}});
    }
    std::optional<LogNews> poll_news() override {
        std::optional<LogNews> done;
        while (!done && !disk_->pending.empty() && disk_->pending.front().due <= disk_->now) {
            const Disk::Pending asked = std::move(disk_->pending.front());
            disk_->pending.pop_front();
            if (disk_->rooms.count(asked.room) != 0) {
                done = disk_->full ? refuse(asked) : apply(asked);
            } else {  // it was forgotten
                done = {.token = asked.token, .room = asked.room, .error = Errc::no_such_message};
            }
            if (!done->token) done.reset();
        }
        if (disk_->fault != DiskFault::ack_before_commit) return done;
        if (done && done->error == Errc::no_such_message) return done;
        done.reset();
        if (!disk_->acked_early.empty()) {
            done = std::move(disk_->acked_early.front());
            disk_->acked_early.pop_front();
        }
        return done;
    }
    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override {
        const Disk::Room& r = disk_->rooms.at(room);
        std::vector<LoggedRecord> records;
        Offset offset = std::max(after + 1, r.first);
        if (disk_->fault == DiskFault::read_skips_a_record && offset % 7 == 0) ++offset;
        for (; offset <= r.head() && records.size() < count_max; ++offset) {
            records.push_back({offset, r.records[offset - 1]});
            disk_->work.read += disk_->size_for_work(records.back().record);
            if (disk_->fault == DiskFault::read_gives_another_text) {
                records.back().record.text += "!";
            }
        }
        return records;
    }
    Result<std::vector<LoggedRecord>> files(const std::string& room) const override {
        const Disk::Room& r = disk_->rooms.at(room);
        std::vector<LoggedRecord> files;
        for (Offset offset = r.first; offset <= r.head(); ++offset) {
            const Record& record = r.records[offset - 1];
            if (record.act.kind == Act::Kind::file) files.push_back({offset, record});
        }
        return files;
    }
    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const override {
        const Disk::Room& r = disk_->rooms.at(room);
        Reactions found;
        for (Offset offset = r.first; offset <= r.head(); ++offset) {
            const Record& record = r.records[offset - 1];
            const bool adds = record.act.kind == Act::Kind::reaction;
            if (record.act.target != target) continue;
            if (!adds && record.act.kind != Act::Kind::unreaction) continue;
            ++found.records;
            if (record.author == author) ++found.by_author;
            if (record.author == author && record.text == text) found.there = adds;
        }
        if (disk_->fault == DiskFault::reactions_forgotten) found.there = false;
        return found;
    }
    Durability durability() const override { return Durability::fsync; }

private:
    void ask(Disk::Pending asked) {
        asked.due = disk_->now + std::chrono::microseconds{disk_->draw(0, 8000)};
        if (!disk_->pending.empty()) asked.due = std::max(asked.due, disk_->pending.back().due);
        disk_->pending.push_back(std::move(asked));
    }

    LogNews apply(const Disk::Pending& asked) {
        for (const Disk::Pending& earlier : std::exchange(disk_->postponed, {})) {
            if (disk_->rooms.count(earlier.room) != 0) disk_->apply(earlier);
        }
        const bool blind = disk_->fault == DiskFault::look_up_finds_nothing;
        if (blind && asked.kind == Disk::Pending::Kind::look_up) {
            return {.token = asked.token, .room = asked.room, .error = Errc::no_such_message};
        }
        return disk_->apply(asked);
    }

    LogNews refuse(const Disk::Pending& asked) {
        LogNews done{.token = asked.token, .room = asked.room};
        if (asked.kind == Disk::Pending::Kind::store) {
            disk_->postponed.push_back(asked);
            return {};
        }
        if (asked.kind == Disk::Pending::Kind::look_up || disk_->find(asked.room, asked.record)) {
            return apply(asked);
        }
        done.error = Errc::storage_full;
        const bool lies = disk_->fault == DiskFault::full_disk_says_yes;
        if (lies && !asked.room.starts_with(RoomStore::reserved)) {
            const Disk::Room& room = disk_->rooms.at(asked.room);
            done = {.token = asked.token, .room = asked.room, .epoch = room.epoch};
            done.offset = room.head();
            done.duplicate = true;
        }
        return done;
    }

    std::shared_ptr<Disk> disk_;
};

}  // namespace quicchat::test
