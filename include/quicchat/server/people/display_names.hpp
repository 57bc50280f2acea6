#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// What accounts want to be called, as far as it is committed.
class DisplayNames {
public:
    /// Empty if the account is called by its user name.
    const std::string& find(std::string_view user) const;

    /// An empty name takes the account's out.
    void set(std::string_view user, std::string display);

    /// Accounts that are called otherwise than by their user name.
    std::size_t size() const { return names_.size(); }

    // What the log keeps of them.

    /// What to store so that `restore` brings it back.
    static StateChange change_of(std::string_view user, const std::string& display);

    /// Takes in one entry of a stored state. False if it is about something else, or nonsense.
    bool restore(std::string_view key, const std::string& value);

private:
    static constexpr std::string_view prefix = "display/";

    std::map<std::string, std::string> names_;  ///< By canonical name.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/people/impl/display_names.ipp"
#endif
