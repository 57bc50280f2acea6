#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/wire/cursor.hpp"
#include "quicchat/wire/fields.hpp"
#include "quicchat/wire/frame.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {
namespace detail {

/// PROTOCOL.md §2.3: what follows the known fields are extensions of later minor versions, each a
/// number, a length and so many bytes. Odd ones are skipped, even ones refused.
inline Errc skip_extensions(FieldReader& reader) {
    Buffer ignored;
    while (reader.ok() && !reader.rest().empty()) {
        std::uint64_t number = 0;
        reader.number(number);
        reader.data(ignored, reader.rest().size());
        if (reader.ok() && !may_be_skipped(number)) return Errc::unknown_frame;
    }
    return reader.ok() ? Errc{} : Errc::malformed_frame;
}

template <class M>
Result<M> decode_as(BytesView payload) {
    M message;
    FieldReader reader{payload};
    fields(reader, message);
    if (!reader.ok()) return Errc::malformed_frame;
    if (const Errc errc = skip_extensions(reader); errc != Errc{}) return errc;
    return message;
}

template <class M>
Result<Message> decode_variant(BytesView payload) {
    Result<M> message = decode_as<M>(payload);
    if (!message) return message.error();
    return Message{*std::move(message)};
}

template <std::size_t... I>
Result<Message> decode_by_type(const FrameView& frame, std::index_sequence<I...>) {
    Result<Message> result = Errc::unknown_frame;
    (void)((static_cast<std::uint64_t>(std::variant_alternative_t<I, Message>::type) ==
                frame.type &&
            (result = decode_variant<std::variant_alternative_t<I, Message>>(frame.payload),
             true)) ||
           ...);
    return result;
}

}  // namespace detail

/// The message in a frame. `unknown_frame` for a type of a later version: skip it if
/// `may_be_skipped` says so, otherwise close. `malformed_frame` for anything that does not fit.
inline Result<Message> decode(const FrameView& frame) {
    return detail::decode_by_type(frame, std::make_index_sequence<std::variant_size_v<Message>>{});
}

/// The hint in a datagram (PROTOCOL.md §2.4); nothing for anything else.
inline std::optional<wire::Typing> decode_datagram(BytesView bytes) {
    const Result<std::uint64_t> type = read_varint(bytes);
    const Result<std::uint64_t> length = type ? read_varint(bytes) : type;
    if (!length || *length != bytes.size()) return std::nullopt;
    if (*type != static_cast<std::uint64_t>(FrameType::typing)) return std::nullopt;
    Result<wire::Typing> hint = detail::decode_as<wire::Typing>(bytes);
    if (!hint) return std::nullopt;
    return *std::move(hint);
}

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
