#pragma once

#include "quicchat/server/people/display_names.hpp"

#include <optional>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/display_name.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL const std::string& DisplayNames::find(std::string_view user) const {
    static const std::string none;
    if (names_.empty()) return none;
    const auto found = names_.find(canonical_name(user));
    return found == names_.end() ? none : found->second;
}

QUICCHAT_RARE_DECL void DisplayNames::set(std::string_view user, std::string display) {
    if (display.empty()) {
        names_.erase(canonical_name(user));
    } else {
        names_.insert_or_assign(canonical_name(user), std::move(display));
    }
}

QUICCHAT_RARE_DECL StateChange DisplayNames::change_of(std::string_view user,
                                                       const std::string& display) {
    std::string key = std::string{prefix} + canonical_name(user);
    if (display.empty()) return {std::move(key), std::nullopt};
    return {std::move(key), display};
}

QUICCHAT_RARE_DECL bool DisplayNames::restore(std::string_view key, const std::string& value) {
    if (!key.starts_with(prefix)) return false;
    const std::string_view user = key.substr(prefix.size());
    if (!is_user_name(user) || !is_display_name(value)) return false;
    set(user, value);
    return true;
}

}  // namespace quicchat
