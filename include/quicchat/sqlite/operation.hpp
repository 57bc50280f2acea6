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
    std::string name;        ///< The name of its log.
    Epoch epoch{};           ///< Of the log's life.
    Offset first = 1;        ///< The oldest record within retention; older rows are to be deleted.
    Offset head = 0;         ///< The newest record.
    std::int64_t bytes = 0;  ///< Of all records within retention.
    Retention retention{};   ///< Not stored: each start brings its own.
};

/// A log begins, empty.
struct CreateRoom {
    RoomKey room{};  ///< Drawn by whoever asks; never used before.
    /// As StoredRoom has them.
    /// @{
    std::string name;
    Epoch epoch{};
    /// @}
};
/// How much a log keeps from now on.
struct SetRetention {
    RoomKey room{};       ///< Which one.
    Retention retention;  ///< Only for this run of the program.
};
/// A log ends, with everything in it.
struct DropRoom {
    RoomKey room{};  ///< Which one.
};
/// Deletes the records before `first`. Asked once nobody wants to read them any more.
struct TrimRoom {
    RoomKey room{};        ///< Which one.
    Offset first = 0;      ///< The oldest record that stays.
    bool at_once = false;  ///< Also if they are so few that others would wait for more of them.
};
/// Drops the oldest records that do not fit the retention, or were stored before that time.
struct DropOld {
    RoomKey room{};     ///< Which one.
    std::string name;   ///< Of the room, and its epoch: for the news.
    Epoch epoch{};      ///< The same as in the answer.
    WallTime before{};  ///< By the server's clock.
};
/// One record, at the end of a log, if it is not there yet.
struct AppendRecord {
    RoomKey room{};                      ///< Which one.
    std::string name;                    ///< Of the room, and its epoch: for the news.
    Epoch epoch{};                       ///< The same as in the answer.
    AppendToken token = 0;               ///< By which the answer is recognised.
    Record record;                       ///< As it is to be stored.
    std::vector<StateChange> changes{};  ///< What changes along with it, all or nothing.
    bool only_look_up = false;           ///< Store nothing, just say whether it is there.
};
/// Changes what is known of a room beside its records.
struct StoreState {
    RoomKey room{};  ///< Which one.
    /// The new values by key; nothing: the entry goes.
    std::map<std::string, std::optional<std::string>> changes;

    /// Does what both do, this one first.
    void add(StoreState later);
};

/// A change of the devices of one account: removals, then perhaps one that is written.
struct ChangeDevices {
    SaveTicket ticket = 0;            ///< Ascends; safe once `saved` has reached it.
    std::string account{};            ///< Canonical name.
    std::vector<DeviceId> removed{};  ///< They need not be there.
    /// What is done about `device`.
    enum class Write : std::uint8_t { none, insert, update };
    /// An `update` of a device that was revoked meanwhile must not bring it back; an `insert` is
    /// void if the account was changed after `accounts_seen`.
    Write write = Write::none;
    Device device{};                 ///< Read if something is to be written.
    std::int64_t accounts_seen = 0;  ///< The counter of changes that whoever asks has seen.
};

/// Anything that a Writer can be asked.
using Operation = std::variant<CreateRoom, SetRetention, DropRoom, TrimRoom, DropOld, AppendRecord,
                               StoreState, ChangeDevices>;

/// The end of an AppendRecord, or of a DropOld: of that, just where the room begins.
struct WriteDone {
    RoomKey room{};    ///< Which log.
    LogNews news;      ///< Without the record; the writer has it from the append.
    Offset first = 1;  ///< Of the room after it. Records before that may be deleted any time.
    /// Of a DropOld whose transaction has dropped its share: it goes on with another.
    std::optional<WallTime> more_before{};

    /// False: the end of a DropOld.
    bool is_append() const { return news.token.has_value(); }
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/operation.ipp"
#endif
