#pragma once

#include "quicchat/wire/codec.hpp"

#include <variant>

#include "quicchat/base/config.hpp"

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

/// Into a message that is there already.
template <class M>
Errc decode_into(M& message, BytesView payload) {
    FieldReader reader{payload};
    fields(reader, message);
    return reader.ok() ? skip_extensions(reader) : Errc::malformed_frame;
}

// By number: to find the alternative for a type takes compilers long where there are so many.
template <std::size_t I>
Errc decode_alternative(Message& message, BytesView payload) {
    return decode_into(message.emplace<I>(), payload);
}

template <std::size_t... I>
Result<Message> decode_by_type(const FrameView& frame, std::index_sequence<I...>) {
    Message message;
    Errc errc = Errc::unknown_frame;
    (void)((static_cast<std::uint64_t>(std::variant_alternative_t<I, Message>::type) ==
                frame.type &&
            (errc = decode_alternative<I>(message, frame.payload), true)) ||
           ...);
    if (errc != Errc{}) return errc;
    return message;
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_DECL Result<Message> decode(const FrameView& frame) {
    return detail::decode_by_type(frame, std::make_index_sequence<std::variant_size_v<Message>>{});
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
