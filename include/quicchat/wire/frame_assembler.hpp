#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/wire/frame.hpp"

namespace quicchat {

/// Pieces of a stream -> whole frames. Holds at most one incomplete frame, and refuses a frame that
/// is too long at its header, before it takes memory for the payload.
class FrameAssembler {
public:
    /// The bound is for payloads.
    explicit FrameAssembler(std::size_t frame_bytes_max);

    /// More may be allowed once the peer is known.
    void set_frame_bytes_max(std::size_t bytes) { frame_bytes_max_ = bytes; }

    /// Takes in the next piece. Call `next` until it has no more before the next `push`.
    void push(BytesView piece);

    /// The next whole frame, nothing if more bytes are needed, or why the peer must be cut off.
    /// The frame's payload stays valid until the next call of anything but `at_boundary`.
    Result<std::optional<FrameView>> next();

    /// True between frames: a stream that ends here was not cut.
    bool at_boundary() const { return consumed_ == buffer_.size(); }

    /// Bytes of memory that it holds.
    std::size_t memory() const;

private:
    /// Reads and drops a varint, or nothing if it is not whole yet.
    static std::optional<std::uint64_t> peek_varint(BytesView& bytes);

    void drop_consumed();

    static constexpr std::size_t frame_bytes_kept_max = 1024;

    std::size_t frame_bytes_max_;
    Buffer buffer_;
    std::size_t consumed_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/frame_assembler.ipp"
#endif
