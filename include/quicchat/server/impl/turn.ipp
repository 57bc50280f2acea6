#pragma once

#include "quicchat/server/turn.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL Errc Turn::noted(Errc errc) {
    if (errc == Errc::storage_failed) failure_ = errc;
    return errc;
}

QUICCHAT_DECL Errc Turn::take_failure() { return std::exchange(failure_, Errc{}); }

}  // namespace quicchat
