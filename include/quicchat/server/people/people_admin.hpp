#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/people/online_users.hpp"

namespace quicchat {

/// Somebody, as the server's program sees them.
struct PersonReport {
    std::string user;             ///< As the account spells it, if there is one.
    std::string display;          ///< Empty: called by the user name.
    std::size_t connections = 0;  ///< On which they are logged in.
};

/// What the server's program sees of people, in whatever rooms they are.
class PeopleAdmin {
public:
    /// What it is given outlives it.
    PeopleAdmin(const OnlineUsers& online, const DisplayNames& names, const AccountFinder& accounts,
                const Limits& limits)
        : online_(&online), names_(&names), accounts_(&accounts), limits_(&limits) {}

    /// Somebody who may be away.
    PersonReport find(std::string_view user) const;

    /// Who is logged in, for the names after `after`, in order, and whether that was all.
    std::pair<std::vector<PersonReport>, bool> online(std::string_view after) const;

private:
    const OnlineUsers* online_;
    const DisplayNames* names_;
    const AccountFinder* accounts_;
    const Limits* limits_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/people/impl/people_admin.ipp"
#endif
