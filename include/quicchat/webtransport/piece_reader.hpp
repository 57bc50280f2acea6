#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quicchat/base/bytes.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat::webtransport {

/// Cuts a stream of what has the shape "type, length, payload", frames of RFC 9114 §7.1 or capsules
/// of RFC 9297 §3.2, however it arrives. It holds nothing but an incomplete head.
class PieceReader {
public:
    /// A part of a payload, or all of it.
    struct Piece {
        std::uint64_t type = 0;    ///< The type of the frame or capsule.
        std::uint64_t length = 0;  ///< Of the whole payload.
        /// Good during the call of `take` only, as the bytes that were given to `read`.
        BytesView bytes;
        bool is_last = false;  ///< The payload ends with these bytes.
    };

    /// Calls `take(piece)` for each piece, at least once for each payload, until it returns false.
    template <class Take>
    void read(BytesView bytes, Take take) {
        while (true) {
            if (!inside_ && !read_head(bytes)) return;
            const BytesView part = bytes.first(std::min<std::uint64_t>(left_, bytes.size()));
            if (part.empty() && left_ > 0) return;
            bytes = bytes.subspan(part.size());
            left_ -= part.size();
            inside_ = left_ > 0;
            if (!take(Piece{type_, length_, part, !inside_})) return;
        }
    }

    /// True between two of them.
    bool at_boundary() const { return !inside_ && head_.empty(); }

private:
    static constexpr std::size_t head_bytes_max = 16;  // two integers of RFC 9000 §16

    /// Takes type and length off `bytes`; false if they are not complete.
    bool read_head(BytesView& bytes) {
        const std::size_t before = head_.size();
        const std::size_t more = std::min(bytes.size(), head_bytes_max - before);
        append(head_, bytes.first(more));
        BytesView rest = head_;
        const auto type = read_varint(rest);
        const auto length = type ? read_varint(rest) : type;
        if (!length) {
            bytes = bytes.subspan(more);
            return false;
        }
        bytes = bytes.subspan(head_.size() - rest.size() - before);
        head_ = {};
        type_ = *type;
        length_ = left_ = *length;
        inside_ = true;
        return true;
    }

    Buffer head_;
    std::uint64_t type_ = 0;
    std::uint64_t length_ = 0;
    std::uint64_t left_ = 0;
    bool inside_ = false;
};

}  // namespace quicchat::webtransport
