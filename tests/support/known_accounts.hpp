#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat::test {

/// Accounts that exist, whether they are here or away.
struct KnownAccounts : AccountFinder {
    KnownAccounts() = default;
    explicit KnownAccounts(std::set<std::string> known) : names(std::move(known)) {}

    std::optional<std::string> find_account(const std::string& name) const override {
        for (const std::string& known : names) {
            if (is_same_name(known, name)) return known;
        }
        return std::nullopt;
    }

    std::set<std::string> names;
};

}  // namespace quicchat::test
