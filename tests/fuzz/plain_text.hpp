#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace quicchat::test {

// UTF-8 once more, by another way than the library's: a character is what its own encoding gives.

inline std::string utf8_of(std::uint32_t c) {
    const auto octet = [](std::uint32_t value) { return static_cast<char>(value); };
    const auto more = [&](unsigned shift) { return octet(0x80 | ((c >> shift) & 0x3f)); };
    if (c < 0x80) return {octet(c)};
    if (c < 0x800) return {octet(0xc0 | (c >> 6)), more(0)};
    if (c < 0x10000) return {octet(0xe0 | (c >> 12)), more(6), more(0)};
    return {octet(0xf0 | (c >> 18)), more(12), more(6), more(0)};
}

struct PlainCharacter {
    std::string_view bytes;  ///< One octet if that is no character.
    std::uint32_t code_point = 0;
    bool is_utf8 = false;
};

/// The first character of a text that is not empty.
inline PlainCharacter first_plainly(std::string_view text) {
    const auto octet = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<std::uint8_t>(text[i]));
    };
    std::uint32_t c = octet(0);
    for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
        if (length == 2) c &= 0x1f;
        if (length == 3) c = (octet(0) & 0x0f) << 6 | (octet(1) & 0x3f);
        if (length == 4) {
            c = (octet(0) & 0x07) << 12 | (octet(1) & 0x3f) << 6 | (octet(2) & 0x3f);
        }
        if (length > 1) c = c << 6 | (octet(length - 1) & 0x3f);
        const bool surrogate = c >= 0xd800 && c < 0xe000;
        if (c <= 0x10ffff && !surrogate && utf8_of(c) == text.substr(0, length)) {
            return {text.substr(0, length), c, true};
        }
    }
    return {text.substr(0, 1)};
}

inline bool is_control_plainly(std::uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

/// PROTOCOL.md §3.1.
inline bool is_text_plainly(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(first_plainly(text).bytes.size())) {
        const PlainCharacter c = first_plainly(text);
        if (!c.is_utf8) return false;
        if (is_control_plainly(c.code_point) && c.code_point != '\t' && c.code_point != '\n') {
            return false;
        }
    }
    return true;
}

}  // namespace quicchat::test
