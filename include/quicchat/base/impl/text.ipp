#pragma once

#include "quicchat/base/text.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::string cleaned_text(std::string_view text, std::size_t bytes_max) {
    std::string cleaned;
    while (!text.empty()) {
        const std::size_t bytes = std::max<std::size_t>(detail::first_character(text).bytes, 1);
        const std::string_view character = text.substr(0, bytes);
        if (cleaned.size() + bytes > bytes_max) break;
        if (is_clean_text(character)) cleaned += character;
        text.remove_prefix(bytes);
    }
    return cleaned;
}

}  // namespace quicchat
