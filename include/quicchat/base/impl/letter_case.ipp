#pragma once

#include "quicchat/base/letter_case.hpp"

#include <cstddef>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::string fold_case(std::string_view text) {
    std::string folded(text.size(), '\0');  // it never becomes longer
    char* out = folded.data();
    const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::uint8_t first = octet(at);
        if (first < 0x80) {
            *out++ = static_cast<char>(first >= 'A' && first <= 'Z' ? first + 32 : first);
            continue;
        }
        // All that is folded has two octets in UTF-8 (RFC 3629 §3). Others go over as they are.
        const bool is_two =
            first >= 0xc2 && first < 0xe0 && at + 1 < text.size() && (octet(at + 1) & 0xc0) == 0x80;
        if (!is_two) {
            *out++ = text[at];
            continue;
        }
        const std::uint32_t letter = fold_letter((first & 0x1fu) << 6 | (octet(++at) & 0x3fu));
        if (letter < 0x80) {  // the long s
            *out++ = static_cast<char>(letter);
        } else {
            *out++ = static_cast<char>(0xc0 | (letter >> 6));
            *out++ = static_cast<char>(0x80 | (letter & 0x3f));
        }
    }
    folded.resize(static_cast<std::size_t>(out - folded.data()));
    return folded;
}

}  // namespace quicchat
