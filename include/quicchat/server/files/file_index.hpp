#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/hex.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// What a store of files knows a file by: the room's log and what names a record in it, so that it
/// is the same however often the file is sent (PROTOCOL.md §6.16).
inline std::string file_key(const std::string& room, Epoch epoch, const Record& record) {
    return room + "/" + std::to_string(static_cast<std::uint64_t>(epoch)) + "/" + record.author +
           "/" + encode_hex(record.device.bytes) + encode_hex(record.id.bytes);
}

/// Which files there are because a record says so, and how much they take. A file goes when its
/// record does.
class FileIndex {
public:
    /// False: `note` would do nothing.
    bool concerns(const std::string& room, const Act& act) const {
        return act.kind == Act::Kind::file || (!rooms_.empty() && rooms_.count(room) != 0);
    }

    /// A record was committed, or was there at the start. `first` is the oldest one that its room's
    /// log keeps.
    void note(const std::string& room, Epoch epoch, const LoggedRecord& logged, Offset first) {
        const Act& act = logged.record.act;
        if (act.kind == Act::Kind::file) {
            Entry entry{file_key(room, epoch, logged.record), canonical_name(logged.record.author),
                        act.value};
            bytes_by_room_[room] += entry.size;
            bytes_by_account_[entry.account] += entry.size;
            bytes_ += entry.size;
            rooms_[room].emplace(logged.offset, std::move(entry));
        }
        const auto found = rooms_.find(room);
        if (found == rooms_.end()) return;
        if (act.kind == Act::Kind::deletion) drop(found, found->second.find(act.target));
        while (!found->second.empty() && found->second.begin()->first < first) {
            drop(found, found->second.begin());
        }
        if (found->second.empty()) forget(room);
    }

    /// The room is gone.
    void forget(const std::string& room) {
        const auto found = rooms_.find(room);
        if (found == rooms_.end()) return;
        while (!found->second.empty()) drop(found, found->second.begin());
        rooms_.erase(found);
        bytes_by_room_.erase(room);
    }

    /// The key of a file that is not wanted any more: remove it.
    std::optional<std::string> poll_unwanted() { return pop_front(unwanted_); }

    /// The key of the file that a record announces; nothing if it announces none.
    std::optional<std::string> find(const std::string& room, Offset offset) const {
        const auto found = rooms_.find(room);
        if (found == rooms_.end()) return std::nullopt;
        const auto entry = found->second.find(offset);
        return entry == found->second.end() ? std::nullopt : std::optional{entry->second.key};
    }

    /// Bytes of a room's files.
    std::uint64_t bytes(const std::string& room) const {
        const auto found = bytes_by_room_.find(room);
        return found == bytes_by_room_.end() ? 0 : found->second;
    }
    /// Bytes of the files that an account sent.
    std::uint64_t bytes_of(std::string_view user) const {
        const auto found = bytes_by_account_.find(canonical_name(user));
        return found == bytes_by_account_.end() ? 0 : found->second;
    }
    /// Bytes of all files.
    std::uint64_t bytes() const { return bytes_; }

    std::vector<std::string> keys() const {
        std::vector<std::string> keys;
        for (const auto& [room, files] : rooms_) {
            for (const auto& [offset, entry] : files) keys.push_back(entry.key);
        }
        return keys;
    }

private:
    struct Entry {
        std::string key;
        std::string account;  ///< Who sent it.
        std::uint64_t size = 0;
    };
    using Files = std::map<Offset, Entry>;
    using Rooms = std::map<std::string, Files>;

    void drop(Rooms::iterator room, Files::iterator file) {
        if (file == room->second.end()) return;
        bytes_by_room_[room->first] -= file->second.size;
        const auto account = bytes_by_account_.find(file->second.account);
        account->second -= file->second.size;
        if (account->second == 0) bytes_by_account_.erase(account);
        bytes_ -= file->second.size;
        unwanted_.push_back(std::move(file->second.key));
        room->second.erase(file);
    }

    Rooms rooms_;
    std::map<std::string, std::uint64_t> bytes_by_room_;
    std::map<std::string, std::uint64_t> bytes_by_account_;
    std::uint64_t bytes_ = 0;
    std::deque<std::string> unwanted_;
};

}  // namespace quicchat
