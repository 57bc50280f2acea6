#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat {
namespace detail {

struct CodePoints {
    std::uint32_t first;
    std::uint32_t last;
};

/// Characters that hide, or turn the order of what stands around them: Unicode's bidirectional
/// controls (UAX #9), other format characters, fillers and line separators.
inline constexpr CodePoints misleading[] = {
    {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

constexpr bool is_misleading(std::uint32_t c) {
    for (const CodePoints& range : misleading) {
        if (c >= range.first && c <= range.last) return true;
    }
    return false;
}

/// Unicode's blocks of marks that are put on the character before them.
constexpr bool is_combining(std::uint32_t c) {
    return (c >= 0x0300 && c <= 0x036f) || (c >= 0x0483 && c <= 0x0489) ||
           (c >= 0x0591 && c <= 0x05bd) || (c >= 0x064b && c <= 0x065f) ||
           (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x1dc0 && c <= 0x1dff) ||
           (c >= 0x20d0 && c <= 0x20ff) || (c >= 0xfe20 && c <= 0xfe2f);
}

}  // namespace detail

/// True for a text in one line that looks like what it is: UTF-8 of 1 to `bytes_max` bytes without
/// control characters, bidirectional controls and invisible characters, with at most 8 combining
/// marks in a row, and no space at its ends (PROTOCOL.md §3.2).
constexpr bool is_label(std::string_view text, std::size_t bytes_max) {
    if (text.empty() || text.size() > bytes_max || text.front() == ' ' || text.back() == ' ') {
        return false;
    }
    constexpr std::size_t marks_max = 8;
    std::size_t marks = 0;
    while (!text.empty()) {
        const detail::DecodedCharacter c = detail::first_character(text);
        if (c.bytes == 0 || detail::is_control(c.code_point)) return false;
        if (detail::is_misleading(c.code_point)) return false;
        marks = detail::is_combining(c.code_point) ? marks + 1 : 0;
        if (marks > marks_max) return false;
        text.remove_prefix(c.bytes);
    }
    return true;
}

/// True for what can be the name of a file: no path, and none of the names that file systems keep
/// for themselves. It is for people: nobody opens anything by it.
constexpr bool is_file_name(std::string_view name) {
    return is_label(name, file_name_bytes_max) && name != "." && name != ".." &&
           name.find_first_of("/\\") == std::string_view::npos;
}

}  // namespace quicchat
