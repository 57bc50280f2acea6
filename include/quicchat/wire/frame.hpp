#pragma once

#include <cstddef>
#include <cstdint>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

/// One frame (PROTOCOL.md §2.2): a type, a length and so many bytes, which somebody else owns.
struct FrameView {
    std::uint64_t type = 0;  ///< A varint; see FrameType.
    BytesView payload;       ///< Somebody else's bytes.
};

/// PROTOCOL.md §2.3: a frame or extension with an odd number may be skipped by those who do not
/// know it.
constexpr bool may_be_skipped(std::uint64_t number) { return (number & 1) != 0; }

/// The same as it travels: type and length as varints, and the payload.
QUICCHAT_DECL void append_frame(Buffer& buffer, const FrameView& frame);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/frame.ipp"
#endif
