#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/ids.hpp"

namespace quicchat {

/// Who is logged in, on which connections.
class OnlineUsers {
public:
    struct User {
        std::string name;  ///< In the spelling of the account.
        std::vector<ConnectionId> connections;
    };

    void add(std::string_view name, ConnectionId connection);

    void remove(std::string_view name, ConnectionId connection);

    /// A user who is logged in, or nullptr.
    const User* find(std::string_view name) const;

    /// At most `count_max` of them, with canonical names above `after`, in order, and whether that
    /// was all.
    std::pair<std::vector<const User*>, bool> page(std::string_view after,
                                                   std::size_t count_max) const;

    std::size_t size() const { return users_.size(); }

private:
    std::map<std::string, User> users_;  ///< By canonical name.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/people/impl/online_users.ipp"
#endif
