#pragma once

#include <cstddef>
#include <cstdint>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {

/// RFC 9000 §16: 62 bits are left for the value.
inline constexpr std::uint64_t varint_max = (std::uint64_t{1} << 62) - 1;

/// Bytes that `value` takes as a variable-length integer: 1, 2, 4 or 8.
constexpr std::size_t varint_size(std::uint64_t value) {
    if (value < (1u << 6)) return 1;
    if (value < (1u << 14)) return 2;
    if (value < (1u << 30)) return 4;
    return 8;
}

/// Bytes that a variable-length integer takes which begins with `first`.
constexpr std::size_t varint_size_from_first(std::byte first) {
    return std::size_t{1} << (std::to_integer<unsigned>(first) >> 6);
}

/// Appends `value`, which must not exceed `varint_max`, in the shortest form.
QUICCHAT_DECL void append_varint(Buffer& buffer, std::uint64_t value);

/// Reads an integer from the front of `bytes` and drops it from there. Drops nothing on error.
///
/// RFC 9000 §16: "The QUIC variable-length integer encoding reserves the two most significant bits
/// of the first byte to encode the base-2 logarithm of the integer encoding length in bytes."
QUICCHAT_DECL Result<std::uint64_t> read_varint(BytesView& bytes);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/wire/impl/varint.ipp"
#endif
