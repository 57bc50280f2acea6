#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "quicchat/base/config.hpp"

namespace quicchat {
namespace detail {

struct DecodedCharacter {
    std::uint32_t code_point = 0;
    std::size_t bytes = 0;  ///< 0: not UTF-8.
};

/// The first character of `text`, which is not empty, by RFC 3629 §4: shortest form only, no
/// surrogates, nothing above U+10FFFF.
constexpr DecodedCharacter first_character(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = octet(0);
    if (first < 0x80) return {first, 1};

    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
    std::uint32_t code_point = first & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((octet(i) & 0xc0) != 0x80) return {};
        code_point = (code_point << 6) | (octet(i) & 0x3fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code_point < smallest[length] || code_point > 0x10ffff) return {};
    if (code_point >= 0xd800 && code_point <= 0xdfff) return {};
    return {code_point, length};
}

constexpr bool is_control(std::uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

/// How many printable ASCII characters it begins with.
constexpr std::size_t count_plain(std::string_view text) {
    std::size_t count = 0;
    if (!std::is_constant_evaluated()) {
        // Eight at a time: the highest bit of a byte is set below if it is less than a space, or
        // DEL or more. A byte that borrows from the next one, or carries into it, is such a one.
        constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
        for (std::uint64_t eight = 0; text.size() - count >= sizeof eight; count += sizeof eight) {
            std::memcpy(&eight, text.data() + count, sizeof eight);
            if ((((eight - ones * ' ') | (eight + ones) | eight) & (ones << 7)) != 0) break;
        }
    }
    while (count < text.size() && text[count] >= ' ' && text[count] < '\x7f') ++count;
    return count;
}

}  // namespace detail

/// True if `text` is UTF-8 (RFC 3629) without control characters: neither C0 but tab and newline,
/// nor DEL, nor C1. So it can neither hide nor steer a terminal by escape sequences
/// (PROTOCOL.md §3.1).
constexpr bool is_clean_text(std::string_view text) {
    while (text.remove_prefix(detail::count_plain(text)), !text.empty()) {
        const detail::DecodedCharacter c = detail::first_character(text);
        if (c.bytes == 0) return false;
        if (detail::is_control(c.code_point) && c.code_point != '\n' && c.code_point != '\t') {
            return false;
        }
        text.remove_prefix(c.bytes);
    }
    return true;
}

/// `text` without what is no clean text, cut at the end of a character within `bytes_max`.
QUICCHAT_DECL std::string cleaned_text(std::string_view text, std::size_t bytes_max);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/text.ipp"
#endif
