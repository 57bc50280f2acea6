#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// The place of a log: which life of it, what it still holds, and where it ends.
struct LogHead {
    Epoch epoch{};
    Offset first = 1;  ///< The oldest record that is still there; `head + 1` if there is none.
    Offset head = 0;   ///< The newest record; 0 if there never was one.
};

/// How much a room's log keeps; older records are dropped.
struct Retention {
    std::size_t records_max = 0;
    std::size_t bytes_max = 0;
};

/// A record as it is put into a log. The log gives it its offset. Within a room (author, device,
/// id) names it: appending the same again is recognised (PROTOCOL.md §6.3).
struct Record {
    MessageId id;
    DeviceId device;
    std::string author;
    std::string text;
    std::string attributes;
    WallTime time;
};

struct LoggedRecord {
    Offset offset = 0;
    Record record;
};

/// The caller's number for one append, returned with its completion.
using AppendToken = std::uint64_t;

/// An append is over. On success the record is committed at `durability`, either now or, if
/// `duplicate`, when the same device appended the same id first.
struct AppendCompletion {
    AppendToken token = 0;
    std::string room;
    /// `Errc{}`: success. `conflict`: the id was used with another body. `storage_full`: nothing
    /// was stored, and reading goes on. Anything else: the log is of no more use.
    Errc error{};
    Epoch epoch{};
    Offset offset = 0;
    WallTime time{};  ///< Of the record in the log.
    bool duplicate = false;
    Durability durability = Durability::memory;
};

/// Keeps the records of all rooms. `MemoryLog` and `SqliteLog` model it.
///
/// Beyond the signatures a log promises that
///  - `open` begins a room's log or finds it, and is called before anything else about the room;
///  - `forget` deletes a room's log; if it is opened again, it has another epoch;
///  - offsets of a room begin at 1 and grow by 1 with each record, without a hole;
///  - completions come in the order of the appends, and only once a record is committed;
///  - looking for (author, device, id) and inserting are one step: an id is stored once, however
///    often it is appended, also while the first append is still under way;
///  - `head` and `read` know a record from the moment on when its completion was polled;
///  - what they know is there until retention drops it from the old end, and after a restart.
template <class L>
concept RoomLog = std::movable<L> &&
    requires(L log, const L& view, std::string room, Record record, AppendToken token, Offset after,
             std::size_t count_max, Retention retention) {
    { log.open(room, retention) } -> std::same_as<Result<LogHead>>;
    { log.forget(room) } -> std::same_as<void>;
    /// The rooms whose logs exist, in order: after a restart, those from before.
    { view.rooms() } -> std::same_as<Result<std::vector<std::string>>>;
    { view.head(room) } -> std::same_as<LogHead>;
    { log.append(token, room, record) } -> std::same_as<void>;
    { log.poll_completion() } -> std::same_as<std::optional<AppendCompletion>>;
    /// At most `count_max` records with offsets above `after`, in order.
    { view.read(room, after, count_max) } -> std::same_as<Result<std::vector<LoggedRecord>>>;
    { view.durability() } -> std::same_as<Durability>;
};

}  // namespace quicchat
