#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/display_name.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// What accounts want to be called, as far as it is committed.
class DisplayNames {
public:
    /// Empty if the account is called by its user name.
    const std::string& find(std::string_view user) const {
        static const std::string none;
        if (names_.empty()) return none;
        const auto found = names_.find(canonical_name(user));
        return found == names_.end() ? none : found->second;
    }

    /// An empty name takes the account's out.
    void set(std::string_view user, std::string display) {
        if (display.empty()) {
            names_.erase(canonical_name(user));
        } else {
            names_.insert_or_assign(canonical_name(user), std::move(display));
        }
    }

    std::size_t size() const { return names_.size(); }

    // What the log keeps of them.

    static StateChange change_of(std::string_view user, const std::string& display) {
        std::string key = std::string{prefix} + canonical_name(user);
        if (display.empty()) return {std::move(key), std::nullopt};
        return {std::move(key), display};
    }

    /// Takes in one entry of a stored state. False if it is about something else, or nonsense.
    bool restore(std::string_view key, const std::string& value) {
        if (!key.starts_with(prefix)) return false;
        const std::string_view user = key.substr(prefix.size());
        if (!is_user_name(user) || !is_display_name(value)) return false;
        set(user, value);
        return true;
    }

private:
    static constexpr std::string_view prefix = "display/";

    std::map<std::string, std::string> names_;  ///< By canonical name.
};

}  // namespace quicchat
