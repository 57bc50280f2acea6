#pragma once

#include <string>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

/// Two hexadecimal digits for each byte, in lower case.
QUICCHAT_DECL std::string encode_hex(BytesView bytes);

/// The bytes of what `encode_hex` made. Anything else than digits counts as 0.
QUICCHAT_DECL Buffer decode_hex(std::string_view text);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/hex.ipp"
#endif
