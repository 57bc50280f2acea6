#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/base/hex.hpp"
#include "quicchat/server/files/file_index.hpp"
#include "sim/chaos_disk.hpp"
#include "sim/chaos_files.hpp"
#include "sim/chaos_model.hpp"
#include "sim/chaos_witness.hpp"

namespace quicchat::test {

/// Every record that ever stood on the disk, and whether it might.
class Records {
public:
    /// A file that a record announces.
    struct LiveFile {
        std::string room;  ///< The key of its log.
        Epoch epoch{};
        Offset offset = 0;
        const Record* record = nullptr;
    };

    Records(const Disk& disk, const FileDisk& files, const Limits& limits,
            std::string operator_name)
        : disk_(&disk), files_(&files), limits_(limits), operator_(std::move(operator_name)) {}

    /// Call after everything that may have changed the disk, before the devices read.
    void look() {
        require(!files_->gave_what_is_gone, "bytes of a file were read whose record had gone");
        if (std::exchange(seen_changes_, disk_->changes) == disk_->changes) return;
        for (const auto& [name, room] : disk_->rooms) {
            if (name.starts_with(RoomStore::reserved)) continue;  // display names
            History& history = histories_[{name, room.epoch}];
            RoomModel& model = models_.try_emplace({name, room.epoch}, operator_).first->second;
            for (Offset offset = 1; offset <= history.size() && offset <= room.head(); ++offset) {
                const Record& now = room.originals[offset - 1];
                require(now.id == history[offset - 1].id && now.text == history[offset - 1].text,
                        "a record changed on disk");
                offset = std::max(offset, static_cast<Offset>(history.size()) - 1);
            }
            require(room.head() >= history.size(), "a committed record is gone from the disk");
            while (history.size() < room.head()) {
                const Record& record = room.originals[history.size()];
                require(
                    said_.count({name, record.author, record.device, record.id, record.text}) != 0,
                    "a record that nobody published");
                model.apply(record);
                const auto key = std::tuple{name, record.author, record.device, record.id};
                // Nobody sends as much as a log recognises.
                require(stored_.insert({room.epoch, key}).second, "a message was stored twice");
                history.push_back(record);
                if (record.act.kind == Act::Kind::file) look_at_file(name, room, history.size());
            }
            require(room.first <= std::max<Offset>(room.head(), 1),
                    "retention took the newest record");
        }
    }

    void note_said(const Witness& w, const Witness::Message& message) {
        said_.insert({message.room, w.user, w.device, message.id, message.text});
    }

    /// The disk was wiped.
    void note_loss() {
        for (const auto& [key, history] : histories_) lost_.insert(key);
    }
    bool is_lost(const std::string& room, Epoch epoch) const {
        return lost_.count({room, epoch}) != 0;
    }

    const Disk& disk() const { return *disk_; }

    const RoomModel& model(const std::string& room, Epoch epoch) const {
        return models_.at({room, epoch});
    }
    const RoomModel* find_model(const std::string& room, Epoch epoch) const {
        const auto found = models_.find({room, epoch});
        return found == models_.end() ? nullptr : &found->second;
    }

    /// As it was published.
    const Record& at(const std::string& room, Epoch epoch, Offset offset) const {
        const auto history = histories_.find({room, epoch});
        require(history != histories_.end(), "an epoch that no log ever had");
        require(offset >= 1 && offset <= history->second.size(),
                "something was told that is not on disk");
        return history->second[offset - 1];
    }

    /// The text that a record has after what is said to have changed it.
    const std::string& text_after(const std::string& room, Epoch epoch, const Record& record,
                                  Offset offset, Offset changed_by) const {
        static const std::string none;
        if (changed_by == 0) return record.text;
        const Record& change = at(room, epoch, changed_by);
        const Offset message = record.act.kind == Act::Kind::edit ? record.act.target : offset;
        require(change.act.target == message, "changed by what is about another message");
        if (change.act.kind == Act::Kind::deletion) return none;
        require(change.act.kind == Act::Kind::edit, "changed by what changes nothing");
        return change.text;
    }

    /// Whether the log has that message, or had it before retention dropped it.
    bool is_there(const Witness& w, const Witness::Message& message) const {
        const auto found = disk_->rooms.find(message.room);
        if (found == disk_->rooms.end()) return false;
        const Disk::Room& room = found->second;
        return std::ranges::any_of(room.records,
                                   [&](const Record& r) { return is_same_key(w, message, r); });
    }

    /// Whether some log had another message under the same id.
    bool was_used(const Witness& w, const Witness::Message& message) const {
        return was_there(w, message, [&](Offset, const Record& r) {
            return r.text != message.text || r.act != message.act;
        });
    }

    /// Whether the log had that message before, at another place.
    bool was_dropped(const Witness& w, const Witness::Message& message, Offset offset) const {
        return was_there(w, message, [&](Offset other, const Record&) { return other != offset; });
    }

    // Files.

    /// Those that a record announces now.
    std::vector<LiveFile> live_files() const {
        std::vector<LiveFile> found;
        for (const auto& [name, room] : disk_->rooms) {
            for (Offset offset = room.first; offset <= room.head(); ++offset) {
                const Record& r = room.records[offset - 1];
                if (r.act.kind == Act::Kind::file) found.push_back({name, room.epoch, offset, &r});
            }
        }
        return found;
    }

    bool is_live_file(const std::string& name, Epoch epoch, Offset offset) const {
        const auto found = disk_->rooms.find(name);
        if (found == disk_->rooms.end() || found->second.epoch != epoch) return false;
        const Disk::Room& room = found->second;
        return offset >= room.first && offset <= room.head() &&
               room.records[offset - 1].act.kind == Act::Kind::file;
    }

    /// Whether that file was there and has gone.
    bool is_gone_file(const Witness& w, const Witness::Message& message) const {
        const auto found = disk_->rooms.find(message.room);
        if (found == disk_->rooms.end() || message.act.kind != Act::Kind::file) return false;
        const Disk::Room& room = found->second;
        for (Offset offset = 1; offset <= room.head(); ++offset) {
            if (!is_same_key(w, message, room.records[offset - 1])) continue;
            return !is_live_file(message.room, room.epoch, offset);
        }
        return false;
    }

    /// Bytes of the files that an account has sent and that are there.
    std::uint64_t file_bytes_of(const std::string& user) const {
        std::uint64_t bytes = 0;
        for (const LiveFile& file : live_files()) {
            if (file.record->author == user) bytes += file.record->act.value;
        }
        return bytes;
    }

    /// The same of all files in a room, and of all files.
    std::uint64_t file_bytes_in(const std::string& room) const {
        std::uint64_t bytes = 0;
        for (const LiveFile& file : live_files()) {
            if (file.room == room) bytes += file.record->act.value;
        }
        return bytes;
    }
    std::uint64_t file_bytes() const {
        std::uint64_t bytes = 0;
        for (const LiveFile& file : live_files()) bytes += file.record->act.value;
        return bytes;
    }

    /// The store has the files that records announce, and no others.
    void require_exact_store() const {
        std::set<std::string> keys;
        for (const LiveFile& file : live_files()) {
            keys.insert(file_key(file.room, file.epoch, *file.record));
            require_safe(file.room, file.epoch, *file.record);
        }
        for (const auto& [key, file] : files_->files) {
            require(keys.count(key) != 0, "bytes of a file are there that no record announces");
        }
    }

private:
    using History = std::vector<Record>;
    using Key = std::tuple<std::string, std::string, DeviceId, MessageId>;

    static bool is_same_key(const Witness& w, const Witness::Message& message, const Record& r) {
        return r.id == message.id && r.author == w.user && r.device == w.device;
    }

    template <class Fits>
    bool was_there(const Witness& w, const Witness::Message& message, const Fits& fits) const {
        for (const auto& [place, history] : histories_) {
            if (place.first != message.room) continue;
            for (Offset offset = 1; offset <= history.size(); ++offset) {
                const Record& r = history[offset - 1];
                if (is_same_key(w, message, r) && fits(offset, r)) return true;
            }
        }
        return false;
    }

    /// A record announces a file: its bytes are safe by then, and within all limits.
    void look_at_file(const std::string& name, const Disk::Room& room, Offset offset) const {
        if (!is_live_file(name, room.epoch, offset)) return;  // deleted in the same turn
        const Record& record = room.records[offset - 1];
        require_safe(name, room.epoch, record);
        require(record.act.value <= limits_.file_bytes_max, "a file is too large");
        require(file_bytes_of(record.author) <= limits_.files_per_account_bytes_max,
                "an account has more files than it may");
        require(file_bytes_in(name) <= limits_.files_per_room_bytes_max,
                "a room has more files than it may");
        require(file_bytes() <= limits_.files_bytes_max, "there are more files than may be");
    }

    void require_safe(const std::string& name, Epoch epoch, const Record& record) const {
        const auto file = files_->files.find(file_key(name, epoch, record));
        require(file != files_->files.end(), "a file is announced and not there");
        const FileDisk::File& f = file->second;
        require(f.complete && f.is_synced, "a file is announced before its bytes are safe");
        require(encode_hex(ReferenceCrypto::sha256(f.bytes)) == record.act.subject,
                "a file is announced with other bytes");
    }

    const Disk* disk_;
    const FileDisk* files_;
    Limits limits_;
    std::string operator_;
    std::uint64_t seen_changes_ = ~std::uint64_t{0};
    std::map<std::pair<std::string, Epoch>, History> histories_;
    std::map<std::pair<std::string, Epoch>, RoomModel> models_;
    std::set<std::pair<std::string, Epoch>> lost_;
    std::set<std::tuple<std::string, std::string, DeviceId, MessageId, std::string>> said_;
    std::set<std::pair<Epoch, Key>> stored_;
};

}  // namespace quicchat::test
