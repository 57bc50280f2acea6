#pragma once

#include "quicchat/base/mention.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {

QUICCHAT_DECL bool mentions(std::string_view text, std::string_view user) {
    bool found = false;
    for_each_mention(text, [&](std::string_view name) {
        found = is_same_name(name, user);
        return !found;
    });
    return found;
}

}  // namespace quicchat
