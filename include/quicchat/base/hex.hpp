#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "quicchat/base/bytes.hpp"

namespace quicchat {

/// Two hexadecimal digits for each byte, in lower case.
inline std::string encode_hex(BytesView bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4];
        text += digits[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
}

/// The bytes of what `encode_hex` made. Anything else than digits counts as 0.
inline Buffer decode_hex(std::string_view text) {
    const auto value = [](char c) -> unsigned {
        if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
        return c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10 : 0;
    };
    Buffer bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(value(text[i]) * 16 + value(text[i + 1])));
    }
    return bytes;
}

}  // namespace quicchat
