#pragma once

#include "quicchat/base/json.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL bool is_json_object(std::string_view text, std::size_t depth_max) {
    if (text == "{}") return true;  // by far the most frequent
    // So it begins with no byte order mark either (RFC 8259 §8.1), which some parsers take.
    const std::size_t first = text.find_first_not_of(" \t\n\r");
    if (first == std::string_view::npos || text[first] != '{') return false;
    // To the library a zero is the end of a text. `accept` builds nothing, and instantiates much
    // less than `sax_parse`.
    return text.find('\0') == std::string_view::npos && detail::json_depth(text) <= depth_max &&
           nlohmann::json::accept(text.begin(), text.end());
}

}  // namespace quicchat
