#pragma once

#include "quicchat/server/io/login_locks.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL bool LoginLocks::note(const std::string& prefix, std::string_view user,
                                         TimePoint now) {
    if (newest_.size() >= locks_max) {
        std::erase_if(newest_, [&](const auto& entry) { return now >= entry.second + quiet; });
        if (newest_.size() >= locks_max) newest_.clear();
    }
    const auto [place, is_new] = newest_.try_emplace(prefix + " " + canonical_name(user), now);
    const bool is_news = is_new || now >= place->second + quiet;
    place->second = now;
    return is_news;
}

}  // namespace quicchat
