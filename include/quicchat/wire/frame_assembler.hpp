#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/wire/frame.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

/// Pieces of a stream -> whole frames. Holds at most one incomplete frame, and refuses a frame that
/// is too long at its header, before it takes memory for the payload.
class FrameAssembler {
public:
    explicit FrameAssembler(std::size_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

    /// More may be allowed once the peer is known.
    void set_frame_bytes_max(std::size_t bytes) { frame_bytes_max_ = bytes; }

    /// Takes in the next piece. Call `next` until it has no more before the next `push`.
    void push(BytesView piece) {
        drop_consumed();
        append(buffer_, piece);
    }

    /// The next whole frame, nothing if more bytes are needed, or why the peer must be cut off.
    /// The frame's payload stays valid until the next call of anything but `at_boundary`.
    Result<std::optional<FrameView>> next() {
        if (at_boundary()) {
            drop_consumed();
            return std::optional<FrameView>{};
        }
        BytesView rest = BytesView{buffer_}.subspan(consumed_);
        const std::optional<std::uint64_t> type = peek_varint(rest);
        if (!type) return std::optional<FrameView>{};
        const std::optional<std::uint64_t> length = peek_varint(rest);
        if (!length) return std::optional<FrameView>{};
        if (*length > frame_bytes_max_) return Errc::frame_too_large;
        if (rest.size() < *length) return std::optional<FrameView>{};

        const auto size = static_cast<std::size_t>(*length);
        consumed_ = buffer_.size() - rest.size() + size;
        return std::optional{FrameView{*type, rest.first(size)}};
    }

    /// True between frames: a stream that ends here was not cut.
    bool at_boundary() const { return consumed_ == buffer_.size(); }

    /// Bytes of memory that it holds.
    std::size_t memory() const { return buffer_.capacity(); }

private:
    /// Reads and drops a varint, or nothing if it is not whole yet.
    static std::optional<std::uint64_t> peek_varint(BytesView& bytes) {
        if (bytes.empty() || bytes.size() < varint_size_from_first(bytes[0])) return std::nullopt;
        return *read_varint(bytes);
    }

    void drop_consumed() {
        if (consumed_ == buffer_.size() && buffer_.capacity() > frame_bytes_kept_max) {
            buffer_ = Buffer{};  // an idle stream does not keep the memory of its longest frame
        } else {
            buffer_.erase(buffer_.begin(),
                          buffer_.begin() + static_cast<std::ptrdiff_t>(consumed_));
        }
        consumed_ = 0;
    }

    static constexpr std::size_t frame_bytes_kept_max = 1024;

    std::size_t frame_bytes_max_;
    Buffer buffer_;
    std::size_t consumed_ = 0;
};

}  // namespace quicchat
