#pragma once

#include "quicchat/base/hex.hpp"

#include <cstddef>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::string encode_hex(BytesView bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4];
        text += digits[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
}

QUICCHAT_DECL Buffer decode_hex(std::string_view text) {
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
