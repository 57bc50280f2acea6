#pragma once

#include "quicchat/wire/frame.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

QUICCHAT_DECL void append_frame(Buffer& buffer, const FrameView& frame) {
    append_varint(buffer, frame.type);
    append_varint(buffer, frame.payload.size());
    append(buffer, frame.payload);
}

}  // namespace quicchat
