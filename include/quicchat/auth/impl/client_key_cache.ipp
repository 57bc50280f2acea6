#pragma once

#include "quicchat/auth/client_key_cache.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL ClientKeyCache::ClientKeyCache(std::size_t entries_max)
    : entries_max_(entries_max) {}

QUICCHAT_RARE_DECL const ScramKeys* ClientKeyCache::find(std::string_view user, BytesView salt,
                                                         std::uint32_t iterations,
                                                         BytesView password_check) const {
    const std::string name = canonical_name(user);
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
        return e.iterations == iterations && std::ranges::equal(e.salt, salt) && e.user == name &&
               equal_in_constant_time(e.password_check.view(), password_check);
    });
    return entry == entries_.end() ? nullptr : &entry->keys;
}

QUICCHAT_RARE_DECL void ClientKeyCache::remember(std::string_view user, BytesView salt,
                                                 std::uint32_t iterations, BytesView password_check,
                                                 const ScramKeys& keys) {
    if (entries_max_ == 0 || find(user, salt, iterations, password_check) != nullptr) return;
    if (entries_.size() >= entries_max_) entries_.erase(entries_.begin());
    Entry entry;
    entry.user = canonical_name(user);
    entry.salt.assign(salt.begin(), salt.end());
    entry.iterations = iterations;
    entry.password_check = Secret{password_check};
    entry.keys = keys;
    entries_.push_back(std::move(entry));
}

QUICCHAT_RARE_DECL void ClientKeyCache::clear() { entries_.clear(); }

}  // namespace quicchat
