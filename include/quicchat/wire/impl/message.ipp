#pragma once

#include "quicchat/wire/message.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {

QUICCHAT_DECL Position Position::after(Epoch epoch, Offset offset) {
    return {.kind = Kind::after, .epoch = epoch, .offset = offset};
}

}  // namespace quicchat
