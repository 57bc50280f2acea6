#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

namespace quicchat {
namespace detail {

/// How deep the arrays and objects of a JSON text nest. Of what is no JSON, some number.
constexpr std::size_t json_depth(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            deepest = ++depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

}  // namespace detail

/// True if `text` is a JSON object (RFC 8259) that nests at most `depth_max` deep.
inline bool is_json_object(std::string_view text, std::size_t depth_max) {
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
