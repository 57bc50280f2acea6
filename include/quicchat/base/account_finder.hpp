#pragma once

#include <optional>
#include <string>

namespace quicchat {

/// Who can be written to while he is away.
class AccountFinder {
public:
    virtual ~AccountFinder() = default;

    /// How the account of that name is spelled; nothing if there is none, or if only a login can
    /// tell.
    virtual std::optional<std::string> find_account(const std::string& name) const = 0;
};

}  // namespace quicchat
