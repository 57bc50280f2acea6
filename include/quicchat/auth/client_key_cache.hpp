#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// Remembers the keys of verified logins, so that the next login of the same account skips the slow
/// hashing (RFC 7677 §4).
///
/// The content is password-equivalent: keep it in memory, never in a file. It is wiped when the
/// cache ends. Not thread-safe.
class ClientKeyCache {
public:
    explicit ClientKeyCache(std::size_t entries_max = 64) : entries_max_(entries_max) {}

    /// The keys, or nullptr. `password_check` tells passwords apart: without it, whoever shares the
    /// cache would be logged in by the right user name alone.
    const ScramKeys* find(std::string_view user, BytesView salt, std::uint32_t iterations,
                          BytesView password_check) const {
        const std::string name = canonical_name(user);
        const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
            return e.iterations == iterations && std::ranges::equal(e.salt, salt) &&
                   e.user == name &&
                   equal_in_constant_time(e.password_check.view(), password_check);
        });
        return entry == entries_.end() ? nullptr : &entry->keys;
    }

    /// Adds keys that a server has proved to know too. The oldest entry makes room.
    void remember(std::string_view user, BytesView salt, std::uint32_t iterations,
                  BytesView password_check, const ScramKeys& keys) {
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

    void clear() { entries_.clear(); }
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string user;
        Buffer salt;
        std::uint32_t iterations = 0;
        Secret password_check;
        ScramKeys keys;
    };

    std::vector<Entry> entries_;
    std::size_t entries_max_;
};

}  // namespace quicchat
