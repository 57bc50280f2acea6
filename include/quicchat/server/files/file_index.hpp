#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// What a store of files knows a file by: the room's log and what names a record in it, so that it
/// is the same however often the file is sent (PROTOCOL.md §6.16).
QUICCHAT_DECL std::string file_key(const std::string& room, Epoch epoch, const Record& record);

/// Which files there are because a record says so, and how much they take. A file goes when its
/// record does.
class FileIndex {
public:
    /// False: `note` would do nothing.
    bool concerns(const std::string& room, const Act& act) const;

    /// A record was committed, or was there at the start. `first` is the oldest one that its room's
    /// log keeps.
    void note(const std::string& room, Epoch epoch, const LoggedRecord& logged, Offset first);

    /// The room is gone.
    void forget(const std::string& room);

    /// The room's log begins at `first` now.
    void drop_before(const std::string& room, Offset first);

    /// The key of a file that is not wanted any more: remove it.
    std::optional<std::string> poll_unwanted();

    /// The key of a file that a record announces, once for each: it is not begun any more.
    std::optional<std::string> poll_announced();

    /// The key of the file that a record announces; nothing if it announces none.
    std::optional<std::string> find(const std::string& room, Offset offset) const;

    /// Bytes of a room's files.
    std::uint64_t bytes(const std::string& room) const;
    /// Bytes of the files that an account sent.
    std::uint64_t bytes_of(std::string_view user) const;
    /// Bytes of all files.
    std::uint64_t bytes() const { return bytes_; }
    /// All files that a record announces.
    std::size_t count() const;

    /// Their keys: everything else in the store is not wanted.
    std::vector<std::string> keys() const;

private:
    struct Entry {
        std::string key;
        std::string account;  ///< Who sent it.
        std::uint64_t size = 0;
    };
    using Files = std::map<Offset, Entry>;
    using Rooms = std::map<std::string, Files>;

    void drop(Rooms::iterator room, Files::iterator file);

    Rooms rooms_;
    std::map<std::string, std::uint64_t> bytes_by_room_;
    std::map<std::string, std::uint64_t> bytes_by_account_;
    std::uint64_t bytes_ = 0;
    std::deque<std::string> unwanted_;
    std::deque<std::string> announced_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/files/impl/file_index.ipp"
#endif
