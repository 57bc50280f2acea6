#pragma once

#include "quicchat/wire/varint.hpp"

#include <array>
#include <cassert>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL void append_varint(Buffer& buffer, std::uint64_t value) {
    assert(value <= varint_max);
    if (value < 64) return buffer.push_back(static_cast<std::byte>(value));  // most of them
    const std::size_t length = varint_size(value);
    const std::uint64_t prefix = length == 2 ? 1 : length == 4 ? 2 : 3;
    value |= prefix << (8 * length - 2);
    std::array<std::byte, 8> octets;
    for (std::size_t i = octets.size(); i-- > 0; value >>= 8) {
        octets[i] = static_cast<std::byte>(value & 0xff);
    }
    append(buffer, BytesView{octets}.last(length));
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
