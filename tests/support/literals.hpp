#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "quicchat/base/bytes.hpp"

namespace quicchat::test {

namespace detail {

inline std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace detail

/// Bytes as tests and vectors write them: `hex("0a ff")`. White space between digits is ignored.
/// Throws on anything else, so that a typing error fails the test.
inline Buffer hex(std::string_view text) {
    Buffer bytes;
    std::optional<unsigned> high;
    for (const char c : text) {
        if (c == ' ' || c == '\n' || c == '\t') continue;
        const std::optional<unsigned> digit = detail::hex_digit(c);
        if (!digit) throw std::invalid_argument("not hex: " + std::string{text});
        if (high) {
            bytes.push_back(static_cast<std::byte>(*high * 16 + *digit));
            high.reset();
        } else {
            high = digit;
        }
    }
    if (high) throw std::invalid_argument("half a byte: " + std::string{text});
    return bytes;
}

/// The same as shared bytes.
inline Bytes hex_bytes(std::string_view text) { return Bytes{hex(text)}; }

/// The bytes of a text, shared.
inline Bytes text_bytes(std::string_view text) { return Bytes::copy_of(as_bytes(text)); }

/// "0a ff": the opposite of `hex`, for messages of failed tests.
inline std::string to_hex(BytesView bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes) {
        if (!text.empty()) text += ' ';
        text += digits[std::to_integer<std::size_t>(byte) / 16];
        text += digits[std::to_integer<std::size_t>(byte) % 16];
    }
    return text;
}

}  // namespace quicchat::test
