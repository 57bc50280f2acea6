#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// Calls `take` with each user name that a text mentions, as it stands there, also again and again
/// (PROTOCOL.md §3.5). Whether there is such an account is not known here. `take` returns false to
/// stop.
template <class Take>
constexpr void for_each_mention(std::string_view text, const Take& take) {
    for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', at)) {
        const bool begins = at == 0 || !detail::is_name_char(text[at - 1]);
        const char* const first = text.data() + at + 1;
        const char* last = std::find_if_not(first, text.data() + text.size(), detail::is_name_char);
        at += 1 + static_cast<std::size_t>(last - first);
        while (last > first && (last[-1] == '.' || last[-1] == '-')) --last;
        const std::string_view name{first, static_cast<std::size_t>(last - first)};
        if (begins && is_user_name(name) && !take(name)) return;
    }
}

/// True if the text mentions that account.
inline bool mentions(std::string_view text, std::string_view user) {
    bool found = false;
    for_each_mention(text, [&](std::string_view name) {
        found = is_same_name(name, user);
        return !found;
    });
    return found;
}

}  // namespace quicchat
