#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "quicchat/base/bytes.hpp"
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
inline void append_varint(Buffer& buffer, std::uint64_t value) {
    assert(value <= varint_max);
    const std::size_t length = varint_size(value);
    const unsigned prefix = length == 1 ? 0 : length == 2 ? 1 : length == 4 ? 2 : 3;
    for (std::size_t i = 0; i < length; ++i) {
        auto octet = static_cast<std::uint8_t>(value >> (8 * (length - 1 - i)));
        if (i == 0) octet = static_cast<std::uint8_t>(octet | (prefix << 6));
        buffer.push_back(std::byte{octet});
    }
}

/// Reads an integer from the front of `bytes` and drops it from there. Drops nothing on error.
///
/// RFC 9000 §16: "The QUIC variable-length integer encoding reserves the two most significant bits
/// of the first byte to encode the base-2 logarithm of the integer encoding length in bytes."
inline Result<std::uint64_t> read_varint(BytesView& bytes) {
    if (bytes.empty()) return Errc::malformed_frame;

    const std::size_t length = varint_size_from_first(bytes[0]);
    if (bytes.size() < length) return Errc::malformed_frame;

    std::uint64_t value = std::to_integer<std::uint64_t>(bytes[0]) & 0x3f;
    for (const std::byte octet : bytes.subspan(1, length - 1)) {
        value = (value << 8) | std::to_integer<std::uint64_t>(octet);
    }
    bytes = bytes.subspan(length);
    return value;
}

}  // namespace quicchat
