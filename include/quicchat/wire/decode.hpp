#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include "quicchat/base/bytes.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat::detail {

/// Into a message that is there already.
template <class M>
Errc decode_into(M& message, BytesView payload) {
    FieldReader reader{payload};
    fields(reader, message);
    return reader.ok() ? skip_extensions(reader) : Errc::malformed_frame;
}

// By number: to find the alternative for a type takes compilers long where there are so many.
template <std::size_t I, class Messages>
bool decode_alternative(const FrameView& frame, Messages& message, Errc& errc) {
    using M = std::variant_alternative_t<I, Messages>;
    if constexpr (requires { M::type; }) {
        if (static_cast<std::uint64_t>(M::type) != frame.type) return false;
        errc = decode_into(message.template emplace<I>(), frame.payload);
        return true;
    }
    return false;
}

template <class Messages, std::size_t... I>
Errc decode_one_of(const FrameView& frame, Messages& message, std::index_sequence<I...>) {
    Errc errc = Errc::unknown_frame;
    (void)(decode_alternative<I>(frame, message, errc) || ...);
    return errc;
}

/// The message in a frame, if it is one of a variant's. `unknown_frame` if it is not.
template <class Messages>
Errc decode_one_of(const FrameView& frame, Messages& message) {
    return decode_one_of(frame, message, std::make_index_sequence<std::variant_size_v<Messages>>{});
}

template <class Messages, std::size_t... I>
constexpr bool has_type(std::uint64_t type, std::index_sequence<I...>) {
    return ((static_cast<std::uint64_t>(std::variant_alternative_t<I, Messages>::type) == type) ||
            ...);
}

/// True for the type of a frame of this version.
constexpr bool is_known_type(std::uint64_t type) {
    return has_type<Message>(type, std::make_index_sequence<std::variant_size_v<Message>>{});
}

}  // namespace quicchat::detail
