#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/ids.hpp"

namespace quicchat {

/// Who is logged in, on which connections.
class OnlineUsers {
public:
    /// Somebody who is logged in.
    struct User {
        std::string name;                       ///< In the spelling of the account.
        std::vector<ConnectionId> connections;  ///< At least one, in the order of the logins.
    };

    /// A login, and the end of a connection that was logged in.
    /// @{
    void add(std::string_view name, ConnectionId connection);

    void remove(std::string_view name, ConnectionId connection);
    /// @}

    /// A user who is logged in, or nullptr.
    const User* find(std::string_view name) const;

    /// At most `count_max` of them, with canonical names above `after`, in order, and whether that
    /// was all.
    std::pair<std::vector<const User*>, bool> page(std::string_view after,
                                                   std::size_t count_max) const;

    /// Accounts that are logged in.
    std::size_t size() const { return users_.size(); }

    /// From now on, or no longer, it is noted who comes and who goes.
    void watch(bool on);

    /// The canonical name of somebody who came or went since this said so before: a name is there
    /// once, however often that happened, and all names have their turn.
    std::optional<std::string> poll_change();

private:
    void note_change(const std::string& canonical);

    std::map<std::string, User> users_;  ///< By canonical name.
    bool is_watched_ = false;
    std::set<std::string> changed_;  // at most one for each account that may log in
    std::string last_change_;        // after which the next one is looked for
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/people/impl/online_users.ipp"
#endif
