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
    static constexpr FrameType type = FrameType::file_offer;
    RequestId request = 0;
    MessageId id{};  ///< Of the record that will announce it.
    std::string room;
    std::string name;  ///< What people call it. No path.
    std::uint64_t size = 0;
    Buffer digest;  ///< SHA-256 of the whole file, 32 bytes.
    std::string attributes;
    Offset reply_to = 0;
    friend bool operator==(const FileOffer&, const FileOffer&) = default;
};

/// Server: send the file's bytes from there on.
struct FileReady {
    static constexpr FrameType type = FrameType::file_ready;
    RequestId request = 0;
    std::uint64_t offset = 0;
    friend bool operator==(const FileReady&, const FileReady&) = default;
};

/// Either: the next bytes of the file.
struct FileData {
    static constexpr FrameType type = FrameType::file_data;
    Buffer data;
    friend bool operator==(const FileData&, const FileData&) = default;
};

/// Client, the only frame of a stream of its own: the file that the record at `offset` announces,
/// from its byte `from` on.
struct FileRequest {
    static constexpr FrameType type = FrameType::file_request;
    RequestId request = 0;
    std::string room;
    Offset offset = 0;
    std::uint64_t from = 0;
    friend bool operator==(const FileRequest&, const FileRequest&) = default;
};

/// Server: what follows is that file.
struct FileHead {
    static constexpr FrameType type = FrameType::file_head;
    RequestId request = 0;
    Epoch epoch{};
    std::string name;
    std::uint64_t size = 0;  ///< Of the whole file.
    Buffer digest;           ///< SHA-256 of the whole file.
    friend bool operator==(const FileHead&, const FileHead&) = default;
};

}  // namespace quicchat::wire
