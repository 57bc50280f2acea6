#pragma once

#include "quicchat/wire/codec.hpp"

#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/wire/decode.hpp"

namespace quicchat::detail {

QUICCHAT_DECL Errc skip_extensions(FieldReader& reader) {
    Buffer ignored;
    while (reader.ok() && !reader.rest().empty()) {
        std::uint64_t number = 0;
        reader.number(number);
        reader.data(ignored, reader.rest().size());
        if (reader.ok() && !may_be_skipped(number)) return Errc::unknown_frame;
    }
    return reader.ok() ? Errc{} : Errc::malformed_frame;
}

QUICCHAT_DECL Buffer make_frame(FrameType type, BytesView payload) {
    const auto number = static_cast<std::uint64_t>(type);
    Buffer frame;
    frame.reserve(varint_size(number) + varint_size(payload.size()) + payload.size());
    append_frame(frame, {number, payload});
    return frame;
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_DECL Result<Message> decode(const FrameView& frame) {
    Message message;
    const Errc errc = detail::decode_one_of(frame, message);
    if (errc != Errc{}) return errc;
    return message;
}

QUICCHAT_DECL std::optional<wire::Typing> decode_datagram(BytesView bytes) {
    const Result<std::uint64_t> type = read_varint(bytes);
    const Result<std::uint64_t> length = type ? read_varint(bytes) : type;
    if (!length || *length != bytes.size()) return std::nullopt;
    if (*type != static_cast<std::uint64_t>(FrameType::typing)) return std::nullopt;
    wire::Typing hint;
    if (detail::decode_into(hint, bytes) != Errc{}) return std::nullopt;
    return hint;
}

}  // namespace quicchat
