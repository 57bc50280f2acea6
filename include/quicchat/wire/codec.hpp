#pragma once

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

/// For most messages without a text of their own: a buffer that grows with each field takes longer
/// than all else that there is to encode.
inline constexpr std::size_t payload_bytes_usual = 128;

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
    Buffer payload;
    payload.reserve(detail::payload_bytes_usual);
    FieldWriter writer{payload};
    detail::fields(writer, message);
    return detail::make_frame(M::type, payload);
}

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/codec.ipp"
#endif
