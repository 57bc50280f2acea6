#pragma once

#include "quicchat/server/deliver/frames.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL Bytes encode_event(const LoggedRecord& logged) {
    const Record& record = logged.record;
    constexpr std::size_t usual = 128;  // all else
    Buffer payload;
    payload.reserve(usual + record.text.size() + record.attributes.size());
    FieldWriter writer{payload};
    detail::record_fields(writer, logged.offset, record.author, record);
    return Bytes{detail::make_frame(wire::Event::type, payload)};
}

QUICCHAT_DECL Bytes encode_refusal(RequestId request, Errc errc, Duration wait,
                                   std::string_view reason) {
    const ErrorClass kind = error_class(errc);
    if (kind != ErrorClass::retry_after) wait = {};
    std::string text = error_category().message(static_cast<int>(errc));
    if (!reason.empty()) text = reason;
    return Bytes{encode(wire::Error{request, wire_code(errc), static_cast<std::uint64_t>(kind),
                                    to_milliseconds(wait), std::move(text)})};
}

QUICCHAT_DECL Bytes encode_ending(Errc errc, std::string_view reason) {
    std::string text = error_category().message(static_cast<int>(errc));
    if (!reason.empty()) text = reason;
    return Bytes{encode(
        wire::Error{0, wire_code(errc), static_cast<std::uint64_t>(error_class(errc)), 0, text})};
}

}  // namespace quicchat
