#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "input.hpp"
#include "plain_text.hpp"
#include "quicchat/base/display_name.hpp"
#include "quicchat/base/file_name.hpp"
#include "quicchat/base/mention.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat::test {

/// The first two rows of the table of PROTOCOL.md §3.2.
inline constexpr std::pair<std::uint32_t, std::uint32_t> nowhere_in_names[] = {
    {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};
inline constexpr std::u32string_view not_at_an_end =
    U"\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    U"\u200c\u200d\u202f\u205f\u3000";

inline bool is_line_plainly(std::string_view text, std::size_t bytes_max) {
    if (text.empty() || text.size() > bytes_max) return false;
    std::vector<std::uint32_t> line;
    for (; !text.empty(); text.remove_prefix(first_plainly(text).bytes.size())) {
        const PlainCharacter c = first_plainly(text);
        if (!c.is_utf8 || is_control_plainly(c.code_point)) return false;
        line.push_back(c.code_point);
    }
    for (std::size_t i = 0; i < line.size(); ++i) {
        for (const auto& [first, last] : nowhere_in_names) {
            if (line[i] >= first && line[i] <= last) return false;
        }
        std::size_t marks = 0;
        while (i + marks < line.size() && is_combining(line[i + marks])) ++marks;
        if (marks > 8) return false;
    }
    return not_at_an_end.find(line.front()) == not_at_an_end.npos &&
           not_at_an_end.find(line.back()) == not_at_an_end.npos;
}

inline bool is_of_name_plainly(char c) {
    return std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"}
               .find(c) != std::string_view::npos;
}

inline bool is_user_plainly(std::string_view name) {
    return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, is_of_name_plainly);
}

/// PROTOCOL.md §3.5, a letter at a time.
inline std::vector<std::string_view> mentions_plainly(std::string_view text) {
    std::vector<std::string_view> found;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '@' || (at > 0 && is_of_name_plainly(text[at - 1]))) continue;
        std::size_t end = at + 1;
        while (end < text.size() && is_of_name_plainly(text[end])) ++end;
        while (end > at + 1 && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
        const std::string_view name = text.substr(at + 1, end - at - 1);
        if (is_user_plainly(name)) found.push_back(name);
    }
    return found;
}

/// Any bytes: a name if the rules of PROTOCOL.md §3 say so, written down once more.
inline void fuzz_names(BytesView bytes) {
    FuzzInput input{bytes};
    const std::size_t bytes_max = input.octet();
    const std::string_view text = as_text(input.rest());

    must(is_plain_line(text, bytes_max) == is_line_plainly(text, bytes_max));
    must(is_display_name(text) == is_line_plainly(text, 64));
    must(is_file_name(text) == (is_line_plainly(text, 255) && text != "." && text != ".." &&
                                text.find('/') == text.npos && text.find('\\') == text.npos));
    must(is_clean_text(text) == is_text_plainly(text));
    must(is_user_name(text) == is_user_plainly(text));
    const bool of_room = text.starts_with('#') && text.size() >= 2 && text.size() <= 64;
    must(is_room_name(text) ==
         (of_room && std::ranges::all_of(text.substr(1), is_of_name_plainly)));
    must(is_private_name(text) == (text.starts_with('@') && is_user_plainly(text.substr(1))));

    const std::string canonical = canonical_name(text);
    must(canonical.size() == text.size() && canonical_name(canonical) == canonical);
    must(is_same_name(text, canonical));

    const std::string cleaned = cleaned_text(text, bytes_max);
    must(cleaned.size() <= bytes_max && is_text_plainly(cleaned));
    if (is_text_plainly(text) && text.size() <= bytes_max) must(cleaned == text);

    std::vector<std::string_view> mentioned;
    for_each_mention(text, [&](std::string_view name) { return mentioned.push_back(name), true; });
    must(mentioned == mentions_plainly(text));
    for (const std::string_view name : mentioned) must(mentions(text, canonical_name(name)));
}

}  // namespace quicchat::test
