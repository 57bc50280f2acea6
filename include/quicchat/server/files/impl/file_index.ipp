#pragma once

#include "quicchat/server/files/file_index.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL std::string file_key(const std::string& room, Epoch epoch,
                                        const Record& record) {
    return room + "/" + std::to_string(static_cast<std::uint64_t>(epoch)) + "/" + record.author +
           "/" + encode_hex(record.device.bytes) + encode_hex(record.id.bytes);
}

QUICCHAT_RARE_DECL bool FileIndex::concerns(const std::string& room, const Act& act) const {
    return act.kind == Act::Kind::file || (!rooms_.empty() && rooms_.count(room) != 0);
}

QUICCHAT_RARE_DECL void FileIndex::note(const std::string& room, Epoch epoch,
                                        const LoggedRecord& logged, Offset first) {
    const Act& act = logged.record.act;
    if (act.kind == Act::Kind::file) {
        Entry entry{file_key(room, epoch, logged.record), canonical_name(logged.record.author),
                    act.value};
        bytes_by_room_[room] += entry.size;
        bytes_by_account_[entry.account] += entry.size;
        bytes_ += entry.size;
        announced_.push_back(entry.key);
        rooms_[room].emplace(logged.offset, std::move(entry));
    }
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return;
    if (act.kind == Act::Kind::deletion) drop(found, found->second.find(act.target));
    drop_before(room, first);
}

QUICCHAT_RARE_DECL void FileIndex::drop_before(const std::string& room, Offset first) {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return;
    while (!found->second.empty() && found->second.begin()->first < first) {
        drop(found, found->second.begin());
    }
    if (found->second.empty()) forget(room);
}

QUICCHAT_RARE_DECL void FileIndex::forget(const std::string& room) {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return;
    while (!found->second.empty()) drop(found, found->second.begin());
    rooms_.erase(found);
    bytes_by_room_.erase(room);
}

QUICCHAT_RARE_DECL std::optional<std::string> FileIndex::poll_unwanted() {
    return pop_front(unwanted_);
}

QUICCHAT_RARE_DECL std::optional<std::string> FileIndex::poll_announced() {
    return pop_front(announced_);
}

QUICCHAT_RARE_DECL std::optional<std::string> FileIndex::find(const std::string& room,
                                                              Offset offset) const {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return std::nullopt;
    const auto entry = found->second.find(offset);
    return entry == found->second.end() ? std::nullopt : std::optional{entry->second.key};
}

QUICCHAT_RARE_DECL std::uint64_t FileIndex::bytes(const std::string& room) const {
    const auto found = bytes_by_room_.find(room);
    return found == bytes_by_room_.end() ? 0 : found->second;
}

QUICCHAT_RARE_DECL std::uint64_t FileIndex::bytes_of(std::string_view user) const {
    const auto found = bytes_by_account_.find(canonical_name(user));
    return found == bytes_by_account_.end() ? 0 : found->second;
}

QUICCHAT_RARE_DECL std::size_t FileIndex::count() const {
    std::size_t count = 0;
    for (const auto& [room, files] : rooms_) count += files.size();
    return count;
}

QUICCHAT_RARE_DECL std::vector<std::string> FileIndex::keys() const {
    std::vector<std::string> keys;
    for (const auto& [room, files] : rooms_) {
        for (const auto& [offset, entry] : files) keys.push_back(entry.key);
    }
    return keys;
}

QUICCHAT_RARE_DECL void FileIndex::drop(Rooms::iterator room, Files::iterator file) {
    if (file == room->second.end()) return;
    bytes_by_room_[room->first] -= file->second.size;
    const auto account = bytes_by_account_.find(file->second.account);
    account->second -= file->second.size;
    if (account->second == 0) bytes_by_account_.erase(account);
    bytes_ -= file->second.size;
    unwanted_.push_back(std::move(file->second.key));
    room->second.erase(file);
}

}  // namespace quicchat
