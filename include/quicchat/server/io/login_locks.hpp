#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// Which locks of logins have been reported, so that each is reported once however many logins it
/// refuses.
class LoginLocks {
public:
    /// A login was refused because too many have failed, for an account or (an empty name) for all
    /// of a network. True if that is news.
    bool note(const std::string& prefix, std::string_view user, TimePoint now);

private:
    /// A lock that refuses nothing for so long is another one afterwards.
    static constexpr Duration quiet = std::chrono::minutes{10};
    /// Who makes up names makes as many keys; then some locks are reported twice.
    static constexpr std::size_t locks_max = 10'000;

    std::map<std::string, TimePoint> newest_;  ///< Refusals, by network and account.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/io/impl/login_locks.ipp"
#endif
