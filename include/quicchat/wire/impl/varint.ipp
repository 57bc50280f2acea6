#pragma once

#include "quicchat/wire/varint.hpp"

#include <cassert>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL void append_varint(Buffer& buffer, std::uint64_t value) {
    assert(value <= varint_max);
    if (value < 64) return buffer.push_back(static_cast<std::byte>(value));  // most of them
    const std::size_t length = varint_size(value);
    const unsigned prefix = length == 1 ? 0 : length == 2 ? 1 : length == 4 ? 2 : 3;
    const std::size_t begin = buffer.size();
    buffer.resize(begin + length);
    for (std::size_t i = length; i-- > 0; value >>= 8) {
        buffer[begin + i] = static_cast<std::byte>(value & 0xff);
    }
    buffer[begin] |= static_cast<std::byte>(prefix << 6);
}

QUICCHAT_DECL Result<std::uint64_t> read_varint(BytesView& bytes) {
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
