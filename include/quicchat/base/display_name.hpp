#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "quicchat/base/combining.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat {
namespace detail {

/// Characters that change the order of those around them, that nobody sees, or that end a line in
/// some terminals. python/quicchat/terminal.py marks the same.
inline constexpr CharacterRange misleading_characters[] = {
    {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},   {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

constexpr bool is_misleading(std::uint32_t c) {
    return std::any_of(std::begin(misleading_characters), std::end(misleading_characters),
                       [&](const CharacterRange& r) { return r.first <= c && c <= r.last; });
}

/// What looks like nothing at the ends of a line: spaces, and the characters that join others.
constexpr bool is_blank(std::uint32_t c) {
    return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200d) || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/// More marks on one character than any script needs would cover the lines around it.
inline constexpr std::size_t combining_marks_max = 8;

}  // namespace detail

/// True for a text that stands in one line beside others without harm (PROTOCOL.md §3.2): 1 to
/// `bytes_max` bytes of UTF-8 without control characters, bidirectional controls, invisible
/// characters, piles of combining marks, and spaces at its ends.
constexpr bool is_plain_line(std::string_view text, std::size_t bytes_max) {
    if (text.empty() || text.size() > bytes_max) return false;
    std::size_t pile = 0;
    bool is_first = true;
    bool blank = false;
    while (!text.empty()) {
        const detail::DecodedCharacter c = detail::first_character(text);
        if (c.bytes == 0 || detail::is_control(c.code_point)) return false;
        if (detail::is_misleading(c.code_point)) return false;
        pile = is_combining(c.code_point) ? pile + 1 : 0;
        if (pile > detail::combining_marks_max) return false;
        blank = detail::is_blank(c.code_point);
        if (is_first && blank) return false;
        is_first = false;
        text.remove_prefix(c.bytes);
    }
    return !blank;
}

/// True for what an account may want to be called.
constexpr bool is_display_name(std::string_view name) {
    return is_plain_line(name, display_name_bytes_max);
}

}  // namespace quicchat
