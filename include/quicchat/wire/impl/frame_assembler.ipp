#pragma once

#include "quicchat/wire/frame_assembler.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

QUICCHAT_DECL FrameAssembler::FrameAssembler(std::size_t frame_bytes_max)
    : frame_bytes_max_(frame_bytes_max) {}

QUICCHAT_DECL void FrameAssembler::push(BytesView piece) {
    drop_consumed();
    append(buffer_, piece);
}

QUICCHAT_DECL Result<std::optional<FrameView>> FrameAssembler::next() {
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

QUICCHAT_DECL std::size_t FrameAssembler::memory() const { return buffer_.capacity(); }

QUICCHAT_DECL std::optional<std::uint64_t> FrameAssembler::peek_varint(BytesView& bytes) {
    if (bytes.empty() || bytes.size() < varint_size_from_first(bytes[0])) return std::nullopt;
    return *read_varint(bytes);
}

QUICCHAT_DECL void FrameAssembler::drop_consumed() {
    if (consumed_ == buffer_.size() && buffer_.capacity() > frame_bytes_kept_max) {
        buffer_ = Buffer{};  // an idle stream does not keep the memory of its longest frame
    } else {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(consumed_));
    }
    consumed_ = 0;
}

}  // namespace quicchat
