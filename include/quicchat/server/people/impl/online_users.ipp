#pragma once

#include "quicchat/server/people/online_users.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL void OnlineUsers::add(std::string_view name, ConnectionId connection) {
    const std::string canonical = canonical_name(name);
    User& user = users_[canonical];
    user.name = name;
    if (user.connections.empty()) note_change(canonical);
    user.connections.push_back(connection);
}

QUICCHAT_RARE_DECL void OnlineUsers::remove(std::string_view name, ConnectionId connection) {
    const auto found = users_.find(canonical_name(name));
    if (found == users_.end()) return;
    std::erase(found->second.connections, connection);
    if (!found->second.connections.empty()) return;
    note_change(found->first);
    users_.erase(found);
}

QUICCHAT_RARE_DECL const OnlineUsers::User* OnlineUsers::find(std::string_view name) const {
    const auto found = users_.find(canonical_name(name));
    return found == users_.end() ? nullptr : &found->second;
}

QUICCHAT_RARE_DECL std::pair<std::vector<const OnlineUsers::User*>, bool> OnlineUsers::page(
    std::string_view after, std::size_t count_max) const {
    std::vector<const User*> found;
    auto next = users_.upper_bound(canonical_name(after));
    for (; next != users_.end() && found.size() < count_max; ++next) found.push_back(&next->second);
    return {std::move(found), next == users_.end()};
}

QUICCHAT_RARE_DECL void OnlineUsers::watch(bool on) {
    is_watched_ = on;
    if (!on) changed_.clear();
}

QUICCHAT_RARE_DECL std::optional<std::string> OnlineUsers::poll_change() {
    if (changed_.empty()) return std::nullopt;
    auto next = changed_.upper_bound(last_change_);
    if (next == changed_.end()) next = changed_.begin();
    last_change_ = *next;
    return std::move(changed_.extract(next).value());
}

QUICCHAT_RARE_DECL void OnlineUsers::note_change(const std::string& canonical) {
    if (is_watched_) changed_.insert(canonical);
}

}  // namespace quicchat
