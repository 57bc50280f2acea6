#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/base/bytes.hpp"

namespace quicchat {

/// Remembers the keys of verified logins, so that the next login of the same account skips the slow
/// hashing (RFC 7677 §4).
///
/// The content is password-equivalent: keep it in memory, never in a file. It is wiped when the
/// cache ends. Not thread-safe.
class ClientKeyCache {
public:
    /// More than so many keys push out the oldest; 0: it remembers nothing.
    explicit ClientKeyCache(std::size_t entries_max = 64);

    /// The keys, or nullptr. `password_check` tells passwords apart: without it, whoever shares the
    /// cache would be logged in by the right user name alone.
    const ScramKeys* find(std::string_view user, BytesView salt, std::uint32_t iterations,
                          BytesView password_check) const;

    /// Adds keys that a server has proved to know too. The oldest entry makes room.
    void remember(std::string_view user, BytesView salt, std::uint32_t iterations,
                  BytesView password_check, const ScramKeys& keys);

    /// Forgets all keys and wipes them.
    void clear();
    /// How many keys it has.
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

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/client_key_cache.ipp"
#endif
