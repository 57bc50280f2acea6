#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/wire/message.hpp"

// What the hub and the server around it say to each other.

namespace quicchat {

/// No connection has that id: who asks is the server's program.
inline constexpr ConnectionId program_connection{};

/// Who asks: a connection that is logged in.
struct Caller {
    ConnectionId connection{};  ///< Or `program_connection`.
    std::string_view user;      ///< As the account spells it. Points to what outlives the call.
    DeviceId device{};          ///< All zeros: the device has no id.
};

/// A membership that the hub has ended: the last frames for its stream.
struct HubEnding {
    /// Where the frames go. The stream ends behind them.
    /// @{
    ConnectionId connection{};
    StreamId stream{};
    /// @}

    Queue<Bytes> frames{};  ///< In the order in which they are to be written.
};

/// What the log has answered about the record that announces a file.
struct FileOutcome {
    /// Those of the upload that asked.
    /// @{
    ConnectionId connection{};
    StreamId stream{};
    /// @}

    Errc error{};     ///< `no_such_file`: it is not there yet, and may come.
    wire::Ack ack{};  ///< Where the record is, if it is there now. Without the request's number.
    std::string reason{};            ///< Of the server's program, if it refused the file.
    std::optional<Record> record{};  ///< As the server's program wants it, if it was asked.
};

/// What became of something that the server's program asked to have stored.
struct ProgramOutcome {
    std::uint64_t ticket = 0;  ///< As it was given with the request; never 0.
    Errc error{};              ///< `Errc{}`: it is stored.
    wire::Ack ack{};           ///< Where it is. Without the request's number.
};

/// A file that a record announces.
struct StoredFile {
    std::string key;         ///< For the store of files.
    Epoch epoch{};           ///< Of the room's log.
    std::string name;        ///< Which its sender gave it, without a folder.
    std::uint64_t size = 0;  ///< In bytes.
    Buffer digest;           ///< SHA-256 of all bytes, 32 of them.
};

}  // namespace quicchat
