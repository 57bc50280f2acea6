#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/letter_case.hpp"
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
QUICCHAT_DECL bool mentions(std::string_view text, std::string_view user);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/mention.ipp"
#endif
