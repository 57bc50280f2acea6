#pragma once

#include <optional>
#include <string>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat::webtransport {

/// The text of a string in the Huffman code of RFC 7541, Appendix B; nothing if it is not one
/// (RFC 7541 §5.2). The text has at most 8 characters for 5 bytes.
QUICCHAT_DECL std::optional<std::string> decode_huffman(BytesView bytes);

}  // namespace quicchat::webtransport

#ifndef QUICCHAT_COMPILED
#include "quicchat/webtransport/impl/huffman.ipp"
#endif
