#pragma once

#include "quicchat/server/people/people_admin.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL PersonReport PeopleAdmin::find(std::string_view user) const {
    const std::string& display = names_->find(user);
    if (const OnlineUsers::User* here = online_->find(user)) {
        return {here->name, display, here->connections.size()};
    }
    const std::string name{user};
    return {accounts_->find_account(name).value_or(name), display};
}

QUICCHAT_RARE_DECL std::pair<std::vector<PersonReport>, bool> PeopleAdmin::online(
    std::string_view after) const {
    const auto [users, complete] = online_->page(after, limits_->members_per_page_max);
    std::vector<PersonReport> people;
    people.reserve(users.size());
    for (const OnlineUsers::User* user : users) {
        people.push_back({user->name, names_->find(user->name), user->connections.size()});
    }
    return {std::move(people), complete};
}

}  // namespace quicchat
