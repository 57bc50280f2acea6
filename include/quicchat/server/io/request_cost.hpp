#pragma once

#include "quicchat/base/config.hpp"
#include "quicchat/server/io/connection.hpp"
#include "quicchat/server/io/rate_limits.hpp"
#include "quicchat/server/rooms/directory.hpp"
#include "quicchat/session/server_session.hpp"

namespace quicchat {

/// What a request costs is taken from the budgets of who asks; not zero if he must wait instead.
/// `member`: of the stream on which it was asked, if there is one. `rooms`: who gets a file's
/// record is counted as for a message.
QUICCHAT_DECL Duration charge(RateLimits& rates, ServerConnection& caller, const Member* member,
                              const Directory& rooms, const ServerRequest& request, TimePoint now);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/io/impl/request_cost.ipp"
#endif
