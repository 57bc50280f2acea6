#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/error.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/wire/codec.hpp"

// Frames that the server makes in more than one place.

namespace quicchat {

/// A record, for who has joined its room.
inline Bytes encode_event(const LoggedRecord& logged) {
    const Record& r = logged.record;
    return Bytes{encode(wire::Event{logged.offset, r.time, r.id, r.author, r.text, r.attributes,
                                    r.act, r.changed_by})};
}

/// Makes the frame that refuses a request. `wait` is for errors to be tried again after it;
/// `reason` is told instead of what the error says by itself.
inline Bytes encode_refusal(RequestId request, Errc errc, Duration wait = refused_retry_after,
                            std::string_view reason = {}) {
    const ErrorClass kind = error_class(errc);
    if (kind != ErrorClass::retry_after) wait = {};
    std::string text = error_category().message(static_cast<int>(errc));
    if (!reason.empty()) text = reason;
    return Bytes{encode(wire::Error{request, wire_code(errc), static_cast<std::uint64_t>(kind),
                                    to_milliseconds(wait), std::move(text)})};
}

/// Makes the frame that ends a membership.
inline Bytes encode_ending(Errc errc, std::string_view reason) {
    std::string text = error_category().message(static_cast<int>(errc));
    if (!reason.empty()) text = reason;
    return Bytes{encode(
        wire::Error{0, wire_code(errc), static_cast<std::uint64_t>(error_class(errc)), 0, text})};
}

}  // namespace quicchat
