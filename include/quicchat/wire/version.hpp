#pragma once

#include <cstdint>
#include <string_view>

namespace quicchat {

/// The ALPN name (RFC 7301) is the major version of the protocol (PROTOCOL.md §1.2).
inline constexpr std::string_view protocol_alpn = "quicchat/1";

/// The minor versions of protocol 1 that this library speaks (PROTOCOL.md §1.3).
inline constexpr std::uint64_t protocol_minor_min = 0;
inline constexpr std::uint64_t protocol_minor_max = 0;  ///< The newest one.

}  // namespace quicchat
