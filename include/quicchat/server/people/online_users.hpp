#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// Who is logged in, on which connections.
class OnlineUsers {
public:
    struct User {
        std::string name;  ///< In the spelling of the account.
        std::vector<ConnectionId> connections;
    };

    void add(std::string_view name, ConnectionId connection) {
        User& user = users_[canonical_name(name)];
        user.name = name;
        user.connections.push_back(connection);
    }

    void remove(std::string_view name, ConnectionId connection) {
        const auto found = users_.find(canonical_name(name));
        if (found == users_.end()) return;
        std::erase(found->second.connections, connection);
        if (found->second.connections.empty()) users_.erase(found);
    }

    /// A user who is logged in, or nullptr.
    const User* find(std::string_view name) const {
        const auto found = users_.find(canonical_name(name));
        return found == users_.end() ? nullptr : &found->second;
    }

    std::size_t size() const { return users_.size(); }

private:
    std::map<std::string, User> users_;  ///< By canonical name.
};

}  // namespace quicchat
