#pragma once

#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// What the parts of a client's session go by. Only the session itself changes it.
struct ClientStatus {
    bool ready = false;   ///< Messages may be sent.
    bool over = false;    ///< Nothing more is taken.
    std::string user{};   ///< Our own name, once the server has said it.
    ServerLimits limits;  ///< Ours, until the server has said its own.

    /// `Errc{}`, or why nothing like that can be said at all.
    Errc check(const Act& act, std::string_view text, std::string_view attributes) const;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_status.ipp"
#endif
