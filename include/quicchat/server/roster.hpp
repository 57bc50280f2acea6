#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// Who is logged in, on which connections.
class Roster {
public:
    void add(std::string_view user, ConnectionId connection) {
        users_[canonical_user_name(user)].push_back(connection);
    }

    void remove(std::string_view user, ConnectionId connection) {
        const auto found = users_.find(canonical_user_name(user));
        if (found == users_.end()) return;
        std::vector<ConnectionId>& connections = found->second;
        connections.erase(std::remove(connections.begin(), connections.end(), connection),
                          connections.end());
        if (connections.empty()) users_.erase(found);
    }

    /// The connections of a user; none if nobody of that name is logged in.
    std::vector<ConnectionId> find(std::string_view user) const {
        const auto found = users_.find(canonical_user_name(user));
        return found == users_.end() ? std::vector<ConnectionId>{} : found->second;
    }

    std::size_t size() const { return users_.size(); }

private:
    std::map<std::string, std::vector<ConnectionId>> users_;
};

}  // namespace quicchat
