#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {
namespace detail {

/// PROTOCOL.md §3.2: ASCII letters, digits, `_ . -`. Independent of the locale.
constexpr bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

}  // namespace detail

/// True for what can name a user.
constexpr bool is_user_name(std::string_view name) {
    return !name.empty() && name.size() <= user_name_bytes_max &&
           std::all_of(name.begin(), name.end(), detail::is_name_char);
}

/// True for what can name a room: `#` and at least one letter.
constexpr bool is_room_name(std::string_view name) {
    return name.size() >= 2 && name.size() <= room_name_bytes_max && name.front() == '#' &&
           std::all_of(name.begin() + 1, name.end(), detail::is_name_char);
}

/// True for what somebody calls the room that he shares with one other person: `@` and the name.
constexpr bool is_private_name(std::string_view name) {
    return name.starts_with('@') && is_user_name(name.substr(1));
}

/// The form in which user names are compared: "Ada" and "ada" are one user.
QUICCHAT_DECL std::string canonical_name(std::string_view name);

/// True for two spellings of one name.
QUICCHAT_DECL bool is_same_name(std::string_view one, std::string_view other);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/name.ipp"
#endif
