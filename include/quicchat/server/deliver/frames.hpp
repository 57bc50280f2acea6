#pragma once

#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"

// Frames that the server makes in more than one place.

namespace quicchat {

/// A record, for who has joined its room.
QUICCHAT_DECL Bytes encode_event(const LoggedRecord& logged);

/// Makes the frame that refuses a request. `wait` is for errors to be tried again after it;
/// `reason` is told instead of what the error says by itself.
QUICCHAT_DECL Bytes encode_refusal(RequestId request, Errc errc,
                                   Duration wait = refused_retry_after,
                                   std::string_view reason = {});

/// Makes the frame that ends a membership.
QUICCHAT_DECL Bytes encode_ending(Errc errc, std::string_view reason);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/frames.ipp"
#endif
