#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quicchat/auth/device.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/log/room_log.hpp"

// What the writer of a database is asked to do, and what it answers.

namespace quicchat::sqlite {

/// One life of a room's log. Never used again for another, so an operation on a log that was
/// forgotten meanwhile cannot hit the one that followed it.
enum class RoomKey : std::int64_t {};

/// The row of a room, and what its log was last opened with.
struct StoredRoom {
    std::string name;
    Epoch epoch{};
    Offset first = 1;        ///< The oldest record within retention; older rows are to be deleted.
    Offset head = 0;         ///< The newest record.
    std::int64_t bytes = 0;  ///< Of all records within retention.
    Retention retention{};   ///< Not stored: each start brings its own.
};

struct CreateRoom {
    RoomKey room{};
    std::string name;
    Epoch epoch{};
};
struct SetRetention {
    RoomKey room{};
    Retention retention;
};
struct DropRoom {
    RoomKey room{};
};
/// Deletes the records before `first`. Asked once nobody wants to read them any more.
struct TrimRoom {
    RoomKey room{};
    Offset first = 0;
    bool at_once = false;  ///< Also if they are so few that others would wait for more of them.
};
/// Drops the oldest records that do not fit the retention, or were stored before that time.
struct DropOld {
    RoomKey room{};
    std::string name;  ///< Of the room, and its epoch: for the news.
    Epoch epoch{};
    WallTime before{};
};
struct AppendRecord {
    RoomKey room{};
    std::string name;  ///< Of the room, and its epoch: for the news.
    Epoch epoch{};
    AppendToken token = 0;
    Record record;
    std::vector<StateChange> changes{};
    bool only_look_up = false;  ///< Store nothing, just say whether it is there.
};
/// Changes what is known of a room beside its records.
struct StoreState {
    RoomKey room{};
    std::map<std::string, std::optional<std::string>> changes;

    /// Does what both do, this one first.
    void add(StoreState later);
};

/// A change of the devices of one account: removals, then perhaps one that is written.
struct ChangeDevices {
    SaveTicket ticket = 0;
    std::string account{};  ///< Canonical name.
    std::vector<DeviceId> removed{};
    enum class Write : std::uint8_t { none, insert, update };
    /// An `update` of a device that was revoked meanwhile must not bring it back; an `insert` is
    /// void if the account was changed after `accounts_seen`.
    Write write = Write::none;
    Device device{};
    std::int64_t accounts_seen = 0;
};

using Operation = std::variant<CreateRoom, SetRetention, DropRoom, TrimRoom, DropOld, AppendRecord,
                               StoreState, ChangeDevices>;

/// The end of an AppendRecord, or of a DropOld: then just where the room begins.
struct AppendDone {
    RoomKey room{};
    LogNews news;      ///< Without the record; the writer has it from the append.
    Offset first = 1;  ///< Of the room after it. Records before that may be deleted any time.
    /// Of a DropOld that has done its share of a batch: it goes on with another.
    std::optional<WallTime> more_before{};

    bool is_append() const { return news.token.has_value(); }
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/operation.ipp"
#endif
