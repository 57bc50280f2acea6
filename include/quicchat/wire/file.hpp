#pragma once

#include <cstdint>
#include <string>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/wire/frame_type.hpp"

// Frames of the streams that carry files (PROTOCOL.md §6.16).

namespace quicchat::wire {

/// Client, first frame of a stream of its own: a file for a room. FileReady, Ack or Error follows.
struct FileOffer {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::file_offer;
    RequestId request = 0;   ///< Answered by its Ack or Error.
    MessageId id{};          ///< Of the record that will announce it.
    std::string room;        ///< As the account calls it.
    std::string name;        ///< What people call it. No path.
    std::uint64_t size = 0;  ///< Bytes of the whole file.
    Buffer digest;           ///< SHA-256 of the whole file, 32 bytes.
    std::string attributes;  ///< A JSON object, of the record.
    Offset reply_to = 0;     ///< The message that it answers; 0: none.
    friend bool operator==(const FileOffer&, const FileOffer&) = default;
    /// @}
};

/// Server: send the file's bytes from there on.
struct FileReady {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::file_ready;
    RequestId request = 0;     ///< The offer that it answers.
    std::uint64_t offset = 0;  ///< So much of the file is there.
    friend bool operator==(const FileReady&, const FileReady&) = default;
    /// @}
};

/// Either: the next bytes of the file.
struct FileData {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::file_data;
    Buffer data;  ///< Behind those of the frame before.
    friend bool operator==(const FileData&, const FileData&) = default;
    /// @}
};

/// Client, the only frame of a stream of its own: the file that the record at `offset` announces,
/// from its byte `from` on.
struct FileRequest {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::file_request;
    RequestId request = 0;   ///< Answered by its FileHead or Error.
    std::string room;        ///< As the account calls it.
    Offset offset = 0;       ///< Of the record.
    std::uint64_t from = 0;  ///< 0: all of it. At most its size.
    friend bool operator==(const FileRequest&, const FileRequest&) = default;
    /// @}
};

/// Server: what follows is that file.
struct FileHead {
    /// Its type in PROTOCOL.md §4, and comparison of all fields. @{
    static constexpr FrameType type = FrameType::file_head;
    RequestId request = 0;   ///< The request that it answers.
    Epoch epoch{};           ///< Of the room's log.
    std::string name;        ///< As its sender gave it: whoever saves it checks it.
    std::uint64_t size = 0;  ///< Of the whole file.
    Buffer digest;           ///< SHA-256 of the whole file.
    friend bool operator==(const FileHead&, const FileHead&) = default;
    /// @}
};

}  // namespace quicchat::wire
