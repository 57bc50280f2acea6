#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/wire/cursor.hpp"
#include "quicchat/wire/fields.hpp"
#include "quicchat/wire/frame.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {
namespace detail {

/// PROTOCOL.md §2.3: what follows the known fields are extensions of later minor versions, each a
/// number, a length and so many bytes. Odd ones are skipped, even ones refused.
QUICCHAT_DECL Errc skip_extensions(FieldReader& reader);

/// Of a short frame: an Ack, whatever its numbers are, and most other messages without a text. A
/// buffer that grows with each field takes longer than all else that there is to encode. Fewer than
/// 64, so that the length of what is in it takes one byte (RFC 9000 section 16).
inline constexpr std::size_t short_frame_bytes_max = 40;
static_assert(short_frame_bytes_max < 1 << 6);

/// The whole frame, in memory of its length.
QUICCHAT_DECL Buffer make_frame(FrameType type, BytesView payload);

}  // namespace detail

/// The message in a frame. `unknown_frame` for a type of a later version: skip it if
/// `may_be_skipped` says so, otherwise close. `malformed_frame` for anything that does not fit.
QUICCHAT_DECL Result<Message> decode(const FrameView& frame);

/// The hint in a datagram (PROTOCOL.md §2.4); nothing for anything else.
QUICCHAT_DECL std::optional<wire::Typing> decode_datagram(BytesView bytes);

/// The whole frame of a message.
template <class M>
requires requires { M::type; }
Buffer encode(const M& message) {
    Buffer frame;
    frame.reserve(detail::short_frame_bytes_max);
    append_varint(frame, static_cast<std::uint64_t>(M::type));
    const std::size_t head = frame.size() + 1;
    frame.resize(head);  // with the length of a short payload
    FieldWriter writer{frame};
    detail::fields(writer, message);
    const BytesView payload = BytesView{frame}.subspan(head);
    if (frame.size() > detail::short_frame_bytes_max) return detail::make_frame(M::type, payload);
    frame[head - 1] = static_cast<std::byte>(payload.size());
    return frame;
}

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/codec.ipp"
#endif
