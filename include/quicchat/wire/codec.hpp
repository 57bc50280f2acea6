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
    FieldWriter writer{payload};
    detail::fields(writer, message);

    Buffer frame;
    frame.reserve(payload.size() + 10);
    append_frame(frame, {static_cast<std::uint64_t>(M::type), payload});
    return frame;
}

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/codec.ipp"
#endif
