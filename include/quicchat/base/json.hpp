#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

#include "quicchat/base/config.hpp"

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
QUICCHAT_DECL bool is_json_object(std::string_view text, std::size_t depth_max);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/json.ipp"
#endif
